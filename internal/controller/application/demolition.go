// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	stdsync "sync"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/plan"
	"github.com/bowline-cd/bowline/internal/sync"
)

// demolitionRun is a run of hooks that goes on beside the reconciler while an application is being deleted.
type demolitionRun struct {
	name   string // of the operation
	hook   v1alpha1.HookType
	cancel context.CancelCauseFunc
	events chan struct{}

	mu      stdsync.Mutex
	message string
	result  *sync.Result // nil while it goes on
}

// changed tells the run that an object may have changed.
func (r *demolitionRun) changed() {
	select {
	case r.events <- struct{}{}:
	default:
	}
}

// state returns how the run ended, or what it does.
func (r *demolitionRun) state() (ended *sync.Result, message string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.result, r.message
}

func (r *demolitionRun) say(message string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.message = message
}

func (r *demolitionRun) end(result sync.Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.result = &result
}

// startHooks begins a run. It holds no place among those that work: it has little to do but to wait.
func (p *pass) startHooks(c *cluster.Cluster, t v1alpha1.HookType, name string, work plan.Plan) {
	root := p.root.Load()
	if root == nil {
		return
	}
	ctx, cancel := context.WithCancelCause(*root)
	run := &demolitionRun{name: name, hook: t, cancel: cancel, events: make(chan struct{}, 1), message: "begins with its " + string(t) + " hooks"}
	p.st.demolition = run
	target, options := clusterTarget{c: c, as: p.identityOn(c)}, p.hookOptions(ctx, c, run)
	go func() {
		defer cancel(nil)
		for _, step := range work.Steps() {
			_ = c.Wait(ctx, step.Desired.GroupVersionKind()) // so that its events come; the run asks otherwise
		}
		run.end(survive(p.log, func() sync.Result { return sync.Run(ctx, work, target, options) }))
		p.Enqueue(p.st.id)
	}()
}

// hookOptions says how the hooks of a deletion are run.
func (p *pass) hookOptions(ctx context.Context, c *cluster.Cluster, run *demolitionRun) sync.Options {
	customs, s := p.customs.of(p.rules, p.Log), p.rules.Settings
	return sync.Options{
		App: p.st.id, Permit: p.permitter(ctx), Adopt: p.adopt(), Clock: p.Clock, Health: p.rules.Health, Tracker: s.Tracker,
		Operation: run.name, KeepHooks: true, Changed: run.events, HookWait: s.HookTimeout, HealthWait: s.WaveTimeout, WaveDelay: s.WaveDelay,
		Schema: func(ctx context.Context, gvk schema.GroupVersionKind) (*diff.Schema, error) {
			return p.schemas.get(ctx, c, gvk, customs.knownTypes(gvk.GroupKind()))
		},
		Record: func(_ context.Context, progress sync.Progress, _ bool) error {
			run.say(progress.Message)
			p.Enqueue(p.st.id)
			return nil
		},
	}
}
