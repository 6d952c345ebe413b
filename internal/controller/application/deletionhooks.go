// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
)

// Hooks of a deletion have no operation with a record. What they need after a crash is in the cluster: the finalizers of the
// Application say which step is under way, and the objects of its hooks, which name it, say how far it is. So these keep
// their finalizer until the Application's own is gone, and are cleaned up by a step of its own.

// deletionHooks are the finalizers that each type of hook asks for.
var deletionHooks = map[v1alpha1.HookType][]string{
	v1alpha1.HookTypePreDelete:  {v1alpha1.PreDeleteFinalizerName, v1alpha1.PreDeleteFinalizerCleanupName},
	v1alpha1.HookTypePostDelete: {v1alpha1.PostDeleteFinalizerName, v1alpha1.PostDeleteFinalizerCleanupName},
}

// keepFinalizers gives the Application the finalizers that the hooks in its source ask for, and takes away those that no hook
// asks for any more. While the newest desired state is not known nothing is taken away.
func (p *pass) keepFinalizers() {
	if p.state == nil {
		return
	}
	asked := map[string]bool{}
	for _, o := range p.state.Objects {
		if !o.Hook || o.Refused != nil {
			continue
		}
		hooks, _ := plan.Hooks(o.Rendered())
		for _, t := range hooks {
			for _, name := range deletionHooks[t] {
				asked[name] = true
			}
		}
	}
	for _, name := range slices.Concat(deletionHooks[v1alpha1.HookTypePreDelete], deletionHooks[v1alpha1.HookTypePostDelete]) {
		switch has := slices.Contains(p.next.Finalizers, name); {
		case asked[name] && !has:
			p.next.Finalizers = append(p.next.Finalizers, name)
			p.guard = true
		case has && !asked[name] && !p.unreachable && p.allHooksKnown():
			p.next.Finalizers = slices.DeleteFunc(p.next.Finalizers, only(name))
			p.guard = true
		}
	}
}

// allHooksKnown reports whether the project permits every hook that the source has.
func (p *pass) allHooksKnown() bool {
	for _, o := range p.state.Objects {
		if o.Hook && o.Refused != nil {
			return false
		}
	}
	return true
}

// hooksOf is the step that runs the hooks of a type.
func hooksOf(t v1alpha1.HookType) func(*pass, context.Context, *cluster.Cluster) (bool, error) {
	return func(p *pass, ctx context.Context, c *cluster.Cluster) (bool, error) { return p.runHooks(ctx, c, t) }
}

// cleanUpOf is the step that cleans up after the hooks of a type.
func cleanUpOf(t v1alpha1.HookType) func(*pass, context.Context, *cluster.Cluster) (bool, error) {
	return func(p *pass, ctx context.Context, c *cluster.Cluster) (bool, error) { return p.cleanUpHooks(ctx, c, t) }
}

// runHooks has the hooks of a type run beside the reconciler, and reports whether all have succeeded. Which they are is read
// from the source each time: a newer commit may mend one that failed.
func (p *pass) runHooks(ctx context.Context, c *cluster.Cluster, t v1alpha1.HookType) (bool, error) {
	if run := p.st.demolition; run != nil {
		return p.followRun(ctx, c, run)
	}
	work, err := p.planHooks(ctx, t)
	if err != nil || len(work.Phases) == 0 {
		return err == nil, err
	}
	name := operationOfDeletion(p.app, t) + string(work.Digest())[:8]
	if failed := p.st.hookFailure; failed != nil && failed.name == name && p.standsAs(ctx, c, failed) {
		return false, failed.err
	}
	p.st.hookFailure = nil
	p.startHooks(c, t, name, work)
	p.waitsFor(fmt.Sprintf("runs its %s hooks", t))
	return false, nil
}

// operationOfDeletion begins the name that hooks of this deletion have on their objects.
func operationOfDeletion(app *v1alpha1.Application, t v1alpha1.HookType) string {
	return fmt.Sprintf("%d-0-%s-", app.DeletionTimestamp.Unix(), strings.ToLower(string(t)))
}

// planHooks finds out which hooks of a type there are.
func (p *pass) planHooks(ctx context.Context, t v1alpha1.HookType) (plan.Plan, error) {
	p.admit(ctx)
	p.want(ctx)
	if p.state == nil || !p.permitted() {
		why := p.found.text(v1alpha1.ApplicationConditionInvalidSpecError) + p.found.text(v1alpha1.ApplicationConditionComparisonError)
		return plan.Plan{}, fault.New(fault.Wait, "run", fmt.Sprintf("the %s hooks of application %s", t, p.app.Name), "", why,
			"correct that, or give them up: take the finalizer "+deletionHooks[t][0]+" away")
	}
	return p.hookPlan(t)
}

// hookPlan makes the plan of the hooks of a type that are desired.
func (p *pass) hookPlan(t v1alpha1.HookType) (plan.Plan, error) {
	in := plan.Input{
		App: p.st.id, Self: p.keyOf(p.st.id), Namespace: p.app.Spec.Destination.Namespace, Options: syncOptions(p.app),
		StartedAt: p.app.DeletionTimestamp.Time,
	}
	for _, o := range p.state.Objects {
		if o.Hook {
			in.Items = append(in.Items, plan.Item{Key: o.Key, Desired: o.Decode(), Origin: o.Origin})
		}
	}
	work, err := plan.DeletionPlan(in, t)
	if err != nil {
		return plan.Plan{}, err
	}
	// Generated names change with what the hooks are, and not with each commit: another name would be another run.
	in.Revision = string(work.Digest())
	return plan.DeletionPlan(in, t)
}

// followRun returns how the run that is under way goes, or went.
func (p *pass) followRun(ctx context.Context, c *cluster.Cluster, run *demolitionRun) (bool, error) {
	run.changed()
	result, message := run.state()
	if result == nil {
		p.waitsFor(message)
		return false, nil
	}
	p.st.demolition = nil
	switch {
	case result.Phase == v1alpha1.OperationSucceeded:
		return true, nil
	case result.Stopped:
		return false, nil
	}
	failed := &hookFailure{name: run.name, since: p.Clock.Now(), err: fault.New(fault.Wait, "delete", "application "+p.app.Name, "",
		fmt.Sprintf("its %s hooks failed: %s", run.hook, result.Message),
		"mend them in the source, or delete the object of a hook that failed to have it run again")}
	for _, res := range result.Resources {
		if res.HookPhase == v1alpha1.OperationFailed || res.HookPhase == v1alpha1.OperationError {
			failed.hooks = append(failed.hooks, object.Key{Group: res.Group, Kind: res.Kind, Namespace: res.Namespace, Name: res.Name})
		}
	}
	p.st.hookFailure = failed
	p.standsAs(ctx, c, failed)
	p.requeue(time.Millisecond) // the source may have mended them meanwhile
	return false, failed.err
}

// hookFailure is how the hooks of a deletion failed.
type hookFailure struct {
	name  string // of the run
	err   error
	since time.Time
	hooks []object.Key // that failed
}

// hookRetry is how soon a run is tried again that did not come to make its hooks.
const hookRetry = 30 * time.Second

// standsAs reports whether a failure is still what it was: each hook that failed is there as it ended, or, if none was even
// made, not much time has passed. It lets go of the objects, so that a person may delete one to have its hook run again.
func (p *pass) standsAs(ctx context.Context, c *cluster.Cluster, failed *hookFailure) bool {
	made := 0
	for _, key := range failed.hooks {
		live := c.Get(ctx, key, "")
		if live.Presence == cluster.Absent {
			return false
		}
		if live.Presence == cluster.Present && strings.HasPrefix(live.Object.GetAnnotations()[v1alpha1.AnnotationOperation], failed.name) {
			made++
			if err := p.release(ctx, c, key, live); err != nil {
				p.log.Warn("a hook that failed keeps its finalizer", "hook", key, "error", err)
			}
		}
	}
	left := hookRetry - p.Clock.Since(failed.since)
	if made == 0 {
		p.requeue(left)
	}
	return made > 0 || left > 0
}

// cleanUpHooks lets go of the objects of the hooks of a type that this deletion has run, and deletes those whose policy says
// so: they have all succeeded. It reports whether none is left to be dealt with.
func (p *pass) cleanUpHooks(ctx context.Context, c *cluster.Cluster, t v1alpha1.HookType) (bool, error) {
	if inventory := c.Inventory(); !inventory.Complete {
		p.waitsFor("waits until the cluster's objects are all known: " + inventory.Reason)
		return false, nil
	}
	done := true
	var failures []error
	for _, key := range c.Owned(p.st.id) {
		live := c.Get(ctx, key, "")
		if live.Presence != cluster.Present || !strings.HasPrefix(live.Object.GetAnnotations()[v1alpha1.AnnotationOperation], operationOfDeletion(p.app, t)) {
			continue
		}
		policies, _ := plan.DeletePolicies(live.Object)
		goes := slices.Contains(policies, v1alpha1.HookDeletePolicyHookSucceeded)
		if !goes && !keptByHook(live) {
			continue
		}
		done = false
		failures = append(failures, p.putAway(ctx, c, key, live, goes))
	}
	return done, errors.Join(failures...)
}

// putAway lets go of the object of a hook, and deletes it if it goes.
func (p *pass) putAway(ctx context.Context, c *cluster.Cluster, key object.Key, live cluster.Live, goes bool) error {
	if err := p.permitter(ctx)(key, key.Namespace != ""); err != nil {
		return err
	}
	if goes && !live.Deleting {
		ctx, err := p.identityOn(c)(ctx)
		if err != nil {
			return err
		}
		return c.Delete(ctx, key, cluster.DeleteOptions{UID: live.UID, ResourceVersion: live.ResourceVersion, Owner: p.st.id})
	}
	return p.release(ctx, c, key, live)
}

func keptByHook(live cluster.Live) bool {
	return slices.Contains(live.Object.GetFinalizers(), v1alpha1.HookFinalizer)
}

// release takes the hook finalizer off an object, on behalf of the application.
func (p *pass) release(ctx context.Context, c *cluster.Cluster, key object.Key, live cluster.Live) error {
	ctx, err := p.identityOn(c)(ctx)
	if err != nil {
		return err
	}
	return releaseHook(ctx, c, key, live)
}

// releaseHook takes the hook finalizer off exactly this version of an object. One that changed or went meanwhile is looked at
// again.
func releaseHook(ctx context.Context, c *cluster.Cluster, key object.Key, live cluster.Live) error {
	if !keptByHook(live) {
		return nil
	}
	left := slices.DeleteFunc(live.Object.GetFinalizers(), only(v1alpha1.HookFinalizer))
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid": live.UID, "resourceVersion": live.ResourceVersion, "finalizers": left,
	}})
	if err != nil {
		return err
	}
	_, err = c.Patch(ctx, live.Object.GroupVersionKind(), key.Namespace, key.Name, types.MergePatchType, patch,
		cluster.WriteOptions{Manager: v1alpha1.FieldManagerHub, Validation: cluster.Ignore})
	if errors.Is(err, cluster.Conflict) || errors.Is(err, cluster.NotFound) {
		return nil
	}
	return err
}
