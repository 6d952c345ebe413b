// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"fmt"
	"slices"
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
// FailOnSharedResource is set, and for hooks and waves, which are not carried out yet; the error names the objects.
func Build(in Input) (Plan, error) {
	b := builder{in: in, plan: Plan{Partial: len(in.Selection) > 0}}
	var warnings []string
	b.plan.Options, warnings = ParseOptions(in.Options)
	b.plan.Options.Force = b.plan.Options.Force || in.Force
	b.note("", warnings)
	for i := range in.Items {
		b.add(&in.Items[i])
	}
	if err := b.later.err(); err != nil {
		return Plan{}, err
	}
	if len(b.shared) > 0 && b.plan.Options.FailOnSharedResource {
		return Plan{}, fault.New(fault.Mistake, "sync", "application "+in.App, "", first(b.shared),
			"take each object out of one of the applications, or unset FailOnSharedResource")
	}
	b.namespace()
	b.order()
	return b.plan, nil
}

type builder struct {
	in     Input
	plan   Plan
	later  later
	wave   int // of the objects that are applied
	shared []string

	applies, prunes, last []Step
	noted                 map[string]bool
}

func (b *builder) add(item *Item) {
	if item.Live != nil {
		b.plan.weight += 1 + item.Cascade
	}
	switch {
	case item.Desired != nil:
		b.desired(item)
	case item.Live != nil && Selected(b.in.Selection, item.Key):
		b.extra(item)
	}
}

// desired adds an object that the source has.
func (b *builder) desired(item *Item) {
	hooks, takesPart := Hooks(item.Desired)
	if !takesPart {
		return
	}
	wave, warning := WaveOf(item.Desired)
	if warning != "" {
		b.note(item.Key.String(), []string{warning})
	}
	b.later.add(item, hooks, wave)
	if !Selected(b.in.Selection, item.Key) {
		return
	}
	options, warnings := b.plan.Options.For(item.Desired)
	b.note(item.Key.String(), warnings)
	b.wave = wave
	step := Step{
		Action: Apply, Key: item.Key, Version: item.Desired.GroupVersionKind().Version,
		Desired: item.Desired, Origin: item.Origin, Live: item.Live, Options: options, Shared: item.SharedWith, LiveUnknown: item.LiveUnknown,
	}
	switch {
	case item.SharedWith != "":
		b.share(&step)
	case item.Same && b.plan.Options.ApplyOutOfSyncOnly:
		return
	case item.Same && b.in.KeepSame && !options.Replace && !options.Force:
		step.Action = Keep
	}
	b.applies = append(b.applies, step)
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
	if item.Key == b.in.Self {
		return
	}
	var obj metav1.Object = &metav1.ObjectMeta{}
	version := ""
	if item.Live.Object != nil {
		obj, version = item.Live.Object, item.Live.Object.GroupVersionKind().Version
	}
	if hooks, takesPart := Hooks(obj); len(hooks) > 0 || !takesPart {
		return // hooks go by their own policies
	}
	options, _ := b.plan.Options.For(obj)
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
	if options.PruneLast {
		b.last = append(b.last, step)
		return
	}
	b.prunes = append(b.prunes, step)
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

// order makes the waves: applies in kind order, so that namespaces and custom resource definitions come before their
// users; then prunes in the opposite order; then what asks to be pruned last, once the rest is healthy.
func (b *builder) order() {
	forward := func(x, y Step) int { return object.CompareForApply(x.Key, y.Key) }
	backward := func(x, y Step) int { return object.CompareForApply(y.Key, x.Key) }
	slices.SortFunc(b.applies, forward)
	slices.SortFunc(b.prunes, backward)
	slices.SortFunc(b.last, backward)
	var waves []Wave
	if steps := slices.Concat(b.applies, b.prunes); len(steps) > 0 {
		waves = append(waves, Wave{Number: b.wave, Steps: steps})
	}
	if len(b.last) > 0 {
		if len(waves) > 0 {
			waves[0].AwaitHealth = true
		}
		waves = append(waves, Wave{Number: b.wave + 1, Steps: b.last})
	}
	if len(waves) > 0 {
		b.plan.Phases = []Phase{{Name: v1alpha1.SyncPhaseSync, Waves: waves}}
	}
	slices.SortFunc(b.plan.Conditions, func(x, y v1alpha1.ApplicationCondition) int { return cmp.Compare(x.Message, y.Message) })
}

// note keeps warnings, each once.
func (b *builder) note(about string, warnings []string) {
	if b.noted == nil {
		b.noted = map[string]bool{}
	}
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
