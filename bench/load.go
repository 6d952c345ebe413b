// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/test/gitserver"
)

// load is what one row deploys: applications of one repository, each with its objects. It goes onto an empty cluster that
// has the Applications already; Bowline is started beside them.
type load struct {
	row     string
	apps    int
	objects func(app int) []*unstructured.Unstructured
	// bare does the same without Bowline.
	bare func(ctx context.Context, client dynamic.Interface) (spent, error)
}

// count returns how many objects there are.
func (l load) count() int { return l.apps * len(l.objects(0)) }

// applied is a load whose bare form applies the objects and writes two statuses of each Application.
func applied(row string, apps int, objects func(app int) []*unstructured.Unstructured) load {
	return load{row, apps, objects, func(ctx context.Context, client dynamic.Interface) (spent, error) {
		return bareApplies(ctx, client, apps, len(objects(0)), objects)
	}}
}

// report measures a load and prints its row.
func (l load) report(ctx context.Context, c config, dir string) error {
	row, err := l.measure(ctx, c, dir)
	if err != nil {
		return fmt.Errorf("%s: %w", l.row, err)
	}
	row["row"], row["applications"], row["objects"] = l.row, l.apps, l.count()
	report(row)
	return nil
}

func (l load) measure(ctx context.Context, c config, dir string) (map[string]any, error) {
	c.audited = true // both planes, as the log costs the API server something
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	c.note("measuring the floor of " + l.row)
	var base spent
	err := onRestingPlane(ctx, c, filepath.Join(dir, "floor"), l.apps, func(client dynamic.Interface) (err error) {
		base, err = l.bare(ctx, client)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("the floor: %w", err)
	}
	s, err := l.place(ctx, c, filepath.Join(dir, "subject"))
	if err != nil {
		return nil, err
	}
	defer s.close()
	c.note("measuring " + l.row)
	row, err := l.start(ctx, s, base)
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, s.tail())
	}
	return row, nil
}

// place prepares a cluster with the Applications, and their repository. Bowline is not running.
func (l load) place(ctx context.Context, c config, dir string) (*subject, error) {
	c.apps = l.apps
	s, err := emptySubject(ctx, c, dir)
	if err != nil {
		return nil, err
	}
	if err := l.fill(ctx, s); err != nil {
		err = fmt.Errorf("%w\n%s", err, s.tail())
		s.close()
		return nil, err
	}
	return s, nil
}

func (l load) fill(ctx context.Context, s *subject) error {
	files := map[string]string{}
	for i := range l.apps {
		text, err := manifestFile(l.objects(i))
		if err != nil {
			return err
		}
		files["apps/"+appName(i)+"/all.yaml"] = text
	}
	if _, err := s.repo.Commit(gitserver.Change{Files: files}); err != nil {
		return err
	}
	if err := s.install(ctx); err != nil {
		return err
	}
	if err := s.setting(ctx, "argocd-cmd-params-cm", "controller.sync.wave.delay.seconds", "0"); err != nil {
		return err
	}
	return createApplications(ctx, s.client, l.apps, s.repo.URL, v1alpha1.DefaultNamespace)
}

func manifestFile(objects []*unstructured.Unstructured) (string, error) {
	var docs []string
	for _, u := range objects {
		text, err := yaml.Marshal(u.Object)
		if err != nil {
			return "", err
		}
		docs = append(docs, string(text))
	}
	return strings.Join(docs, "---\n"), nil
}

// settle is how long it is waited, when all is as it should be, for writes that come late.
const settle = 10 * time.Second

// start starts Bowline and waits until every Application is Synced and its operation has ended.
func (l load) start(ctx context.Context, s *subject, base spent) (map[string]any, error) {
	since, err := s.audit()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	half, err := s.countStatuses(ctx, deployed)
	if err != nil {
		return nil, err
	}
	all := time.Since(began)
	if err := rest(ctx, settle); err != nil {
		return nil, err
	}
	used, err := s.bowline.usage()
	if err != nil {
		return nil, err
	}
	row := map[string]any{
		"seconds": round(all.Seconds()), "half_seconds": round(half.Seconds()), "floor_seconds": round(base.time.Seconds()),
		"ratio_to_floor": round(all.Seconds() / base.time.Seconds()), "cpu_seconds": round(used.cpu.Seconds()),
		"overhead_ms_per_object": perObject(used.cpu-base.cpu, l.count()), "rss_mib": used.rss >> 20, "peak_mib": used.peak >> 20,
	}
	looks, err := s.metric(ctx, "argocd_app_reconcile_count")
	if err != nil {
		return nil, err
	}
	row["looks_each"] = round(looks / float64(s.apps))
	return row, s.addRequests(row, since)
}

func operationPhase(u *unstructured.Unstructured) v1alpha1.OperationPhase {
	phase, _, _ := unstructured.NestedString(u.Object, "status", "operationState", "phase")
	return v1alpha1.OperationPhase(phase)
}
