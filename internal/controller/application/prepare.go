// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
	"github.com/bowline-cd/bowline/internal/settings"
)

// prepare plans one try of an operation and announces it in the next status. What cannot be planned ends the operation.
func (p *pass) prepare(ctx context.Context, spec v1alpha1.Operation, startedAt metav1.Time, retries int64, message string) {
	record := &v1alpha1.OperationState{Operation: spec, Phase: v1alpha1.OperationRunning, Message: message, StartedAt: startedAt, RetryCount: retries}
	p.next.Status.OperationState = record
	if spec.InitiatedBy.Automated {
		record.SyncResult = attemptOf(p.app, spec)
	}
	if why := p.unidentified(ctx); why != "" {
		p.giveUp(ctx, record, v1alpha1.OperationError, why)
		return
	}
	state, err := p.stateFor(ctx, spec)
	if err != nil {
		p.giveUp(ctx, record, v1alpha1.OperationError, err.Error())
		return
	}
	record.SyncResult = syncResult(p.app, spec, state)
	number := tryNumber(spec, retries)
	work, err := p.planTry(ctx, spec, state, startedAt, number)
	if err != nil {
		p.giveUp(ctx, record, v1alpha1.OperationFailed, err.Error())
		return
	}
	work.Notes = append(work.Notes, p.overrideNotes(ctx, spec)...)
	p.st.refused = refusedBy(work)
	op := &operation{spec: spec, record: *record.DeepCopy(), state: state, server: p.target.Server, work: work}
	p.nameTry(op, number)
	record.Operation.Info, record.SyncResult.Resources = op.spec.Info, op.record.SyncResult.Resources
	p.launch = op
}

// stateFor returns what an operation applies: the newest state, or that of the revision it names.
func (p *pass) stateFor(ctx context.Context, spec v1alpha1.Operation) (*desired.State, error) {
	if !p.permitted() {
		return nil, fmt.Errorf("the application may not be synced: %s", p.found.text(v1alpha1.ApplicationConditionInvalidSpecError))
	}
	if len(spec.Sync.Manifests) > 0 {
		return p.localState(ctx, spec)
	}
	sources := operationSources(p.app, spec)
	for _, s := range sources {
		if err := p.project.Source(s.RepoURL); err != nil {
			return nil, err // an operation may bring sources of its own
		}
	}
	pinned := pinnedRevisions(spec)
	if p.state != nil && spec.Sync.Source == nil && len(spec.Sync.Sources) == 0 && p.names(pinned) {
		return p.state, p.comparisonError()
	}
	if len(pinned) == 0 && spec.Sync.Source == nil && len(spec.Sync.Sources) == 0 {
		if err := p.comparisonError(); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("what is desired is not known")
	}
	return p.Engine.At(ctx, p.st.id, desired.ProjectOf(p.app), sources, pinned, p.target)
}

// comparisonError is what ends an operation at its start, unless it says only that the source is unreachable.
func (p *pass) comparisonError() error {
	if p.unreachable && p.state != nil {
		return nil
	}
	if text := p.found.text(v1alpha1.ApplicationConditionComparisonError); text != "" {
		return fmt.Errorf("the application cannot be compared: %s", text)
	}
	return nil
}

func operationSources(app *v1alpha1.Application, spec v1alpha1.Operation) []v1alpha1.ApplicationSource {
	switch {
	case len(spec.Sync.Sources) > 0:
		return spec.Sync.Sources
	case spec.Sync.Source != nil:
		return []v1alpha1.ApplicationSource{*spec.Sync.Source}
	default:
		return desired.SourcesOf(app)
	}
}

func pinnedRevisions(spec v1alpha1.Operation) []string {
	if len(spec.Sync.Revisions) > 0 {
		return spec.Sync.Revisions
	}
	if spec.Sync.Revision != "" {
		return []string{spec.Sync.Revision}
	}
	return nil
}

// names reports whether revisions that an operation names are those of the newest state, by commit or by the words of
// the spec; none names the newest.
func (p *pass) names(revisions []string) bool {
	if len(revisions) == 0 {
		return true
	}
	if len(revisions) != len(p.state.Commits) {
		return false
	}
	for i, r := range revisions {
		c := p.state.Commits[i]
		if r != "" && r != c.ID && r != c.Revision {
			return false
		}
	}
	return true
}

// attemptOf names what an automated operation is about before its state is known: should it end without one, then that
// revision was tried, and not every one to come.
func attemptOf(app *v1alpha1.Application, spec v1alpha1.Operation) *v1alpha1.SyncOperationResult {
	r := &v1alpha1.SyncOperationResult{Revision: spec.Sync.Revision, Revisions: spec.Sync.Revisions}
	if sources := operationSources(app, spec); len(app.Spec.Sources) > 0 || len(spec.Sync.Sources) > 0 {
		r.Sources = slices.Clone(sources)
	} else if len(sources) > 0 {
		r.Source = sources[0]
	}
	return r
}

func syncResult(app *v1alpha1.Application, spec v1alpha1.Operation, state *desired.State) *v1alpha1.SyncOperationResult {
	r := attemptOf(app, spec)
	r.Revision, r.Revisions = state.Revision(len(r.Sources) > 0)
	switch last := app.Status.OperationState; {
	case isDryRun(spec) && last != nil && last.SyncResult != nil:
		r.ManagedNamespaceMetadata = last.SyncResult.ManagedNamespaceMetadata // what the namespace still has
	case app.Spec.SyncPolicy != nil && !isDryRun(spec):
		r.ManagedNamespaceMetadata = app.Spec.SyncPolicy.ManagedNamespaceMetadata.DeepCopy()
	}
	return r
}

// plan turns a state and the rows into ordered work, as an operation that began now would.
func (p *pass) plan(ctx context.Context, spec v1alpha1.Operation, state *desired.State) (plan.Plan, error) {
	return p.planTry(ctx, spec, state, p.now, 0)
}

// planTry turns a state and the rows into the ordered work of one try, with deletions that a person has to approve held back.
func (p *pass) planTry(ctx context.Context, spec v1alpha1.Operation, state *desired.State, startedAt metav1.Time, number int64) (plan.Plan, error) {
	in := plan.Input{
		App: p.st.id, Self: p.keyOf(p.st.id),
		Namespace: p.app.Spec.Destination.Namespace, Options: operationOptions(p.app, spec), Items: p.items(ctx, state),
		Prune: spec.Sync.Prune, Force: isForced(spec.Sync.SyncStrategy), Selection: spec.Sync.Resources,
		KeepSame: spec.InitiatedBy.Automated, TakeShared: p.rules.Settings.SharedResources == settings.SharedTake,
		NoHooks: withoutHooks(spec), ReplaceForbidden: p.replaceForbidden(spec),
		StartedAt: startedAt.Time, Try: number,
	}
	if len(state.Commits) > 0 {
		in.Revision = state.Commits[0].ID
	}
	if p.app.Spec.SyncPolicy != nil {
		in.NamespaceMetadata = p.app.Spec.SyncPolicy.ManagedNamespaceMetadata
	}
	work, err := plan.Build(in)
	if err != nil {
		return work, err
	}
	work = plan.Guard(work, plan.GuardInput{
		Mode: plan.GuardMode(p.rules.Settings.DeletionGuard), Automated: spec.InitiatedBy.Automated,
		Remains: func(container object.Key, deleted func(object.Key) bool) []string {
			return p.remains(ctx, container, deleted)
		},
	})
	return p.approve(work), nil
}

func operationOptions(app *v1alpha1.Application, spec v1alpha1.Operation) v1alpha1.SyncOptions {
	if len(spec.Sync.SyncOptions) > 0 {
		return spec.Sync.SyncOptions
	}
	return syncOptions(app)
}

// withoutHooks reports whether a sync runs no hooks: one with the strategy apply does not, nor does a self-heal, be it of
// the namespace's metadata, which no selection names.
func withoutHooks(spec v1alpha1.Operation) bool {
	s := spec.Sync.SyncStrategy
	return spec.Sync.SelfHealAttemptsCount > 0 || s != nil && s.Apply != nil && s.Hook == nil
}

// replaceForbidden reports whether a person asks for the option Replace in a request where settings forbid that.
func (p *pass) replaceForbidden(spec v1alpha1.Operation) bool {
	return !p.rules.Settings.ReplaceAllowed && !spec.InitiatedBy.Automated && len(spec.Sync.SyncOptions) > 0
}

func isForced(s *v1alpha1.SyncStrategy) bool {
	return s != nil && (s.Apply != nil && s.Apply.Force || s.Hook != nil && s.Hook.Force)
}

// items lists every object that the state has or the cluster has of ours.
func (p *pass) items(ctx context.Context, state *desired.State) []plan.Item {
	var items []plan.Item
	listed := map[object.Key]bool{}
	for _, o := range state.Objects {
		listed[o.Key] = true
		item := plan.Item{Key: o.Key, Desired: o.Decode(), Origin: o.Origin}
		live := p.cluster.Get(ctx, o.Key, o.Version)
		item.LiveUnknown = live.Presence == cluster.Unknown
		if live.Presence == cluster.Present {
			item.Live = &plan.Live{UID: live.UID, ResourceVersion: live.ResourceVersion, Object: live.Object}
		}
		if r := p.st.table.rows[o.Key]; r != nil {
			item.SharedWith = r.shared
			item.Same = r.verdict == Same && r.desired != nil && r.desired.Digest == o.Digest
		}
		items = append(items, item)
	}
	for _, key := range p.cluster.Owned(p.st.id) {
		if listed[key] {
			continue
		}
		live := p.cluster.Get(ctx, key, "")
		if live.Presence != cluster.Present || live.Owner != p.st.id || live.Deleting || p.claimant(ctx, p.target.Server, key, p.st.id) != "" {
			continue
		}
		items = append(items, plan.Item{Key: key,
			Live: &plan.Live{UID: live.UID, ResourceVersion: live.ResourceVersion, Object: live.Object}})
	}
	p.weigh(ctx, items)
	return items
}

// remains tells what is inside an object that a plan would delete and is not deleted by the plan itself.
func (p *pass) remains(ctx context.Context, container object.Key, deleted func(object.Key) bool) []string {
	inside, err := p.cluster.Inside(ctx, container)
	if err != nil {
		return []string{"what it holds could not be listed: " + err.Error()}
	}
	var left []string
	for _, key := range inside {
		if !deleted(key) {
			left = append(left, key.String())
		}
	}
	return left
}

// approve lets deletions that wait go ahead if a person has approved exactly these, and notes them otherwise.
func (p *pass) approve(work plan.Plan) plan.Plan {
	waiting := work.WaitingDigest()
	p.st.waiting = waiting
	p.st.table.keep(nil)
	if waiting == "" {
		delete(p.next.Annotations, v1alpha1.AnnotationDeletionPlan)
		return work
	}
	if p.approved() {
		return work.Approve()
	}
	note, ok := plan.ParseNote(p.app.Annotations[v1alpha1.AnnotationDeletionPlan])
	if !ok || note.Digest != waiting {
		if p.next.Annotations == nil {
			p.next.Annotations = map[string]string{}
		}
		p.next.Annotations[v1alpha1.AnnotationDeletionPlan] = plan.Note{Digest: waiting, At: p.Clock.Now()}.String()
	}
	waits := keySet{}
	for _, step := range work.Waiting() {
		waits[step.Key] = struct{}{}
	}
	p.st.table.keep(waits)
	return work
}

// approved reports whether a person has approved the deletions that wait. After a restart it is not known which those
// are: then those of the note count, until a plan says.
func (p *pass) approved() bool {
	note, ok := plan.ParseNote(p.app.Annotations[v1alpha1.AnnotationDeletionPlan])
	waiting := p.st.waiting
	if waiting == "" {
		waiting = note.Digest
	}
	return ok && plan.Approved(note, waiting, p.app.Annotations[v1alpha1.AnnotationDeletionApproved], p.Clock.Now())
}

// text returns what was found under a condition type, on one line.
func (f *findings) text(t v1alpha1.ApplicationConditionType) string {
	return strings.Join(f.messages[t], "; ")
}
