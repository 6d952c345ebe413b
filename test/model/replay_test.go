// SPDX-License-Identifier: Apache-2.0

package model

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// replay goes through a history and asks of each step whether the rules permit it.
type replay struct {
	*scenario
	endHooks bool // the settings end a running hook for a newer commit

	now  uint64           // the revision that is looked at
	live map[string]event // by kind and name
	runs []*run           // of hooks, in the order in which they began
	app  status
	// low is the oldest commit that can still be in effect: syncs never go back.
	low int
	// tries holds the phase of each try that the Application spoke of, revisions the revision of Git that each was about.
	tries, revisions map[string]string
	numbers          map[string]string // by what a try applies: how often its operation had been taken over
	// equalled has the commits that the cluster was equal to at some time.
	equalled map[int]bool
	problems []string
}

// run is one object of a hook in one try.
type run struct {
	event
	of       *thing
	hookType string // which of its types it runs for
	deleted  bool
}

// check goes through the history of a scenario and returns what is against the rules.
func check(s *scenario, history []event, endHooks bool) []string {
	r := &replay{scenario: s, endHooks: endHooks, live: map[string]event{}, equalled: map[int]bool{}, tries: map[string]string{}, revisions: map[string]string{}, numbers: map[string]string{}}
	for _, e := range history {
		r.now = e.revision
		r.step(e)
		for k := range s.commits {
			r.equalled[k] = r.equalled[k] || r.arrived(k) && r.same(k, false) == nil
		}
	}
	r.end()
	return r.problems
}

func (r *replay) wrong(law string, format string, args ...any) {
	r.problems = append(r.problems, fmt.Sprintf("at revision %d: %s: %s", r.now, law, fmt.Sprintf(format, args...)))
}

// arrived reports whether a commit had been made.
func (r *replay) arrived(k int) bool { return k < len(r.commits) && r.commits[k].since < r.now }

func key(kind, name string) string { return kind + "/" + name }

func (r *replay) step(e event) {
	if e.operations != nil {
		r.says(*e.operations)
		r.app = *e.operations
		return
	}
	at := key(e.kind, e.name)
	last, known := r.live[at]
	known = known && last.uid == e.uid
	switch hook := r.isHook(e); {
	case hook && (!known || last.operation != e.operation || last.hookType != e.hookType) && !e.gone:
		r.begins(e)
	case hook:
		r.goesOn(last, e)
	case !known && e.gone:
	case (e.deleting || e.gone) && !last.deleting:
		r.goes(e)
	case !e.gone && !e.deleting && (!known || last.version != e.version):
		r.written(e)
	}
	if e.gone {
		delete(r.live, at)
		return
	}
	r.live[at] = e
}

// isHook reports whether the scenario has the object as a hook: no name is both a hook's and another object's.
func (r *replay) isHook(e event) bool { return strings.HasPrefix(e.thing, "hook-") }

// thing returns what an event is about, as the commit has it that changed it last; nil if none of ours is so.
func (r *replay) thing(e event) *thing {
	if e.version < 0 || e.version >= len(r.commits) {
		return nil
	}
	return r.commits[e.version].find(e.kind, e.thing)
}

// explained looks for a commit in effect with which a step is as it should be, the oldest first: a later step may need it.
func (r *replay) explained(law, what string, fits func(k int) error) {
	var reasons []string
	for k := r.low; r.arrived(k); k++ {
		err := fits(k)
		if err == nil {
			r.low = k
			return
		}
		reasons = append(reasons, fmt.Sprintf("not with commit %d: %v", k, err))
	}
	r.wrong(law, "%s: %s", what, strings.Join(reasons, "; "))
}

// liveThing returns the object that a plain thing has become; none if it is being deleted.
func (r *replay) liveThing(t *thing) (event, bool) {
	e, ok := r.live[key(t.kind, r.name+"-"+t.name)]
	return e, ok && !e.deleting
}

// extras are live objects that a commit does not have, PruneLast or not.
func (r *replay) extras(k int, last bool) []event {
	var out []event
	for _, at := range slices.Sorted(maps.Keys(r.live)) {
		e := r.live[at]
		if !r.isHook(e) && r.commits[k].find(e.kind, e.thing) == nil && r.prunedLast(e) == last {
			out = append(out, e)
		}
	}
	return out
}

func (r *replay) prunedLast(e event) bool {
	t := r.thing(e)
	return slices.Contains(r.options, "PruneLast=true") || t != nil && t.pruneLast
}

// same reports how the plain objects of the cluster differ from those of a commit; nil if they do not. What is on its way out
// counts as gone if that is enough: nothing waits for it behind the last wave.
func (r *replay) same(k int, going bool) error {
	for i := range r.commits[k].things {
		t := &r.commits[k].things[i]
		if t.hook() {
			continue
		}
		if e, ok := r.liveThing(t); !ok || e.version != t.version {
			return fmt.Errorf("%s is not as it should be", t)
		}
	}
	for _, e := range append(r.extras(k, false), r.extras(k, true)...) {
		if !going || !e.deleting {
			return fmt.Errorf("%s should not be there", e)
		}
	}
	return nil
}
