// SPDX-License-Identifier: Apache-2.0

package model

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// place is where a step is in the order of a sync.
type place struct{ phase, wave, rank int }

// phases are the phases in order.
var phases = []string{preSync, inSync, postSync, syncFail}

// kinds are the kinds of scenarios in the order in which those of one wave are applied.
var kinds = []string{"ServiceAccount", "ConfigMap", "Service", "Pod", "Deployment", "Job"}

// end is behind all kinds, or behind all waves.
const end = math.MaxInt

func placeOf(t *thing) place {
	return place{phase: slices.Index(phases, inSync), wave: t.wave, rank: slices.Index(kinds, t.kind)}
}

func hookPlace(t *thing, hookType string) place {
	return place{phase: slices.Index(phases, hookType), wave: t.wave, rank: slices.Index(kinds, t.kind)}
}

// earlier reports whether a place is in a wave before another, so that it has to be through its gate.
func (p place) earlier(than place) bool {
	return p.phase < than.phase || p.phase == than.phase && p.wave < than.wave
}

// written is the law of writes: what is written is what a commit has, and all that comes before it in the order of that
// commit is done.
func (r *replay) written(e event) {
	r.explained("a write out of order, or that no commit asks for", e.String(), func(k int) error {
		t := r.commits[k].find(e.kind, e.thing)
		switch {
		case r.commits[k].refused():
			return errors.New("it is refused as a whole")
		case t == nil:
			return errors.New("it does not have the object")
		case t.version != e.version:
			return fmt.Errorf("there the object is that of commit %d", t.version)
		}
		if err := contains(t.manifest(r.name), e); err != nil {
			return err
		}
		return r.readyInATry(k, placeOf(t))
	})
}

// goes is the law of prunes: what is deleted is in no wanted commit, its turn has come, and what was made later goes first.
func (r *replay) goes(e event) {
	r.explained("a deletion out of order, or that no commit asks for", e.String(), func(k int) error {
		switch {
		case r.commits[k].refused():
			return errors.New("it is refused as a whole")
		case r.commits[k].find(e.kind, e.thing) != nil:
			return errors.New("it has the object")
		}
		others := r.extras(k, false)
		if r.prunedLast(e) {
			if len(others) > 0 {
				return fmt.Errorf("PruneLast comes after all, and %s is there", others[0])
			}
			return r.readyInATry(k, place{phase: slices.Index(phases, inSync), wave: end, rank: end})
		}
		wave, lowest := r.thing(e).wave, r.thing(e).wave
		for _, o := range others {
			w := r.thing(o).wave
			if w > wave {
				return fmt.Errorf("%s of wave %d goes before wave %d", o, w, wave)
			}
			lowest = min(lowest, w)
		}
		// The highest wave of what goes takes the place of the lowest one.
		return r.readyInATry(k, place{phase: slices.Index(phases, inSync), wave: lowest, rank: end})
	})
}

// readyInATry reports what is not done before a place in any try of a commit.
func (r *replay) readyInATry(k int, at place) error {
	err := r.ready(k, at, "")
	for _, o := range r.triesOf(k) {
		if err == nil {
			return nil
		}
		err = r.ready(k, at, o)
	}
	return err
}

// triesOf returns the tries of a commit that hooks tell of, the newest first.
func (r *replay) triesOf(k int) []string {
	var out []string
	for _, run := range slices.Backward(r.runs) {
		if run.version == k && !slices.Contains(out, run.operation) {
			out = append(out, run.operation)
		}
	}
	return out
}

// ready reports what is not done that comes before a place in the order of a commit.
func (r *replay) ready(k int, at place, try string) error {
	for i := range r.commits[k].things {
		t := &r.commits[k].things[i]
		for _, hookType := range t.hooks {
			if hookType == skipped || hookType == syncFail || !hookPlace(t, hookType).earlier(at) {
				continue
			}
			if run := r.runOf(t, hookType, try); run == nil || run.ended != "Succeeded" {
				return fmt.Errorf("its %s hook %s has not succeeded in try %q", hookType, t, try)
			}
		}
		if !t.hook() {
			if err := r.applied(t, at, k); err != nil {
				return err
			}
		}
	}
	if extras := append(r.extras(k, false), r.extras(k, true)...); at.phase > slices.Index(phases, inSync) && len(extras) > 0 {
		return fmt.Errorf("%s is not pruned", extras[0])
	}
	return nil
}

// applied reports that a plain object is not as it has to be before a place.
func (r *replay) applied(t *thing, at place, k int) error {
	own := placeOf(t)
	through := own.earlier(at)
	if !through && (own.phase != at.phase || own.wave != at.wave || own.rank >= at.rank) {
		return nil
	}
	e, ok := r.liveThing(t)
	switch {
	case !ok:
		return fmt.Errorf("%s is not there", t)
	case e.version != t.version:
		return fmt.Errorf("%s is that of commit %d", t, e.version)
	case through && !e.healthy && !slices.Contains(r.options, "ApplyOutOfSyncOnly=true"):
		// With that option what is as desired already, from an earlier try perhaps, takes no part.
		return fmt.Errorf("%s is not healthy", t)
	}
	return nil
}

// contains reports a field of a manifest that an object does not have so.
func contains(want fields, e event) error {
	if e.resource == nil {
		return nil // written by hand
	}
	return within("", want, e.resource.Object)
}

func within(path string, want, have any) error {
	switch want := want.(type) {
	case fields:
		have, _ := have.(fields)
		for name, w := range want {
			if err := within(path+"."+name, w, have[name]); err != nil {
				return err
			}
		}
		return nil
	case []fields:
		have, _ := have.([]any)
		for i, w := range want {
			if i >= len(have) {
				return fmt.Errorf("%s[%d] is not there", path, i)
			}
			if err := within(fmt.Sprintf("%s[%d]", path, i), w, have[i]); err != nil {
				return err
			}
		}
		return nil
	}
	if fmt.Sprint(want) != fmt.Sprint(have) {
		return fmt.Errorf("%s is %v, not %v", path, have, want)
	}
	return nil
}
