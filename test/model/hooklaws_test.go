// SPDX-License-Identifier: Apache-2.0

package model

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// runOf returns the run of a hook of one type in a try; nil if it did not begin.
func (r *replay) runOf(t *thing, hookType, try string) *run {
	for _, run := range r.runs {
		if run.operation == try && run.hookType == hookType && run.thing == t.name && run.kind == t.kind {
			return run
		}
	}
	return nil
}

// begins is the law of hooks: each is made once in each try for each of its types, in its turn.
func (r *replay) begins(e event) {
	k := e.version
	t := r.thing(e)
	switch {
	case t == nil || !t.hook() || slices.Contains(t.hooks, skipped):
		r.wrong("a hook that no commit asks for", "%s", e)
		return
	case !r.arrived(k) || r.commits[k].refused():
		r.wrong("a hook of a commit that is not there, or is refused as a whole", "%s", e)
	case k < r.low:
		r.wrong("a hook of an older commit", "%s, but commit %d is in effect", e, r.low)
	case e.operation == "":
		r.wrong("a hook that says nothing of its try", "%s", e)
	case !e.finalizer && t.runs():
		r.wrong("a hook that nothing holds until its outcome is on record", "%s", e)
	}
	if err := contains(strip(t.manifest(r.name)), e); err != nil {
		r.wrong("a hook that is not as in Git", "%s: %v", e, err)
	}
	if err := r.turn(e, t); err != nil {
		r.wrong("a hook out of order, or made twice in one try", "%s: %v", e, err)
	}
	r.low = max(r.low, k)
}

// strip takes away what a manifest has in place of a name.
func strip(manifest fields) fields {
	delete(manifest["metadata"].(fields), "generateName")
	return manifest
}

// turn notes a run of a hook, and reports what is not done before, or that it ran already.
func (r *replay) turn(e event, t *thing) error {
	hookType := typeOf(e, t)
	again := r.runOf(t, hookType, e.operation)
	err := r.ready(e.version, hookPlace(t, hookType), e.operation)
	if hookType == syncFail {
		err = r.failure(e.version, e.operation)
	}
	r.runs = append(r.runs, &run{event: e, of: t, hookType: hookType})
	switch {
	case !slices.Contains(t.hooks, hookType):
		return fmt.Errorf("it is no %s hook", hookType)
	case again != nil:
		return fmt.Errorf("it is made the second time: %s", again.event)
	}
	return err
}

// typeOf returns which of its types a hook runs for: a generated name tells, else an annotation for all but the first.
func typeOf(e event, t *thing) string {
	for _, hookType := range t.hooks {
		if t.generated && strings.Contains(e.name, "-"+strings.ToLower(hookType)+"-") {
			return hookType
		}
	}
	return cmp.Or(e.hookType, t.hooks[0])
}

// failure reports why the hooks for a failure have no reason in a try.
func (r *replay) failure(k int, try string) error {
	reason := fmt.Errorf("nothing has failed in its try")
	for _, run := range r.runs {
		switch {
		case run.operation != try || run.hookType == syncFail:
		case run.ended == "":
			return fmt.Errorf("%s still runs", run.event)
		case run.ended == "Failed":
			reason = nil
		}
	}
	for i := range r.commits[k].things {
		if t := &r.commits[k].things[i]; !t.hook() {
			if e, ok := r.liveThing(t); ok && !e.healthy {
				reason = nil
			}
		}
	}
	return reason
}

// goesOn is about what becomes of a hook's object.
func (r *replay) goesOn(last, e event) {
	at := slices.IndexFunc(r.runs, func(run *run) bool {
		return run.uid == e.uid && run.operation == e.operation && run.event.hookType == e.hookType
	})
	if at < 0 {
		return // what is wrong with it was said
	}
	run := r.runs[at]
	if run.ended == "" {
		run.ended = e.ended
	}
	if last.finalizer && !e.finalizer {
		r.released(run, e)
	}
	if (e.deleting || e.gone) && !run.deleted {
		run.deleted = true
		r.hookGoes(run, e)
	}
}

// released is the law of outcomes: a hook is let go only once its outcome is on record, or it would be run again after a
// crash.
func (r *replay) released(run *run, e event) {
	if run.ended == "" {
		if !r.endHooks {
			r.wrong("a hook let go before its end", "%s", e)
		}
		return
	}
	if r.endHooks {
		return // a newer commit may have ended its try: no record of it is needed then
	}
	if said := r.app.hooks[strings.Join([]string{e.kind, e.name, run.hookType}, "/")]; said != run.ended {
		r.wrong("a hook let go before its outcome is on record", "%s: %s, and the record says %q", e, run.ended, said)
	}
}

// hookGoes is the law of delete policies.
func (r *replay) hookGoes(run *run, e event) {
	switch {
	case r.endHooks:
		return // it may have ended a moment before it was ended
	case run.ended == "":
		r.wrong("a running hook deleted", "%s", e)
		return
	}
	replaced := run.of.has(before) || run.of.runs()
	if run.of.ttl || replaced && !run.of.generated {
		return // the cluster deletes it after its time; or it makes room for one of its name
	}
	if run.of.has(succeeded) && r.complete(run.version, run.operation) == nil {
		return
	}
	if run.of.has(failed) && r.failure(run.version, run.operation) == nil {
		return
	}
	r.wrong("a hook deleted against its policy", "%s: %v", e, run.of.policies)
}

// complete reports what is not done of a commit in a try.
func (r *replay) complete(k int, try string) error {
	for i := range r.commits[k].things {
		t := &r.commits[k].things[i]
		for _, hookType := range t.hooks {
			if hookType == skipped || hookType == syncFail {
				continue
			}
			if run := r.runOf(t, hookType, try); run == nil || run.ended != "Succeeded" {
				return fmt.Errorf("its %s hook %s has not succeeded in try %q", hookType, t, try)
			}
		}
	}
	return r.same(k, true)
}
