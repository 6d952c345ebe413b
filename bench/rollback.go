// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/test/gitserver"
)

// measureRollback reports how long `bowline app rollback` takes while nothing answers at the repository: from the start of
// the command until the object is as it was, and until the Application says that the operation has ended.
func measureRollback(ctx context.Context, c config, dir string) error {
	l := load{row: "rollback", apps: c.samples, objects: twoWaveObjects}
	s, err := l.place(ctx, c, dir)
	if err != nil {
		return err
	}
	defer s.close()
	row, err := s.rollbacks(ctx)
	if err != nil {
		return fmt.Errorf("rollback: %w\n%s", err, s.tail())
	}
	row["row"] = "rollback"
	report(row)
	return nil
}

func (s *subject) rollbacks(ctx context.Context) (map[string]any, error) {
	if err := s.untilDeployed(ctx); err != nil {
		return nil, err
	}
	if err := s.deployAll(ctx, "v2"); err != nil {
		return nil, err
	}
	s.git.Misbehave(gitserver.Refuse)
	var ended []time.Duration
	row, err := s.sampled(func(i int) (time.Duration, error) {
		began := time.Now()
		if err := s.rollback(ctx, i); err != nil {
			return 0, err
		}
		if err := s.untilVersion(ctx, i, "v1"); err != nil {
			return 0, err
		}
		took := time.Since(began)
		err := s.untilRolledBack(ctx, i)
		ended = append(ended, time.Since(began))
		return took, err
	})
	if err == nil {
		row["recorded_median_seconds"], row["recorded_worst_seconds"] = round(quantile(ended, 0.5)), round(quantile(ended, 1))
	}
	return row, err
}

// deployAll pushes another version of every application and waits until all are deployed.
func (s *subject) deployAll(ctx context.Context, version string) error {
	commit := ""
	for i := range s.apps {
		var err error
		if commit, err = s.commit(ctx, i, version, func(_, _ *unstructured.Unstructured) {}); err != nil {
			return err
		}
	}
	_, err := s.countApps(ctx, func(a *v1alpha1.Application) bool {
		return a.Status.Sync.Revision == commit && synced(a) && len(a.Status.History) > 1 && a.Status.OperationState.Phase == v1alpha1.OperationSucceeded
	})
	return err
}

// rollback asks for the deployment before the last, as a person does.
func (s *subject) rollback(ctx context.Context, app int) error {
	out, err := exec.CommandContext(ctx, filepath.Join(s.bin, "bowline"), "app", "rollback", appName(app), "--kubeconfig", s.kubeconfig).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

func (s *subject) untilVersion(ctx context.Context, app int, version string) error {
	return s.watched(ctx, resources["ConfigMap"], namespace, func(u *unstructured.Unstructured, _ bool) bool {
		held, _, _ := unstructured.NestedString(u.Object, "data", "version")
		return u.GetName() == appName(app)+"-0" && held == version
	})
}

func (s *subject) untilRolledBack(ctx context.Context, app int) error {
	return s.watched(ctx, applications, v1alpha1.DefaultNamespace, func(u *unstructured.Unstructured, _ bool) bool {
		a, err := decode(u)
		return err == nil && a.Name == appName(app) && a.Operation == nil && len(a.Status.History) > 2 &&
			a.Status.OperationState.Phase == v1alpha1.OperationSucceeded
	})
}
