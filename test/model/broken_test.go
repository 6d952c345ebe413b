// SPDX-License-Identifier: Apache-2.0

package model

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// sample is an application with a hook in each phase and three waves, and its second commit.
func sample() *scenario {
	first := []thing{
		{kind: "Job", name: "hook-a", hooks: []string{preSync}, end: well},
		{kind: "ConfigMap", name: "map-0", wave: -1, end: well},
		{kind: "Deployment", name: "web-0", end: well},
		{kind: "ConfigMap", name: "map-1", wave: 2, end: well},
		{kind: "ConfigMap", name: "map-2", wave: 5, end: well},
		{kind: "Job", name: "hook-b", hooks: []string{postSync}, policies: []string{succeeded}, end: well},
		{kind: "Job", name: "hook-c", hooks: []string{syncFail}, end: well},
	}
	second := []thing{
		{kind: "Job", name: "hook-a", hooks: []string{preSync}, end: well, version: 1},
		{kind: "ConfigMap", name: "map-0", wave: -1, end: well, version: 1},
		{kind: "Deployment", name: "web-0", end: well, version: 1},
		{kind: "Job", name: "hook-b", hooks: []string{postSync}, policies: []string{succeeded}, end: well, version: 1},
	}
	return &scenario{name: "app", commits: []commit{{things: first}, {things: second, since: 100}}}
}

// writer writes histories.
type writer struct {
	scenario *scenario
	events   []event
	next     uint64
	objects  map[string]event
	records  map[string]string
}

func (w *writer) add(e event) {
	w.next++
	e.revision = w.next
	if e.kind != "" {
		w.objects[e.thing] = e
	}
	w.events = append(w.events, e)
}

// object writes a version of an object, healthy or not.
func (w *writer) object(kind, name string, version int, healthy bool) {
	w.add(event{kind: kind, name: "app-" + name, thing: name, uid: name, version: version, healthy: healthy})
}

func (w *writer) plain(kind, name string, version int) { w.object(kind, name, version, true) }

func (w *writer) change(name string, change func(e *event)) {
	e := w.objects[name]
	change(&e)
	w.add(e)
}

func (w *writer) gone(name string) { w.change(name, func(e *event) { e.gone = true }) }

// made writes a Job of a hook, ends and lets it go.
func (w *writer) made(name string, version int, try string) {
	w.add(event{kind: "Job", name: "app-" + name, thing: name, uid: name + try, version: version, healthy: true, operation: try, finalizer: true})
}

func (w *writer) ends(name, hookType, ended string) {
	w.change(name, func(e *event) { e.ended = ended })
	w.records["Job/app-"+name+"/"+hookType] = ended
	w.says(status{phase: "Running", commit: w.objects[name].version})
	w.change(name, func(e *event) { e.finalizer = false })
}

func (w *writer) says(s status) {
	s.hooks = w.records
	s.started, s.revision = "try", fmt.Sprint(s.commit)
	w.add(event{operations: &s})
}

// good is a history of the sample that the rules permit.
func good(w *writer) {
	firstSync(w)
	w.next = 100
	w.made("hook-a", 1, "try-1")
	w.ends("hook-a", preSync, "Succeeded")
	w.plain("ConfigMap", "map-0", 1)
	w.object("Deployment", "web-0", 1, false)
	w.object("Deployment", "web-0", 1, true)
	w.gone("map-2")
	w.gone("map-1")
	w.made("hook-b", 1, "try-1")
	w.ends("hook-b", postSync, "Succeeded")
	w.gone("hook-b")
	w.says(status{phase: "Succeeded", commit: 1, sync: "Synced", compared: 1})
}

func firstSync(w *writer) {
	w.made("hook-a", 0, "try-0")
	w.ends("hook-a", preSync, "Succeeded")
	w.plain("ConfigMap", "map-0", 0)
	w.object("Deployment", "web-0", 0, false)
	w.object("Deployment", "web-0", 0, true)
	w.plain("ConfigMap", "map-1", 0)
	w.plain("ConfigMap", "map-2", 0)
	w.made("hook-b", 0, "try-0")
	w.ends("hook-b", postSync, "Succeeded")
	w.gone("hook-b")
	w.says(status{phase: "Succeeded", commit: 0, sync: "Synced", compared: 0})
}

// write writes a history of the sample.
func write(how func(*writer)) []event {
	w := &writer{scenario: sample(), objects: map[string]event{}, records: map[string]string{}}
	how(w)
	return w.events
}

func TestAGoodHistoryIsPermitted(t *testing.T) {
	t.Parallel()
	if problems := check(sample(), write(good), false); len(problems) > 0 {
		t.Errorf("want nothing, got\n%s", strings.Join(problems, "\n"))
	}
}

// find returns the place of the first event that says all of it.
func find(t *testing.T, events []event, words ...string) int {
	t.Helper()
	at := slices.IndexFunc(events, func(e event) bool {
		return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(e.String(), word) })
	})
	if at < 0 {
		t.Fatalf("no event says %q", words)
	}
	return at
}

// move puts an event before another.
func move(t *testing.T, events []event, what, to []string) []event {
	t.Helper()
	from, target := find(t, events, what...), find(t, events, to...)
	e := events[from]
	events = slices.Delete(events, from, from+1)
	if from < target {
		target--
	}
	events = slices.Insert(events, target, e)
	for i := range events { // the store's revisions rise
		if i > 0 {
			events[i].revision = max(events[i].revision, events[i-1].revision)
		}
	}
	return events
}

// drop leaves out events that say a word.
func drop(events []event, words ...string) []event {
	return slices.DeleteFunc(events, func(e event) bool {
		return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(e.String(), word) })
	})
}

func TestWrongHistoriesAreFound(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		broken func(t *testing.T, events []event) []event
		want   string
	}{
		"a wave before the gate of the one before": {func(t *testing.T, e []event) []event {
			return move(t, e, []string{"map-1 is version 0"}, []string{"web-0 is version 0", "not healthy"})
		}, "write out of order"},
		"a wave before its time": {func(t *testing.T, e []event) []event {
			return move(t, e, []string{"map-0 is version 0"}, []string{"hook-b is version 0"})
		}, "write out of order"},
		"the Sync phase before PreSync has ended": {func(t *testing.T, e []event) []event {
			return move(t, e, []string{"map-0 is version 0"}, []string{"hook-a is version 0", "Succeeded"})
		}, "hook-a"},
		"a later wave before an earlier one": {func(t *testing.T, e []event) []event {
			return move(t, e, []string{"map-2 is version 0"}, []string{"map-1 is version 0"})
		}, "write out of order"},
		"PostSync before all is healthy": {func(t *testing.T, e []event) []event {
			return move(t, e, []string{"hook-b is version 0, of try"}, []string{"map-2 is version 0"})
		}, "hook out of order"},
		"PostSync before what goes is gone": {func(t *testing.T, e []event) []event {
			return move(t, e, []string{"hook-b is version 1, of try"}, []string{"map-1", "gone"})
		}, "is not pruned"},
		"prunes in the order of applies": {func(t *testing.T, e []event) []event {
			return move(t, e, []string{"map-1", "gone"}, []string{"map-2", "gone"})
		}, "goes before wave"},
		"a prune before applies": {func(t *testing.T, e []event) []event {
			return move(t, e, []string{"map-2", "gone"}, []string{"web-0 is version 1"})
		}, "deletion out of order"},
		"a deletion that nobody planned": {func(t *testing.T, e []event) []event {
			gone := e[find(t, e, "map-0 is version 1")]
			gone.gone = true
			return slices.Insert(e, len(e)-1, gone)
		}, "deletion out of order, or that no commit asks for"},
		"a hook twice in one try": {func(t *testing.T, e []event) []event {
			at := find(t, e, "hook-a is version 1", "Succeeded")
			again := e[find(t, e, "hook-a is version 1, of try")]
			again.uid = "other"
			return slices.Insert(e, at+3, again)
		}, "second time"},
		"a hook left out": {func(t *testing.T, e []event) []event { return drop(e, "hook-a is version 1") }, "has not succeeded"},
		"a hook that failed and was passed by": {func(t *testing.T, e []event) []event {
			for i := range e {
				if e[i].thing == "hook-a" && e[i].version == 1 && e[i].ended != "" {
					e[i].ended = "Failed"
				}
			}
			return e
		}, "write out of order"},
		"a hook for a failure that was none": {func(t *testing.T, e []event) []event {
			return slices.Insert(e, find(t, e, "map-1 is version 0"), event{revision: 10, kind: "Job", name: "app-hook-c", thing: "hook-c", uid: "c", operation: "try-0", finalizer: true, healthy: true})
		}, "nothing has failed"},
		"a running hook deleted": {func(t *testing.T, e []event) []event {
			gone := e[find(t, e, "hook-a is version 0, of try")]
			gone.deleting = true
			return slices.Insert(e, find(t, e, "hook-a is version 0", "Succeeded"), gone)
		}, "running hook deleted"},
		"a hook let go before its outcome is on record": {func(t *testing.T, e []event) []event {
			return move(t, e, []string{"Application: Running (commit 0"}, []string{"map-0 is version 0"})
		}, "before its outcome is on record"},
		"a hook let go before its end": {func(t *testing.T, e []event) []event {
			at := find(t, e, "hook-a is version 0, of try")
			free := e[at]
			free.finalizer = false
			return slices.Insert(e, at+1, free)
		}, "let go before its end"},
		"a hook left behind against its policy": {func(t *testing.T, e []event) []event {
			return drop(e, "hook-b is version 1", "gone")
		}, "left behind"},
		"a hook gone against its policy": {func(t *testing.T, e []event) []event {
			gone := e[find(t, e, "hook-a is version 1", "Succeeded")]
			gone.gone, gone.finalizer = true, false
			return slices.Insert(e, len(e)-1, gone)
		}, "gone against its policy"},
		"a hook left held": {func(t *testing.T, e []event) []event {
			at := find(t, e, "hook-a is version 1", "Succeeded")
			return slices.Delete(e, at+2, at+3)
		}, "left held"},
		"an older commit again": {func(t *testing.T, e []event) []event {
			old := e[find(t, e, "map-0 is version 0")]
			return slices.Insert(e, len(e)-1, old)
		}, "write out of order"},
		"a commit before it was made": {func(t *testing.T, e []event) []event {
			early := e[find(t, e, "map-0 is version 1")]
			early.revision = 99
			return slices.Insert(e, find(t, e, "hook-a is version 1, of try"), early)
		}, "no commit asks for"},
		"green too early": {func(t *testing.T, e []event) []event {
			return slices.Insert(e, find(t, e, "web-0 is version 1"), event{revision: 107, operations: &status{phase: "Running", commit: 1, sync: "Synced", compared: 1}})
		}, "green before it is so"},
		"success too early": {func(t *testing.T, e []event) []event {
			return slices.Insert(e, find(t, e, "map-2", "gone"), event{revision: 108, operations: &status{phase: "Succeeded", commit: 1, compared: -1}})
		}, "something left to do"},
		"an object left out":      {func(t *testing.T, e []event) []event { return drop(e, "map-0 is version 1") }, "not as in Git"},
		"an object left over":     {func(t *testing.T, e []event) []event { return drop(e, "map-1", "gone") }, "not as in Git"},
		"an end that is not well": {func(t *testing.T, e []event) []event { return e[:len(e)-1] }, "does not end well"},
		"an operation taken over by itself": {func(t *testing.T, e []event) []event {
			same := status{phase: "Running", commit: 1, revision: "1", started: "try", try: "1-0-same", compared: -1}
			over := same
			over.try = "1-100-same"
			return slices.Insert(e, len(e)-1, event{revision: 130, operations: &same}, event{revision: 130, operations: &over})
		}, "taken over"},
		"more tries than asked for": {func(t *testing.T, e []event) []event {
			return slices.Insert(e, len(e)-1, event{revision: 130, operations: &status{phase: "Running", commit: 1, revision: "1", retries: 1, compared: -1}})
		}, "more tries"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			problems := check(sample(), test.broken(t, write(good)), false)
			if !slices.ContainsFunc(problems, func(p string) bool { return strings.Contains(p, test.want) }) {
				t.Errorf("want %q, got\n%s", test.want, strings.Join(problems, "\n"))
			}
		})
	}
}
