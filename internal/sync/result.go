// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
)

// invalid is the result of a run that did nothing because of what validation found.
func (rep *report) invalid() Result {
	res := rep.collect()
	res.Phase = v1alpha1.OperationFailed
	res.Message = "nothing was applied, for the objects are not all valid: " + rep.errorText()
	if rep.unasked() {
		res.Phase = v1alpha1.OperationError
		res.Message = "nothing was applied, for the objects could not all be checked: " + rep.errorText()
	}
	return res
}

// unasked reports whether every error is that something did not answer.
func (rep *report) unasked() bool {
	return !slices.ContainsFunc(rep.outcomes, func(o outcome) bool { return o.err != nil && fault.KindOf(o.err) != fault.Retry })
}

// impossible is the result of a run that ended before its first object.
func (rep *report) impossible(err error) Result {
	res := rep.collect()
	res.Phase, res.Message, res.Retryable = v1alpha1.OperationError, err.Error(), retryable(err)
	return res
}

// result is the result of a run that went through its waves, or was stopped.
func (rep *report) result() Result {
	res := rep.collect()
	res.Stopped = rep.run.halted
	switch {
	case rep.failed():
		res.Phase = v1alpha1.OperationFailed
		res.Message = "not all objects could be synced: " + rep.errorText()
	case rep.run.halted:
		res.Phase, res.Retryable = v1alpha1.OperationError, true
		res.Message = fmt.Sprintf("stopped after %d of %d objects", rep.begun(), rep.run.ordinary())
		if cause := context.Cause(rep.run.ctx); cause != nil {
			res.Message += ": " + cause.Error()
		}
	default:
		res.Phase = v1alpha1.OperationSucceeded
		res.Message = "successfully synced" + rep.dry() + rep.summary()
	}
	if len(rep.notes) > 0 {
		res.Message += "; " + strings.Join(rep.notes, "; ")
	}
	return res
}

func (rep *report) begun() (n int) {
	for _, o := range rep.outcomes {
		if o.status != "" {
			n++
		}
	}
	return n
}

// summary counts the objects by what became of them.
func (rep *report) summary() string {
	counts := map[string]int{}
	for _, o := range rep.outcomes {
		counts[o.verb]++
	}
	var parts []string
	for _, verb := range []string{created, configured, replaced, unchanged, pruned, left, refused, succeeded} {
		switch n := counts[verb]; {
		case n == 1 && verb == succeeded:
			parts = append(parts, "1 hook succeeded")
		case n > 0:
			parts = append(parts, fmt.Sprintf("%d %s", n, verb))
		}
	}
	if len(parts) == 0 {
		return ": nothing to do"
	}
	return ": " + strings.Join(parts, ", ")
}

// errorText tells the first errors; all of them are in the resources.
func (rep *report) errorText() string {
	var texts []string
	for _, o := range rep.outcomes {
		if o.err != nil && !slices.Contains(texts, o.message) {
			texts = append(texts, o.message)
		}
	}
	return some(texts)
}

// collect makes the record of every object that was begun.
func (rep *report) collect() Result {
	res := Result{Conditions: rep.run.plan.Conditions, Resources: rep.resources()}
	for _, o := range rep.outcomes {
		if o.err != nil && retryable(o.err) {
			res.Retryable = true
		}
		if o.verb == created || o.verb == configured || o.verb == replaced || o.verb == pruned {
			res.Changed++
		}
	}
	if rep.run.DryRun {
		res.Changed = 0
	}
	return res
}

// resources returns an entry for each object that was begun.
func (rep *report) resources() v1alpha1.ResourceResults {
	rep.mu.Lock()
	defer rep.mu.Unlock()
	var out v1alpha1.ResourceResults
	for _, at := range rep.run.places {
		for i := at.first; i < at.first+len(at.wave.Steps); i++ {
			if o := rep.outcomes[i]; o.status != "" {
				out = append(out, rep.resource(rep.run.steps[i], o, at.phase))
			}
		}
	}
	return out
}

func (rep *report) resource(s *plan.Step, o outcome, phase v1alpha1.SyncPhase) *v1alpha1.ResourceResult {
	out := &v1alpha1.ResourceResult{
		Group: s.Key.Group, Version: s.Version, Kind: s.Key.Kind, Namespace: s.Key.Namespace, Name: s.Key.Name,
		Status: o.status, Message: o.message, SyncPhase: phase, HookPhase: o.phase,
	}
	switch {
	case o.phase != "":
	case o.err != nil:
		out.HookPhase = v1alpha1.OperationFailed
	default:
		out.HookPhase = v1alpha1.OperationSucceeded
	}
	if s.Hook != nil {
		out.HookType = s.Hook.Type
	}
	if rep.run.Images != nil && s.Desired != nil {
		out.Images = rep.run.Images(s.Desired)
	}
	return out
}

// retryable reports whether an error may pass without anybody changing a manifest or a project. A missing right is among
// those: quotas and roles are often changed by what is synced at the same time elsewhere, and tries are limited.
func retryable(err error) bool {
	switch fault.KindOf(err) {
	case fault.Retry, fault.Wait, fault.Stalled:
		return true
	}
	return false
}

// resourceName names an object as kubectl does.
func resourceName(k object.Key) string {
	name := strings.ToLower(k.Kind)
	if k.Group != "" {
		name += "." + k.Group
	}
	return name + "/" + k.Name
}
