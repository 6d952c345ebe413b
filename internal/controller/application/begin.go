// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/event"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
	"github.com/bowline-cd/bowline/internal/sync"
)

// begin runs an operation beside the reconciler, which is woken when it ends.
func (p *pass) begin(op *operation) {
	root := p.root.Load()
	if root == nil {
		return
	}
	p.st.triedDigest, p.st.triedEpoch, p.st.strayed = op.state.Digest, p.st.epoch, false
	op.ctx, op.cancel = context.WithCancelCause(*root)
	op.place.slots = p.slots
	p.st.running = op
	p.watchKinds(op.work)
	p.publish(event.OperationStarted, false, p.describeStart(op))
	p.tellOverride(*root, op)
	target := clusterTarget{c: p.cluster, as: p.identityOn(p.cluster), letGo: func(key object.Key) error { return p.letGo(op.ctx, p.st.id, op.server, key) }}
	go p.perform(op, target, p.syncOptions(*root, op))
}

func (p *pass) describeStart(op *operation) string {
	text := "sync to " + describeCommits(op.state.Commits) + " started"
	if p.takesOver {
		text += ": " + op.record.Message
	}
	return text
}

// watchKinds makes sure that the kinds of a plan's hooks are watched, be they of another revision than the one that is compared.
func (p *pass) watchKinds(work plan.Plan) {
	for _, s := range work.Steps() {
		if s.Action == plan.Run {
			p.cluster.Watch(s.Desired.GroupVersionKind())
		}
	}
}

// perform carries out the work and hands over the outcome. It runs beside the reconciler and touches nothing of the pass
// or the state but what is made for that.
func (p *pass) perform(op *operation, target sync.Target, options sync.Options) {
	defer op.cancel(nil)
	result := sync.Result{Phase: v1alpha1.OperationError, Message: "stopped before it began", Stopped: true, Retryable: true}
	if op.place.take(op.ctx) == nil {
		defer op.place.leave()
		op.begunAt.Store(p.Clock.Now().UnixNano())
		result = survive(p.log, func() sync.Result { return sync.Run(op.ctx, op.work, target, options) })
	}
	p.st.finish(outcome{op: op, result: result, cause: context.Cause(op.ctx)})
	p.Enqueue(p.st.id)
}

// survive has a run that panics end as one that failed: it would take all other applications along, and again each time that a new
// process went on with it.
func survive(log *slog.Logger, run func() sync.Result) (result sync.Result) {
	defer func() {
		if v := recover(); v != nil {
			log.Error("a sync panicked", "panic", v, "stack", string(debug.Stack()))
			result = sync.Result{Phase: v1alpha1.OperationError, Message: "a bug of Bowline ended it; the log of the controller has the stack"}
		}
	}()
	return run()
}

// publish tells whoever listens.
func (p *pass) publish(reason event.Reason, failed bool, message string) {
	user := ""
	if state := p.next.Status.OperationState; state != nil && !state.Operation.InitiatedBy.Automated {
		user = state.Operation.InitiatedBy.Username
	}
	p.Bus.Publish(event.Record{
		At: p.Clock.Now(), Reason: reason, Failed: failed, App: types.NamespacedName{Namespace: p.app.Namespace, Name: p.app.Name},
		UID: p.app.UID, User: user, Message: message,
	})
}

// tell publishes what the written status says is new.
func (p *pass) tell(written *v1alpha1.Application) {
	before, after := &p.app.Status, &written.Status
	if before.Sync.Status != after.Sync.Status {
		p.publish(event.ResourceUpdated, false, fmt.Sprintf("Updated sync status: %s -> %s", before.Sync.Status, after.Sync.Status))
	}
	if before.Health.Status != after.Health.Status {
		p.publish(event.ResourceUpdated, false, fmt.Sprintf("Updated health status: %s -> %s", before.Health.Status, after.Health.Status))
	}
	if p.unheld != "" {
		p.publish(event.ResourceUpdated, false, "Hold ended: "+p.unheld)
	}
	state := after.OperationState
	if !p.finished || state == nil || !state.Phase.Completed() {
		return
	}
	p.publish(event.OperationCompleted, !state.Phase.Successful(), fmt.Sprintf("sync %s: %s", state.Phase, state.Message))
	p.Metrics.Synced(SyncEnded{
		Namespace: p.app.Namespace, Name: p.app.Name, Project: desired.ProjectOf(p.app), Server: p.app.Spec.Destination.Server,
		Phase: state.Phase, DryRun: isDryRun(state.Operation), Seconds: p.now.Sub(state.StartedAt.Time).Seconds(),
	})
}

// syncOptions says how the work is carried out. It also gathers, in op, what the cluster makes of each object.
func (p *pass) syncOptions(root context.Context, op *operation) sync.Options {
	s := p.rules.Settings
	customs := p.customs.of(p.rules, p.Log)
	return sync.Options{
		App: p.st.id, Permit: p.permitter(op.ctx), Adopt: p.adopt(), Automated: op.automated(), Attempt: op.spec.Sync.SelfHealAttemptsCount,
		DryRun: op.spec.Sync.DryRun, Rules: p.st.ignore, Clock: p.Clock, Images: imagesOf,
		Health: p.rules.Health, Tracker: s.Tracker,
		Schema: func(ctx context.Context, gvk schema.GroupVersionKind) (*diff.Schema, error) {
			return p.schemas.get(ctx, p.cluster, gvk, customs.knownTypes(gvk.GroupKind()))
		},
		Learn:     op.learn,
		Operation: op.name, Before: op.before, Record: p.recorder(root, p.st.id, op), Hold: op.hold, Rest: op.place.rest, Changed: p.st.listen(),
		Blocked:    p.blocked(root, op),
		HealthWait: s.WaveTimeout, HookWait: s.HookTimeout, WaveDelay: s.WaveDelay,
	}
}

// permitter asks the project as it is when an object is written or deleted, which may be long after the plan was made.
func (p *pass) permitter(ctx context.Context) func(key object.Key, namespaced bool) error {
	ctx = context.WithoutCancel(ctx) // the end of the operation is no answer of the project
	cfg := p.cluster.Config()
	return func(key object.Key, namespaced bool) error {
		project, _, err := p.projectOf(ctx, p.app)
		if err != nil {
			return err
		}
		return project.Object(key, namespaced, access.Cluster{Server: cfg.Server, Name: cfg.Name})
	}
}

// learn notes what the cluster made of an object. It is called from several goroutines.
func (o *operation) learn(l sync.Learned) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.learned = append(o.learned, l)
}

// adopt returns the field managers whose fields are taken over from earlier writers.
func (p *pass) adopt() []string {
	options, _ := plan.ParseOptions(syncOptions(p.app))
	return options.Adopt(p.app)
}
