// SPDX-License-Identifier: Apache-2.0

package application

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
)

// sweepTimeout bounds the last look for objects before a finalizer is dropped; it is tried again after that.
const sweepTimeout = time.Minute

func isResourcesFinalizer(name string) bool {
	return name == v1alpha1.ResourcesFinalizerName || strings.HasPrefix(name, v1alpha1.ResourcesFinalizerName+"/")
}

// cascadeOf returns how objects are deleted with their Application, and whether they are at all.
func cascadeOf(finalizers []string) (metav1.DeletionPropagation, bool) {
	if slices.Contains(finalizers, v1alpha1.BackgroundPropagationFinalizer) {
		return metav1.DeletePropagationBackground, true
	}
	return metav1.DeletePropagationForeground, slices.ContainsFunc(finalizers, isResourcesFinalizer)
}

// cascade deletes the application's objects, the last in apply order first, and reports whether none is left.
func (p *pass) cascade(ctx context.Context, c *cluster.Cluster) (bool, error) {
	if p.awaitsNews(ctx) {
		return false, nil
	}
	left, err := p.remaining(ctx, c)
	if err != nil {
		return false, err
	}
	if len(left) == 0 {
		return p.nothingLeft(ctx, c)
	}
	propagation, _ := cascadeOf(p.app.Finalizers)
	return false, p.deleteNext(ctx, c, left, propagation)
}

// awaitsNews reports whether another application may be about to take over what would be deleted: one that has news of its
// sources and was not looked at since. That keeps a deletion waiting only for so long.
func (p *pass) awaitsNews(ctx context.Context) bool {
	if p.Clock.Since(p.app.DeletionTimestamp.Time) > letGoPatience {
		return false
	}
	// What this application knows of its sources is of before it was deleted. If it has a parent, what that was synced to since is
	// what the others have to know.
	late, err := p.late(ctx, cmp.Or(p.parent(ctx, p.st.id), p.st.id))
	if err != nil || late == "" {
		return false
	}
	p.requeue(letGoEvery)
	return true
}

// nothingLeft looks once more, at every kind there is, before the last trace of the application goes.
func (p *pass) nothingLeft(ctx context.Context, c *cluster.Cluster) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, sweepTimeout)
	defer cancel()
	inventory, err := c.Sweep(ctx)
	if err != nil {
		return false, err
	}
	if !inventory.Complete {
		return false, fmt.Errorf("the cluster's objects are not all known: %s", inventory.Reason)
	}
	if err := p.allSeen(ctx, c); err != nil {
		return false, err
	}
	left, err := p.remaining(ctx, c)
	return len(left) == 0, err
}

// allSeen returns an error if of an object that the status names nobody can tell whether it is there: its kind cannot be
// listed, is left out for want of rights, or is of an API group that does not answer.
func (p *pass) allSeen(ctx context.Context, c *cluster.Cluster) error {
	var kinds []schema.GroupVersionKind
	for _, r := range p.app.Status.Resources {
		kinds = append(kinds, schema.GroupVersionKind{Group: r.Group, Version: r.Version, Kind: r.Kind})
	}
	if err := c.Wait(ctx, kinds...); err != nil {
		return fmt.Errorf("list the kinds of the application's objects: %w", err)
	}
	return unseen(p.app.Status.Resources, beyond(c), func(key object.Key) cluster.Live { return c.Get(ctx, key, "") })
}

// doomed is an object that goes with its application.
type doomed struct {
	key  object.Key
	wave int
	live cluster.Live
	keep func(*unstructured.Unstructured) error // asked of a newer version, should it have changed
}

// remaining returns the objects that still have to go: those that carry the application's mark, without those that
// stay by rule (CustomResourceDefinitions, the application itself, objects the project does not permit, and those that ask
// to be kept).
func (p *pass) remaining(ctx context.Context, c *cluster.Cluster) ([]doomed, error) {
	project, _, err := p.projectOf(ctx, p.app)
	if err != nil {
		return nil, err
	}
	options, _ := plan.ParseOptions(syncOptions(p.app))
	dest := destinationOf(p.app, c)
	keep := func(u *unstructured.Unstructured) error {
		if of, _ := options.For(u); of.Delete == plan.DeleteNever || of.Delete == plan.DeleteConfirmed && !p.deletionApproved() {
			return fmt.Errorf("%s asks to be kept by now", object.KeyOf(u))
		}
		return nil
	}
	var left []doomed
	for _, key := range c.Owned(p.st.id) {
		live := c.Get(ctx, key, "")
		switch live.Presence {
		case cluster.Unknown:
			return nil, fmt.Errorf("whether %s still exists is not known: %s", key, live.Reason)
		case cluster.Absent:
			continue
		}
		if live.Owner != p.st.id || p.staysBehind(key, dest) || p.claimant(ctx, dest.Server, key, p.st.id) != "" {
			continue // the last: another application takes it over once this one is gone
		}
		if project.Object(key, key.Namespace != "", access.Cluster{Server: dest.Server, Name: dest.Name}) != nil {
			continue
		}
		of, _ := options.For(live.Object)
		if of.Delete == plan.DeleteNever {
			continue
		}
		if of.Delete == plan.DeleteConfirmed && !p.deletionApproved() {
			return nil, fmt.Errorf("%s asks for a confirmation before it is deleted (Delete=confirm): set the annotation %s on the Application to the present time",
				key, v1alpha1.AnnotationDeletionApproved)
		}
		wave, _ := plan.WaveOf(live.Object)
		left = append(left, doomed{key, wave, live, keep})
	}
	slices.SortFunc(left, func(a, b doomed) int {
		return cmp.Or(cmp.Compare(b.wave, a.wave), object.CompareForApply(b.key, a.key))
	})
	return left, nil
}

func (p *pass) staysBehind(key object.Key, dest access.Destination) bool {
	if key.Group == "apiextensions.k8s.io" && key.Kind == "CustomResourceDefinition" {
		return true
	}
	self := p.keyOf(p.st.id)
	return key == self && dest.Server == v1alpha1.KubernetesInternalAPIServerAddr
}

// deletionApproved reports whether a person confirmed after the deletion was asked for.
func (p *pass) deletionApproved() bool {
	at, err := time.Parse(time.RFC3339, p.app.Annotations[v1alpha1.AnnotationDeletionApproved])
	return err == nil && at.After(p.app.DeletionTimestamp.Time)
}

// deleteNext deletes the objects of the highest place in the order, and leaves the others until those are gone: the highest
// wave first, and in a wave what uses something before what it uses.
func (p *pass) deleteNext(ctx context.Context, c *cluster.Cluster, left []doomed, propagation metav1.DeletionPropagation) error {
	ctx, err := p.identityOn(c)(ctx)
	if err != nil {
		return err
	}
	var failures []error
	for _, d := range p.dependentsFirst(highest(left)) {
		if d.live.Deleting {
			failures = append(failures, releaseHook(ctx, c, d.key, d.live))
			continue
		}
		failures = append(failures, c.Delete(ctx, d.key, cluster.DeleteOptions{UID: d.live.UID, ResourceVersion: d.live.ResourceVersion,
			Owner: p.st.id, Check: d.keep, Propagation: propagation}))
	}
	return errors.Join(failures...)
}

// highest returns the objects that go first, of a list in the order in which they go.
func highest(left []doomed) []doomed {
	i := slices.IndexFunc(left, func(d doomed) bool {
		return d.wave != left[0].wave || object.KindOrder(d.key.Kind) != object.KindOrder(left[0].key.Kind)
	})
	if i < 0 {
		return left
	}
	return left[:i]
}
