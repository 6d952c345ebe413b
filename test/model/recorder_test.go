// SPDX-License-Identifier: Apache-2.0

package model

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
)

// recorder keeps every version that every object of a round has.
type recorder struct {
	ctx    context.Context
	client dynamic.Interface

	mu      sync.Mutex
	seen    map[string][]sighting // by application
	latest  map[string]sighting   // by kind and name
	count   int
	changed chan struct{} // closed at the next event
	err     error
	done    sync.WaitGroup
}

// sighting is what a watch told.
type sighting struct {
	object *unstructured.Unstructured
	gone   bool
}

var applications = schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "applications"}

// resources are what scenarios have, but for Applications.
var resources = []schema.GroupVersionResource{
	{Version: "v1", Resource: "configmaps"}, {Version: "v1", Resource: "serviceaccounts"}, {Version: "v1", Resource: "services"}, {Version: "v1", Resource: "pods"},
	{Group: "apps", Version: "v1", Resource: "deployments"}, {Group: "batch", Version: "v1", Resource: "jobs"},
}

// record begins to record; the watches end with ctx.
func record(ctx context.Context, client dynamic.Interface, namespace, control string) (*recorder, error) {
	r := &recorder{
		ctx: ctx, client: client, seen: map[string][]sighting{}, latest: map[string]sighting{},
		changed: make(chan struct{}),
	}
	for _, resource := range slices.Concat(resources, []schema.GroupVersionResource{applications}) {
		ns := namespace
		if resource == applications {
			ns = control
		}
		c := client.Resource(resource).Namespace(ns)
		list, err := c.List(ctx, metav1.ListOptions{})
		if err != nil {
			return nil, err
		}
		r.done.Go(func() { r.follow(c, list.GetResourceVersion()) })
	}
	return r, nil
}

// follow watches one kind until ctx ends.
func (r *recorder) follow(c dynamic.ResourceInterface, from string) {
	for r.ctx.Err() == nil {
		w, err := c.Watch(r.ctx, metav1.ListOptions{ResourceVersion: from, AllowWatchBookmarks: true})
		if err == nil {
			from, err = r.drain(w, from)
		}
		if err != nil && r.ctx.Err() == nil {
			r.mu.Lock()
			r.err = fmt.Errorf("what the cluster saw is not known: %w", err)
			r.wake()
			r.mu.Unlock()
			return
		}
	}
}

// drain notes what a watch tells until it ends, and returns where to go on.
func (r *recorder) drain(w watch.Interface, from string) (string, error) {
	defer w.Stop()
	for e := range w.ResultChan() {
		u, ok := e.Object.(*unstructured.Unstructured)
		if !ok || e.Type == watch.Error {
			return from, fmt.Errorf("a watch broke: %v", e.Object)
		}
		from = u.GetResourceVersion()
		if e.Type != watch.Bookmark {
			r.note(u, e.Type == watch.Deleted)
		}
	}
	return from, nil
}

// wake lets those go on that wait for an event. The lock is held.
func (r *recorder) wake() {
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *recorder) note(u *unstructured.Unstructured, gone bool) {
	app, _, _ := strings.Cut(u.GetName(), "-")
	if u.GetKind() != "Application" && u.GetAnnotations()[thingKey] == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.latest[key(u.GetKind(), u.GetName())] = sighting{u, gone}
	r.seen[app] = append(r.seen[app], sighting{u, gone})
	r.count++
	r.wake()
}

// history returns what was seen of an application, in the order of the store.
func (r *recorder) history(app string, commitOf func(sha string) int) ([]event, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return nil, r.err
	}
	var out []event
	for _, s := range r.seen[app] {
		e, err := read(s.object, s.gone, commitOf)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	slices.SortStableFunc(out, func(a, b event) int { return int(a.revision) - int(b.revision) })
	return out, nil
}

// await waits until something holds of what was recorded; it is asked under the lock.
func (r *recorder) await(ctx context.Context, holds func() bool) error {
	for {
		r.mu.Lock()
		ok, err, changed := holds(), r.err, r.changed
		r.mu.Unlock()
		if ok || err != nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// whole waits until what was recorded is what the cluster has now.
func (r *recorder) whole(ctx context.Context, namespace string) error {
	now := map[string]uint64{}
	for _, resource := range resources {
		list, err := r.client.Resource(resource).Namespace(namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		for _, u := range list.Items {
			if u.GetAnnotations()[thingKey] != "" {
				now[key(u.GetKind(), u.GetName())] = revision(&u)
			}
		}
	}
	return r.await(ctx, func() bool {
		for name, last := range now {
			if seen := r.latest[name]; seen.object == nil || revision(seen.object) < last {
				return false
			}
		}
		for name, seen := range r.latest {
			if seen.object.GetKind() != "Application" && !seen.gone && now[name] == 0 {
				return false
			}
		}
		return true
	})
}

func revision(u *unstructured.Unstructured) uint64 {
	return parse(u.GetResourceVersion())
}

func parse(version string) uint64 {
	n, _ := strconv.ParseUint(version, 10, 64)
	return n
}
