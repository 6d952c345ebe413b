// SPDX-License-Identifier: Apache-2.0

package application

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/object"
)

const server = "https://kubernetes.default.svc"

func configMap(name string) object.Key {
	return object.Key{Kind: "ConfigMap", Namespace: "shop", Name: name}
}

func asks(names ...string) *desired.State {
	s := &desired.State{}
	for _, name := range names {
		s.Objects = append(s.Objects, desired.Object{Key: configMap(name)})
	}
	return s
}

func TestRowsThatDependOnOthersAreToldOnce(t *testing.T) {
	x := newWantedIndex()
	x.set("a", server, asks("one", "two"))
	x.set("b", server, asks("three"))
	x.concern(configMap("two"), "a")   // a has let go of it
	x.concern(configMap("three"), "a") // and depends on b for this
	steps := []struct {
		reason string
		state  *desired.State
		want   map[string][]object.Key
	}{
		{"what b did not touch concerns nobody", asks("three", "four"), map[string][]object.Key{}},
		{"b takes over two", asks("two", "three", "four"), map[string][]object.Key{"a": {configMap("two")}}},
		{"it was told; a has not asked again", asks("three", "four"), map[string][]object.Key{}},
		{"b lets go of three", asks("four"), map[string][]object.Key{"a": {configMap("three")}}},
	}
	for _, step := range steps {
		if d := cmp.Diff(step.want, x.set("b", server, step.state)); d != "" {
			t.Errorf("%s (- want, + got):\n%s", step.reason, d)
		}
	}
}

func TestTheFirstAnswerAndTheEndOfAnApplicationConcernEveryRow(t *testing.T) {
	x := newWantedIndex()
	x.concern(configMap("one"), "a")
	if x.decided("b") {
		t.Error("b was never compared, and counts as decided")
	}
	want := map[string][]object.Key{"a": {configMap("one")}}
	if d := cmp.Diff(want, x.set("b", server, asks("other"))); d != "" {
		t.Errorf("first answer (- want, + got):\n%s", d)
	}
	x.concern(configMap("one"), "a")
	if d := cmp.Diff(want, x.set("b", "", nil)); d != "" {
		t.Errorf("end (- want, + got):\n%s", d)
	}
	if got := x.of(server, configMap("other")); len(got) != 0 {
		t.Errorf("%v still desire what only a deleted application did", got)
	}
}

func TestWhatAProjectRefusesIsNotClaimed(t *testing.T) {
	x := newWantedIndex()
	s := asks("one")
	s.Objects[0].Refused = errGone
	x.set("b", server, s)
	if got := x.of(server, configMap("one")); len(got) != 0 {
		t.Errorf("%v claim it", got)
	}
}

func TestWhoDesiresAKind(t *testing.T) {
	x := newWantedIndex()
	of := func() []string {
		return slices.Sorted(slices.Values(x.ofKind(server, schema.GroupKind{Kind: "ConfigMap"})))
	}
	x.set("a", server, asks("one", "two"))
	x.set("b", server, asks("two"))
	if got := of(); !slices.Equal(got, []string{"a", "b"}) {
		t.Error(got)
	}
	x.set("a", server, asks("two"))
	x.set("b", "", nil)
	if got := of(); !slices.Equal(got, []string{"a"}) {
		t.Error(got)
	}
	x.set("a", "elsewhere", asks("two"))
	if got := of(); len(got) != 0 {
		t.Error(got)
	}
}

func TestLate(t *testing.T) {
	s := newAppState("a")
	if !s.isLate() {
		t.Error("an application that was never looked at is not late")
	}
	seen := s.newsSeen()
	s.setLate() // while the pass goes on
	s.looked(seen, "")
	if !s.isLate() {
		t.Error("news that came during the pass was not seen by it")
	}
	s.looked(s.newsSeen(), "")
	if s.isLate() {
		t.Error("all news was seen")
	}
}

// What rows depend on is forgotten with the rows: objects that come and go leave nothing behind.
func TestNothingIsKeptOfRowsThatAreGone(t *testing.T) {
	x := newWantedIndex()
	x.concern(configMap("one"), "a")
	x.concern(configMap("one"), "b")
	x.unconcern(configMap("one"), "a")
	if want := map[string][]object.Key{"b": {configMap("one")}}; !cmp.Equal(want, x.set("c", server, asks("one"))) {
		t.Error("another application's row is forgotten too, or the one that is gone is told of")
	}
	x.concern(configMap("one"), "a")
	x.concern(configMap("two"), "b")
	x.unconcern(configMap("two"), "b")
	x.set("a", "", nil)
	if len(x.concerned) != 0 {
		t.Errorf("%v are still kept", x.concerned)
	}
}
