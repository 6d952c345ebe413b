// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/test/gitserver"
)

// monorepo is one repository with many applications of one object each, a kustomization every tenth of which has the
// same base: what a commit costs must not grow with their number.
type monorepo struct{ *subject }

// sharers is every how manieth application reads the shared base.
const sharers = 10

func newMonorepo(ctx context.Context, c config, dir string) (*monorepo, error) {
	c.apps, c.objects = c.many, 1
	s, err := emptySubject(ctx, c, dir)
	if err != nil {
		return nil, err
	}
	files := map[string]string{"base/kustomization.yaml": "resources: [base.yaml]\n", "base/base.yaml": configMap("base", "v1")}
	for i := range c.apps {
		for name, text := range monorepoFiles(i, "v1") {
			files[name] = text
		}
	}
	if _, err := s.repo.Commit(gitserver.Change{Files: files}); err != nil {
		s.close()
		return nil, err
	}
	return &monorepo{s}, s.start(ctx)
}

func configMap(name, version string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {version: %s}\n", name, version)
}

// monorepoFiles are the files of one application.
func monorepoFiles(i int, version string) map[string]string {
	dir := "apps/" + appName(i) + "/"
	if i%sharers != 0 {
		return map[string]string{dir + "config.yaml": configMap(appName(i), version)}
	}
	return map[string]string{dir + "kustomization.yaml": "namePrefix: " + appName(i) + "-\nresources: [../../base]\n"}
}

// measureMonorepo reports the rows of one repository with c.many applications.
func measureMonorepo(ctx context.Context, c config, dir string) error {
	m, err := newMonorepo(ctx, c, dir)
	if err != nil {
		return err
	}
	defer m.close()
	for _, row := range []struct {
		name    string
		measure func(context.Context) (map[string]any, error)
	}{
		{"monorepo-sync", m.syncAll}, {"monorepo-push-one", m.pushOne}, {"monorepo-push-none", m.pushNone}, {"monorepo-push-base", m.pushBase},
	} {
		m.note("measuring " + row.name)
		result, err := row.measure(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w\n%s", row.name, err, m.tail())
		}
		result["row"], result["applications"] = row.name, m.apps
		report(result)
	}
	return nil
}

func (m *monorepo) syncAll(ctx context.Context) (map[string]any, error) {
	began := time.Now()
	for i := range m.apps {
		if err := createApplication(ctx, m.client, application(i, m.repo.URL, v1alpha1.DefaultNamespace)); err != nil {
			return nil, err
		}
	}
	if _, err := m.countApps(ctx, synced); err != nil {
		return nil, err
	}
	used, err := m.bowline.usage()
	return map[string]any{"seconds": round(time.Since(began).Seconds()), "cpu_seconds": round(used.cpu.Seconds()), "memory_mib": used.rss >> 20}, err
}

// cost is what one push cost.
type cost struct {
	renders, requests int
	cpu               time.Duration
}

// costOf measures what a push and what follows from it cost.
func (m *monorepo) costOf(ctx context.Context, push func() error) (cost, error) {
	if err := rest(ctx, 3*time.Second); err != nil { // whatever still goes on
		return cost{}, err
	}
	rendersBefore, err := m.renders(ctx)
	if err != nil {
		return cost{}, err
	}
	usedBefore, err := m.bowline.usage()
	if err != nil {
		return cost{}, err
	}
	m.git.ResetCounts()
	if err := push(); err != nil {
		return cost{}, err
	}
	used, err := m.bowline.usage() // the answer about renders costs something itself
	if err != nil {
		return cost{}, err
	}
	git := m.git.Counts()
	rendersAfter, err := m.renders(ctx)
	return cost{rendersAfter - rendersBefore, git.Advertise + git.LsRefs + git.Fetch + git.Other, used.cpu - usedBefore.cpu}, err
}

// push commits and tells Bowline, and returns when it did the latter: the commit itself takes Git some time here.
func (m *monorepo) push(ctx context.Context, files map[string]string) (commit string, told time.Time, err error) {
	if commit, err = m.repo.Commit(gitserver.Change{Files: files}); err != nil {
		return "", time.Time{}, err
	}
	told = time.Now()
	return commit, told, m.webhook(ctx, commit)
}

func (m *monorepo) pushOne(ctx context.Context) (map[string]any, error) {
	var worst cost
	times, err := m.sampled(func(i int) (time.Duration, error) {
		var took time.Duration
		i = i*sharers + 1
		spent, err := m.costOf(ctx, func() error {
			m.version++
			version := fmt.Sprintf("one-%d", m.version)
			_, told, err := m.push(ctx, monorepoFiles(i, version))
			if err != nil {
				return err
			}
			_, err = m.countObjects(ctx, version, 1)
			took = time.Since(told)
			return err
		})
		worst = cost{max(worst.renders, spent.renders), max(worst.requests, spent.requests), max(worst.cpu, spent.cpu)}
		return took, err
	})
	if err == nil {
		times["renders"], times["git_requests"], times["cpu_ms"] = worst.renders, worst.requests, worst.cpu.Milliseconds()
	}
	return times, err
}

// pushNone: a commit to a file that no application reads, until an application names it.
func (m *monorepo) pushNone(ctx context.Context) (map[string]any, error) {
	spent, err := m.costOf(ctx, func() error {
		commit, _, err := m.push(ctx, map[string]string{"README.md": time.Now().String()})
		if err != nil {
			return err
		}
		_, err = m.countApps(ctx, func(a *v1alpha1.Application) bool { return a.Status.Sync.Revision == commit })
		return err
	})
	return map[string]any{"renders": spent.renders, "git_requests": spent.requests, "cpu_ms_with_revisions_written": spent.cpu.Milliseconds()}, err
}

// pushBase: a commit to the base that every tenth application reads, until all of those have it.
func (m *monorepo) pushBase(ctx context.Context) (map[string]any, error) {
	want := (m.apps + sharers - 1) / sharers
	var took time.Duration
	spent, err := m.costOf(ctx, func() error {
		_, told, err := m.push(ctx, map[string]string{"base/base.yaml": configMap("base", "v2")})
		if err != nil {
			return err
		}
		_, err = m.countObjects(ctx, "v2", want)
		took = time.Since(told)
		return err
	})
	return map[string]any{"readers": want, "renders": spent.renders, "git_requests": spent.requests, "seconds": round(took.Seconds())}, err
}

// renders reads how many renders there were.
func (m *monorepo) renders(ctx context.Context) (int, error) {
	total, err := m.metric(ctx, "bowline_renders_total")
	return int(total), err
}
