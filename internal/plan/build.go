// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
)

// Input is what a plan is made of.
type Input struct {
	// App is the instance name of the application, Self its own resource: an application never prunes itself.
	App  string
	Self object.Key
	// Namespace is the destination namespace.
	Namespace         string
	NamespaceMetadata *v1alpha1.ManagedNamespaceMetadata
	Options           v1alpha1.SyncOptions
	Items             []Item
	// Prune says that the operation may delete.
	Prune bool
	// Force is that of the operation's strategy.
	Force     bool
	Selection []v1alpha1.SyncOperationResource
	// TakeShared restores Argo CD's way with objects of another application: they are taken, with a warning.
	TakeShared bool
	// KeepSame leaves out the request for objects that are known to be as desired; they are recorded as synced.
	KeepSame bool
	// ReplaceForbidden refuses the option Replace=true among Options: a person asks for it, and the setting
	// server.sync.replace.allowed is false. What objects say of themselves is not refused, as in Argo CD.
	ReplaceForbidden bool
	// NoHooks leaves out all hooks: the strategy apply, a rollback. A plan with a selection has none either.
	NoHooks bool
	// Revision, StartedAt and Try name this try of the operation: hooks with generateName are named by them,
	// <generateName><the first 7 of Revision>-<phase>-<StartedAt in seconds>, and for tries after the first -<Try> behind
	// that, all in lower case.
	Revision  string
	StartedAt time.Time
	Try       int64
}

// Build makes the plan of one sync. It fails, with nothing to be done at all, if an object is shared and the option
// FailOnSharedResource is set, or if the option Replace is refused; the error names the objects or the option.
func Build(in Input) (Plan, error) {
	b := newBuilder(in)
	if in.ReplaceForbidden && b.plan.Options.Replace {
		return Plan{}, fault.New(fault.Forbidden, "sync", "application "+in.App, "", "the sync option Replace=true is refused by the setting server.sync.replace.allowed",
			"leave the option out, or set it on the objects that need it")
	}
	for i := range in.Items {
		b.add(&in.Items[i])
	}
	if len(b.shared) > 0 && b.plan.Options.FailOnSharedResource {
		return Plan{}, fault.New(fault.Mistake, "sync", "application "+in.App, "", first(b.shared),
			"take each object out of one of the applications, or unset FailOnSharedResource")
	}
	b.namespace()
	b.order(syncPhases)
	return b.plan, nil
}

type builder struct {
	in     Input
	plan   Plan
	shared []string
	placed []*placed
	noted  map[string]bool
	names  map[object.Key]int // how many hooks were given the name
}

func newBuilder(in Input) *builder {
	b := &builder{in: in, plan: Plan{Partial: len(in.Selection) > 0}, noted: map[string]bool{}, names: map[object.Key]int{}}
	var warnings []string
	b.plan.Options, warnings = ParseOptions(in.Options)
	b.plan.Options.Force = b.plan.Options.Force || in.Force
	b.note("", warnings)
	return b
}

func (b *builder) add(item *Item) {
	switch {
	case item.Desired != nil:
		b.desired(item)
	case item.Live != nil:
		b.extra(item)
	}
}

// desired adds an object that the source has.
func (b *builder) desired(item *Item) {
	hooks, takesPart := Hooks(item.Desired)
	b.note(item.Key.String(), unknownHooks(item.Desired))
	switch {
	case len(hooks) > 0:
		if !b.in.NoHooks && !b.plan.Partial {
			b.hooks(item, hooks)
		}
		return
	case !takesPart:
		return
	}
	b.weigh(item)
	if !Selected(b.in.Selection, item.Key) {
		return
	}
	step, wave := b.step(item)
	switch {
	case item.SharedWith != "":
		b.share(&step)
	case item.Same && b.plan.Options.ApplyOutOfSyncOnly:
		return
	case item.Same && b.in.KeepSame && !step.Options.Replace && !step.Options.Force:
		step.Action = Keep
	}
	b.place(step, v1alpha1.SyncPhaseSync, wave)
}

// step returns the step that makes a desired object, and its wave.
func (b *builder) step(item *Item) (Step, int) {
	wave, warning := WaveOf(item.Desired)
	if warning != "" {
		b.note(item.Key.String(), []string{warning})
	}
	options, warnings := b.plan.Options.For(item.Desired)
	b.note(item.Key.String(), warnings)
	return Step{
		Action: Apply, Key: item.Key, Version: item.Desired.GroupVersionKind().Version,
		Desired: item.Desired, Origin: item.Origin, Live: item.Live, Options: options, Shared: item.SharedWith, LiveUnknown: item.LiveUnknown,
	}, wave
}

// hooks adds a step for each of the phases that an object is a hook of.
func (b *builder) hooks(item *Item, types []v1alpha1.HookType) {
	for _, t := range types {
		if phase, ok := phaseOf(t); ok {
			b.hook(item, t, phase)
		}
	}
}

func (b *builder) hook(item *Item, t v1alpha1.HookType, phase v1alpha1.SyncPhase) {
	policies, warnings := DeletePolicies(item.Desired)
	b.note(item.Key.String(), warnings)
	step, wave := b.step(item)
	step.Action, step.Shared = Run, ""
	step.Hook = &Hook{Type: t, Policies: policies}
	if step.Key.Name == "" && item.Desired.GetGenerateName() != "" {
		b.generate(&step, phase)
	}
	b.place(step, phase, wave)
}

// weigh counts what the application has in the cluster. Left-over hooks are no part of it.
func (b *builder) weigh(item *Item) {
	if item.Live != nil {
		b.plan.weight += 1 + item.Cascade
	}
}

// share decides about an object that another living application desires too: one owner per object, unless a setting
// says that the last one to sync gets it.
func (b *builder) share(step *Step) {
	text := fmt.Sprintf("%s is part of applications %s and %s", step.Key, b.in.App, step.Shared)
	b.shared = append(b.shared, text)
	b.plan.Conditions = append(b.plan.Conditions, v1alpha1.ApplicationCondition{
		Type: v1alpha1.ApplicationConditionSharedResourceWarning, Message: text,
	})
	if !b.in.TakeShared {
		step.Action = Refuse
		step.Reason = text + "; it is left alone until one of them no longer has it"
	}
}

// extra adds an object that is live and no longer desired.
func (b *builder) extra(item *Item) {
	var obj metav1.Object = &metav1.ObjectMeta{}
	version := ""
	if item.Live.Object != nil {
		obj, version = item.Live.Object, item.Live.Object.GroupVersionKind().Version
	}
	if hooks, takesPart := Hooks(obj); len(hooks) > 0 || !takesPart {
		return // hooks go by their own policies
	}
	b.weigh(item)
	if item.Key == b.in.Self || !Selected(b.in.Selection, item.Key) {
		return
	}
	options, _ := b.plan.Options.For(obj)
	wave, _ := WaveOf(obj)
	step := Step{Action: Prune, Key: item.Key, Version: version, Live: item.Live, Options: options, weight: 1 + item.Cascade}
	switch {
	case item.Live.UID == "" || item.Live.ResourceVersion == "":
		step.Action, step.Reason = Skip, "not pruned: its identity in the cluster is not known"
	case options.Prune == DeleteNever:
		step.Action, step.Reason = Skip, "not pruned: the object or the application says Prune=false or keep"
	case !b.in.Prune:
		step.Action, step.Reason = Skip, "not pruned: it is no longer in the source, but this sync does not prune"
	case options.Prune == DeleteConfirmed:
		step.Waiting, step.Reason = true, "not pruned: Prune=confirm waits for an approval"
	}
	b.place(step, v1alpha1.SyncPhaseSync, wave)
}

// namespace plans the destination namespace, unless the source has a manifest for it.
func (b *builder) namespace() {
	if !b.plan.Options.CreateNamespace || b.in.Namespace == "" {
		return
	}
	for _, item := range b.in.Items {
		if item.Desired != nil && item.Key == (object.Key{Kind: "Namespace", Name: b.in.Namespace}) {
			return
		}
	}
	b.plan.Namespace = &Namespace{Name: b.in.Namespace, Metadata: b.in.NamespaceMetadata}
}

// note keeps warnings, each once.
func (b *builder) note(about string, warnings []string) {
	for _, text := range warnings {
		if about != "" {
			text = about + ": " + text
		}
		if !b.noted[text] {
			b.noted[text] = true
			b.plan.Notes = append(b.plan.Notes, text)
		}
	}
}
