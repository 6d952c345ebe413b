// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// eyes see what Applications and ConfigMaps say, for those who wait for one to say something.
type eyes struct {
	mu      sync.Mutex
	waiting map[[3]string]chan time.Time // by kind, name and what is awaited
}

func newEyes() *eyes { return &eyes{waiting: map[[3]string]chan time.Time{}} }

func (e *eyes) await(kind, name, what string) <-chan time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	seen := make(chan time.Time, 1)
	e.waiting[[3]string{kind, name, what}] = seen
	return seen
}

func (e *eyes) see(kind, name, what string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	key := [3]string{kind, name, what}
	if seen := e.waiting[key]; seen != nil {
		seen <- time.Now()
		delete(e.waiting, key)
	}
}

// watch follows both kinds until ctx ends: of ConfigMaps those that are edited, not to take part in the storm.
func (e *eyes) watch(ctx context.Context, s *subject, namespaces int) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		return s.watched(ctx, applications, v1alpha1.DefaultNamespace, func(u *unstructured.Unstructured, _ bool) bool {
			e.see("Application", u.GetName(), string(syncStatus(u)))
			return false
		})
	})
	for i := range min(namespaces, probedNamespaces) {
		group.Go(func() error {
			return s.watched(ctx, resources["ConfigMap"], estateNamespace(i), func(u *unstructured.Unstructured, _ bool) bool {
				version, _, _ := unstructured.NestedString(u.Object, "data", "version")
				e.see("ConfigMap", u.GetName(), version)
				return false
			})
		})
	}
	return group.Wait()
}
