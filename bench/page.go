// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/test/gitserver"
	"github.com/bowline-cd/bowline/test/page/browser"
)

// forest is the application with the large tree.
const forest = "forest"

//go:embed page_list.js
var listScript string

//go:embed page_tree.js
var treeScript string

// looked is a page that somebody looks at, in a real Chromium.
type looked struct {
	*served
	browser *browser.Browser
}

// measurePage reports what somebody who looks at the page waits for.
func measurePage(ctx context.Context, c config, dir string) error {
	c.apps = c.samples
	subject, err := emptySubject(ctx, c, dir)
	if err != nil {
		return err
	}
	l := &looked{served: &served{subject: subject}}
	defer l.close()
	if err := l.seedForest(); err != nil {
		return err
	}
	if err := l.open(ctx); err != nil {
		return fmt.Errorf("%w\n%s", err, l.tail())
	}
	if err := l.plantForest(ctx); err != nil {
		return fmt.Errorf("%w\n%s", err, l.tail())
	}
	if l.browser, err = browser.Start(browser.Options{Pictures: dir, Patience: limit}); err != nil {
		return err
	}
	defer l.browser.Close()
	if _, err := l.do("sign in", "await signIn(env.USER, env.PASSWORD)"); err != nil {
		return err
	}
	for _, row := range []struct {
		name    string
		measure func(context.Context) (map[string]any, error)
	}{{"page-list", l.list}, {"page-tree", l.tree}, {"page-change", l.change}} {
		l.note("measuring " + row.name)
		result, err := row.measure(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w\n%s", row.name, err, l.tail())
		}
		result["row"] = row.name
		report(result)
	}
	return nil
}

// seedForest commits the files of the application with the large tree, before Bowline reads the repository.
func (l *looked) seedForest() error {
	var all strings.Builder
	for i := range l.leaves {
		fmt.Fprintf(&all, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: leaf-%04d}\ndata: {a: \"1\"}\n---\n", i)
	}
	_, err := l.repo.Commit(gitserver.Change{Files: map[string]string{forest + "/all.yaml": all.String()}})
	return err
}

// plantForest deploys that application. Nobody heals it.
func (l *looked) plantForest(ctx context.Context) error {
	l.note(fmt.Sprintf("deploying an application of %d objects", l.leaves))
	app := application(0, l.repo.URL, v1alpha1.DefaultNamespace)
	app.Name, app.Spec.Source.Path, app.Spec.SyncPolicy = forest, forest, nil
	app.Operation = &v1alpha1.Operation{Sync: &v1alpha1.SyncOperation{}}
	if err := createApplication(ctx, l.client, app); err != nil {
		return err
	}
	return until(ctx, limit, forest+" is deployed", func(ctx context.Context) (bool, error) {
		u, err := l.client.Resource(applications).Namespace(v1alpha1.DefaultNamespace).Get(ctx, forest, metav1.GetOptions{})
		return err == nil && deployed(u), err
	})
}

// do plays a phase, and returns the last thing that it said.
func (l *looked) do(name, script string) (json.RawMessage, error) {
	said, err := l.browser.Do(browser.Phase{Name: name, Script: script, Address: l.url(""), Env: map[string]string{
		"USER": person, "PASSWORD": personsPassword, "NAMESPACE": v1alpha1.DefaultNamespace, "FOREST": forest, "SAMPLES": fmt.Sprint(l.samples)}})
	if err != nil || len(said) == 0 {
		return nil, err
	}
	return json.RawMessage(said[len(said)-1]), nil
}

func (l *looked) list(context.Context) (map[string]any, error) {
	said, err := l.do("list", listScript)
	if err != nil {
		return nil, err
	}
	m := struct {
		Usable, Keys     []float64
		MiB, Shift       float64
		Long, LongWorst  float64
		Rows, LongLimits int
	}{}
	if err := json.Unmarshal(said, &m); err != nil {
		return nil, err
	}
	return map[string]any{"applications": l.listed + l.apps + 1, "usable_median_ms": median(m.Usable), "usable_worst_ms": slices.Max(m.Usable), "key_median_ms": median(m.Keys),
		"key_worst_ms": slices.Max(m.Keys), "memory_mib": round(m.MiB), "layout_shift": m.Shift, "long_tasks": m.Long, "longest_task_ms": m.LongWorst}, nil
}

func (l *looked) tree(context.Context) (map[string]any, error) {
	said, err := l.do("tree", treeScript)
	if err != nil {
		return nil, err
	}
	m := struct{ Drawn []float64 }{}
	if err := json.Unmarshal(said, &m); err != nil {
		return nil, err
	}
	return map[string]any{"nodes": l.leaves, "drawn_median_ms": median(m.Drawn), "drawn_worst_ms": slices.Max(m.Drawn)}, nil
}

// change edits one object by hand, again and again, while the large tree is on the screen.
func (l *looked) change(ctx context.Context) (map[string]any, error) {
	var lags, busy []float64
	for i := range l.samples {
		// A first edit makes it differ, the next puts it back.
		value, wanted := "2", "Out of sync"
		if i%2 == 1 {
			value, wanted = "1", "Synced"
		}
		if _, err := l.do("watch", fmt.Sprintf(watchScript, wanted)); err != nil {
			return nil, err
		}
		patch := fmt.Appendf(nil, `{"data":{"a":%q}}`, value)
		if _, err := l.client.Resource(resources["ConfigMap"]).Namespace(namespace).Patch(ctx, "leaf-0000", types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
			return nil, err
		}
		edited := time.Now()
		said, err := l.do("seen", seenScript)
		if err != nil {
			return nil, err
		}
		m := struct{ At, Busy float64 }{}
		if err := json.Unmarshal(said, &m); err != nil {
			return nil, err
		}
		lags = append(lags, m.At-float64(edited.UnixMicro())/1000)
		busy = append(busy, m.Busy)
	}
	if len(lags) == 0 {
		return nil, errors.New("no samples")
	}
	return map[string]any{"lag_median_ms": median(lags), "lag_worst_ms": slices.Max(lags), "repaint_median_ms": median(busy), "repaint_worst_ms": slices.Max(busy)}, nil
}

// watchScript notes when the header of the application says so, and what the page's main thread has done until then.
const watchScript = `
const devtools = await page.context().newCDPSession(page)
await devtools.send('Performance.enable')
page.measured = devtools
page.before = (await devtools.send('Performance.getMetrics')).metrics.find((m) => m.name === 'TaskDuration').value
await page.evaluate((wanted) => {
  window.seenAt = 0
  const look = () => {
    const sync = [...document.querySelectorAll('dt')].find((e) => e.textContent === 'Sync')?.nextElementSibling
    if (!window.seenAt && sync?.textContent.includes(wanted)) requestAnimationFrame(() => { window.seenAt ||= performance.timeOrigin + performance.now() })
  }
  window.looker?.disconnect()
  window.looker = new MutationObserver(look)
  window.looker.observe(document.getElementById('content'), { subtree: true, childList: true, characterData: true })
}, %q)
`

const seenScript = `
await until('the change on the screen', () => page.evaluate(() => window.seenAt > 0))
const after = (await page.measured.send('Performance.getMetrics')).metrics.find((m) => m.name === 'TaskDuration').value
await page.measured.detach()
say({ at: await page.evaluate(() => window.seenAt), busy: (after - page.before) * 1000 })
`

func median(of []float64) float64 {
	sorted := slices.Sorted(slices.Values(of))
	return round(sorted[len(sorted)/2])
}
