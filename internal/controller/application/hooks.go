// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/settings"
	"github.com/bowline-cd/bowline/internal/sync"
)

// The objects of hooks carry a finalizer until their end is on record. A try that nobody goes on with leaves some behind:
// they are ended, or let go, here.

// unrecordedHooks returns the objects of hooks that carry the application's mark and the finalizer, and whose try fits.
func (p *pass) unrecordedHooks(ctx context.Context, fits func(try string) bool) (hooks []cluster.Live) {
	if p.cluster == nil {
		return nil
	}
	for _, key := range p.cluster.Owned(p.st.id) {
		live := p.cluster.Get(ctx, key, "")
		if live.Presence != cluster.Present || live.Owner != p.st.id || !slices.Contains(live.Object.GetFinalizers(), v1alpha1.HookFinalizer) {
			continue
		}
		try, _, _ := strings.Cut(live.Object.GetAnnotations()[v1alpha1.AnnotationOperation], "/")
		if try != "" && fits(try) {
			hooks = append(hooks, live)
		}
	}
	return hooks
}

// lookSoon is how soon it is asked again what a cluster holds that a process has only just begun to look at.
const lookSoon = 200 * time.Millisecond

// looks reports whether this process has only just begun to look at the cluster, so that what it does not see may be there.
func (p *pass) looks() bool {
	return p.cluster != nil && p.Clock.Since(p.st.seenAt) < settleTime && (p.waiting != "" || !p.cluster.Inventory().Complete)
}

// hooksRun reports whether hooks of a recorded try run that nobody looks after at the moment, so that nothing may take the
// place of the try before they have ended. Those that have ended by the record, and were only not let go, do not count. known is
// false while that cannot be told yet.
func (p *pass) hooksRun(ctx context.Context, state *v1alpha1.OperationState) (running, known bool) {
	name := infoOf(state.Operation, infoOperation)
	switch {
	case p.takesOver, state.FinishedAt != nil, name == "":
		return false, true
	case p.looks():
		return false, false
	case p.rules.Settings.Supersede == settings.SupersedeEndHooks:
		return false, true
	}
	for _, live := range p.unrecordedHooks(ctx, func(try string) bool { return try == name }) {
		if !endedOnRecord(resultsOf(state), live.Object) {
			running = true
			continue
		}
		if _, err := p.letHookGo(ctx, clusterTarget{c: p.cluster, as: p.identityOn(p.cluster)}, live); err != nil {
			p.log.Warn("let the object of a hook go", "object", object.KeyOf(live.Object), "error", err)
		}
	}
	return running, true
}

// endedOnRecord reports whether the results of a try say that the hook which this object was made for has ended. An object that
// is a hook of several types names the later ones behind its try.
func endedOnRecord(results v1alpha1.ResourceResults, live *unstructured.Unstructured) bool {
	_, hook, named := strings.Cut(live.GetAnnotations()[v1alpha1.AnnotationOperation], "/")
	key := object.KeyOf(live)
	for _, res := range results {
		if res.HookType != "" && (!named || string(res.HookType) == hook) && key == (object.Key{Group: res.Group, Kind: res.Kind, Namespace: res.Namespace, Name: res.Name}) {
			return res.HookPhase.Completed()
		}
	}
	return false
}

// giveUp ends an operation that does not run, and the hooks that its last try left running.
func (p *pass) giveUp(ctx context.Context, state *v1alpha1.OperationState, phase v1alpha1.OperationPhase, message string) {
	if name := infoOf(state.Operation, infoOperation); name != "" {
		if p.looks() {
			p.requeue(lookSoon)
			return
		}
		if err := p.endHooks(ctx, name); err != nil {
			message += "; not all of its hooks could be ended: " + err.Error()
		}
	}
	p.end(phase, message)
}

// endLastHooks ends the hooks that the last try of an operation left running, before a newer revision takes it over. It
// reports false if that is to be tried again.
func (p *pass) endLastHooks(ctx context.Context, state *v1alpha1.OperationState) bool {
	name := infoOf(state.Operation, infoOperation)
	if name == "" || state.FinishedAt != nil || p.rules.Settings.Supersede != settings.SupersedeEndHooks {
		return true // by other settings none runs now
	}
	if p.looks() {
		p.requeue(lookSoon)
		return false
	}
	if err := p.endHooks(ctx, name); err != nil {
		p.log.Warn("end the hooks of a try that is superseded", "try", name, "error", err)
		p.requeue(connectGrace)
		return false
	}
	return true
}

// endHooks deletes the objects of hooks that a try left without an end on record.
func (p *pass) endHooks(ctx context.Context, try string) error {
	var failures []error
	for _, live := range p.unrecordedHooks(ctx, func(t string) bool { return t == try }) {
		target := clusterTarget{c: p.cluster, as: p.identityOn(p.cluster)}
		let, err := p.letHookGo(ctx, target, live)
		if err == nil && let != nil {
			err = target.Delete(ctx, sync.Deletion{Key: object.KeyOf(let), UID: let.GetUID(), ResourceVersion: let.GetResourceVersion(), Owner: p.st.id,
				Propagation: metav1.DeletePropagationBackground})
		}
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

// letHookGo takes the finalizer off the object of a hook; nil if it is gone.
func (p *pass) letHookGo(ctx context.Context, target clusterTarget, live cluster.Live) (*unstructured.Unstructured, error) {
	key := object.KeyOf(live.Object)
	if err := p.permitter(ctx)(key, key.Namespace != ""); err != nil {
		return nil, err
	}
	left := slices.DeleteFunc(live.Object.GetFinalizers(), func(name string) bool { return name == v1alpha1.HookFinalizer })
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": live.UID, "resourceVersion": live.ResourceVersion, "finalizers": left}})
	if err != nil {
		return nil, err
	}
	answer, err := target.Write(ctx, sync.Write{Method: sync.Patch, Object: live.Object, PatchType: types.MergePatchType, Patch: patch, Manager: v1alpha1.FieldManagerHub})
	if errors.Is(err, cluster.NotFound) {
		return nil, nil
	}
	return answer, err
}

// releaseHooks takes the finalizer off the objects of hooks that somebody deleted and whose try is over.
func (p *pass) releaseHooks(ctx context.Context) {
	state := p.next.Status.OperationState
	if len(p.st.table.sums.leaving) == 0 || p.st.running != nil || !p.permitted() || state != nil && !state.Phase.Completed() {
		return
	}
	for _, live := range p.unrecordedHooks(ctx, func(string) bool { return true }) {
		if !live.Deleting {
			continue
		}
		if _, err := p.letHookGo(ctx, clusterTarget{c: p.cluster, as: p.identityOn(p.cluster)}, live); err != nil {
			p.log.Warn("let the object of a hook go", "object", object.KeyOf(live.Object), "error", err)
			p.requeue(connectGrace)
		}
	}
}
