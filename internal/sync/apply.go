// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
)

// attempt is the writing of one object.
type attempt struct {
	*run
	ctx    context.Context
	step   *plan.Step
	in     diff.Input
	how    diff.How
	form   *unstructured.Unstructured // what is sent
	notes  []string                   // what a person should know about how it was written
	dryRun bool
	anew   bool // it was deleted and created anew
	create bool // it must not be there: a hook
}

// apply makes one object as it is desired and notes what became of it.
func (r *run) apply(i int) {
	a, err := r.prepare(r.whole(), r.steps[i])
	if err != nil {
		r.report.fail(i, err)
		return
	}
	answer, err := a.carryOut()
	if err != nil {
		r.report.fail(i, a.explain(err))
		return
	}
	a.learn(answer)
	r.report.applied(i, a.verb(answer), a.notes, answer)
}

// prepare finds out how an object is written, and in which form.
func (r *run) prepare(ctx context.Context, s *plan.Step) (*attempt, error) {
	a := &attempt{run: r, ctx: ctx, step: s, dryRun: r.DryRun}
	live, err := a.live()
	if err != nil {
		return nil, err
	}
	a.in = diff.Input{Desired: s.Desired, Live: live, Adopt: r.Adopt, Rules: r.Rules}
	if r.Schema != nil && r.target.Kind(ctx, s.Desired.GroupVersionKind()).Served {
		if a.in.Schema, err = r.Schema(ctx, s.Desired.GroupVersionKind()); err != nil {
			return nil, fault.Wrap(fault.KindOf(err), "apply", s.Key.String(), err, "")
		}
	}
	if s.Options.Replace {
		a.in.How = diff.Replace
	}
	return a, a.decide()
}

// live returns the object in the cluster in the version it is desired in, nil if it is not there.
func (a *attempt) live() (*unstructured.Unstructured, error) {
	s := a.step
	if s.Live != nil && s.Live.Object != nil && s.Live.Object.GetAPIVersion() == s.Desired.GetAPIVersion() {
		return s.Live.Object, nil
	}
	if s.Live == nil && !s.LiveUnknown {
		return nil, nil
	}
	return a.read()
}

// read asks the API server for the object; nil if it is not there.
func (a *attempt) read() (*unstructured.Unstructured, error) {
	live, err := a.target.Read(a.ctx, a.step.Desired.GroupVersionKind(), a.step.Key.Namespace, a.step.Key.Name)
	if err == nil {
		return live, nil
	}
	switch a.target.Reason(err) {
	case NotFound, NamespaceMissing, NoSuchKind:
		return nil, nil
	}
	return nil, err
}

// decide chooses the way of writing by what desired and live hold, and makes the form for it.
func (a *attempt) decide() error {
	how, reason, err := diff.HowTo(a.in)
	if err == nil {
		a.how = how
		a.form, err = diff.ForApply(a.in, a.step.Options.RespectIgnoreDifferences)
	}
	if err != nil {
		return fault.Wrap(fault.Mistake, "apply", a.step.Key.String(), err, "correct the manifest, or the rules about ignored differences")
	}
	if reason != "" {
		a.note("written as client-side apply does: " + reason)
	}
	return nil
}

func (a *attempt) note(text string) { a.notes = append(a.notes, text) }

// carryOut writes the object, by another way if the first is refused and that is permitted.
func (a *attempt) carryOut() (*unstructured.Unstructured, error) {
	if a.how == diff.ServerSide && a.in.Live != nil && !a.dryRun {
		if err := a.adopt(); err != nil {
			return nil, err
		}
	}
	answer, err := a.write()
	if err == nil {
		return answer, nil
	}
	switch reason := a.target.Reason(err); {
	case reason == NoSuchKind:
		return a.awaitKind(err)
	case reason == ApplyRefused && a.how == diff.ServerSide:
		return a.fallBack(err)
	case reason == Invalid && a.step.Options.Force && a.in.Live != nil && !a.dryRun:
		return a.recreate(err)
	case a.dryRun && a.tooEarly(a.step, err):
		a.note("it could not be tried: " + err.Error())
		return nil, nil
	}
	return nil, err
}

// write sends the form once.
func (a *attempt) write() (*unstructured.Unstructured, error) {
	w := Write{Object: a.form, Manager: diff.Manager, DryRun: a.dryRun, DropUnknown: a.step.Options.SkipValidation}
	if a.create {
		w.Method = Create
		return a.target.Write(a.ctx, w)
	}
	switch a.how {
	case diff.Replace:
		if a.step.Options.Force && a.in.Live != nil && !a.dryRun && a.mayRecreate() {
			return a.recreate(nil)
		}
		w.Method = Replace
	case diff.ThreeWay:
		if a.in.Live == nil {
			w.Method = Create
			break
		}
		kind, patch, err := diff.ThreeWayPatch(a.in, a.form)
		if err != nil {
			return nil, fault.Wrap(fault.Mistake, "apply", a.step.Key.String(), err, "set the option Replace=true on the object")
		}
		if string(patch) == "{}" {
			return a.in.Live, nil
		}
		w.Method, w.PatchType, w.Patch = Patch, kind, patch
	default:
		w.Method, w.Force = Apply, true
	}
	return a.target.Write(a.ctx, w)
}

// fallBack writes as client-side apply does what server-side apply cannot merge.
func (a *attempt) fallBack(cause error) (*unstructured.Unstructured, error) {
	a.in.How = diff.ThreeWay
	if err := a.decide(); err != nil {
		return nil, err
	}
	answer, err := a.write()
	if err != nil {
		return nil, err
	}
	a.note("written as client-side apply does, for server-side apply refused it: " + cause.Error())
	return answer, nil
}

// awaitKind tries again while a kind that this very sync defines is not served yet.
func (a *attempt) awaitKind(cause error) (*unstructured.Unstructured, error) {
	if _, made := a.provides[a.step.Key.GroupKind()]; !made {
		return nil, cause
	}
	if a.dryRun {
		a.note("its kind is made by this sync")
		return nil, nil
	}
	var answer *unstructured.Unstructured
	served, err := a.until(a.run.ctx, a.Wait, func() (bool, error) {
		var err error
		answer, err = a.write()
		if err != nil && a.target.Reason(err) == NoSuchKind {
			cause = err
			return false, nil
		}
		return true, err
	})
	if err == nil && !served {
		err = cause
	}
	return answer, err
}

// learn tells what the cluster made of the desired form.
func (a *attempt) learn(answer *unstructured.Unstructured) {
	if a.Learn == nil || a.dryRun || answer == nil {
		return
	}
	// What cannot be kept is compared field by field; that costs time and no truth.
	if accepted, ok, err := diff.Accept(object.DigestOf(a.step.Desired.Object), answer, a.in); err == nil && ok {
		a.Learn(Learned{Key: a.step.Key, Accepted: accepted, Answer: answer})
	}
}

// lasting are words by which API servers say that a field cannot be changed.
var lasting = []string{"immutable", "updates to statefulset spec", "may not change", "cannot change roleRef", "can not be changed", "cannot be changed"}

// explain adds the way out to an error about a field that cannot be changed.
func (a *attempt) explain(err error) error {
	if a.in.Live == nil || a.target.Reason(err) != Invalid || a.step.Options.Force {
		return err
	}
	text := err.Error()
	if !slices.ContainsFunc(lasting, func(sign string) bool { return strings.Contains(text, sign) }) {
		return err
	}
	if !a.mayRecreate() {
		return fmt.Errorf("%w; it cannot be changed, and is never deleted by a sync, for all that it holds would go along", err)
	}
	return fmt.Errorf("%w; the option Replace=true,Force=true on the object deletes it and creates it anew", err)
}
