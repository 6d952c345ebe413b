// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cluster"
)

// deleteAgain is how soon a deletion that waits for objects to go is looked at again if no event comes.
const deleteAgain = 5 * time.Second

// delete carries out the finalizers of an Application that is being deleted.
func (p *pass) delete(ctx context.Context) error {
	p.refresh = v1alpha1.RefreshType(p.app.Annotations[v1alpha1.AnnotationKeyRefresh])
	p.st.comparer.Store(nil)      // each event is to lead to the next step
	p.st.takeDirty(p.Clock.Now()) // and none is to be taken for one that waits already
	if p.st.running != nil {
		p.st.running.abandon()
		if p.st.takeFinished() == nil {
			p.requeue(time.Second)
			return nil
		}
		p.st.running = nil
	}
	if !p.acts {
		return nil
	}
	p.takeApart(ctx)
	return p.write(ctx)
}

// demolition is one step of a deletion.
type demolition struct {
	asked func(finalizer string) bool
	// do takes the step as far as it goes now, and reports whether it is done.
	do func(p *pass, ctx context.Context, c *cluster.Cluster) (bool, error)
}

// demolitions are the steps in their order. Each is asked for by a finalizer, which is dropped when it is done: the finalizers
// that are left are all that another process needs to go on.
var demolitions = []demolition{
	{only(v1alpha1.PreDeleteFinalizerName), hooksOf(v1alpha1.HookTypePreDelete)},
	{only(v1alpha1.PreDeleteFinalizerCleanupName), cleanUpOf(v1alpha1.HookTypePreDelete)},
	{isResourcesFinalizer, (*pass).cascade},
	{only(v1alpha1.PostDeleteFinalizerName), hooksOf(v1alpha1.HookTypePostDelete)},
	{only(v1alpha1.PostDeleteFinalizerCleanupName), cleanUpOf(v1alpha1.HookTypePostDelete)},
}

func only(name string) func(string) bool {
	return func(finalizer string) bool { return finalizer == name }
}

// takeApart takes the next step, and drops its finalizer when it is done. Applications that depend on this one go first.
func (p *pass) takeApart(ctx context.Context) {
	i := slices.IndexFunc(demolitions, func(d demolition) bool { return slices.ContainsFunc(p.app.Finalizers, d.asked) })
	if i < 0 {
		return
	}
	done, err := p.demolish(ctx, demolitions[i])
	switch {
	case err != nil:
		p.found.add(v1alpha1.ApplicationConditionDeletionError, err.Error())
		p.requeue(p.failures.next(p.st.id))
	case !done:
		p.requeue(deleteAgain)
	default:
		p.failures.forget(p.st.id)
		p.next.Finalizers = slices.DeleteFunc(p.next.Finalizers, demolitions[i].asked)
		p.guard = true
		p.requeue(time.Millisecond) // our own write is no news
	}
}

// demolish takes a step on the application's cluster. A destination that nobody has configured has nothing that could be
// deleted, and nothing that a hook could do: the Application may go, as in Argo CD.
func (p *pass) demolish(ctx context.Context, d demolition) (done bool, err error) {
	if why, err := p.awaitsDependents(ctx); err != nil || why != "" {
		p.waitsFor(why)
		return false, err
	}
	if dest := p.app.Spec.Destination; dest.Server == "" && dest.Name == "" {
		return true, nil // it never went anywhere
	}
	c, err := p.Clusters.Find(p.app.Spec.Destination)
	if errors.Is(err, ErrNoSuchCluster) {
		p.log.Warn("deleting an application whose cluster is not configured: its objects, if any, stay", "error", err)
		return true, nil
	}
	if err != nil {
		return false, err
	}
	if link := c.Connection(); !link.Connected {
		if p.Clock.Since(link.Since) < connectGrace {
			return false, nil
		}
		return false, deadCluster(c, link)
	}
	p.cluster = c
	p.st.place(c.Config().Server, nil)
	return d.do(p, ctx, c)
}

// waitsFor says on the Application what its deletion waits for.
func (p *pass) waitsFor(what string) {
	if what != "" {
		p.found.add(v1alpha1.ApplicationConditionDeletionWarning, what)
	}
}

func syncOptions(app *v1alpha1.Application) v1alpha1.SyncOptions {
	if app.Spec.SyncPolicy == nil {
		return nil
	}
	return app.Spec.SyncPolicy.SyncOptions
}
