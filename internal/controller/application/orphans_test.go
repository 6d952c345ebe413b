// SPDX-License-Identifier: Apache-2.0

package application

import (
	"slices"
	"testing"
	"time"

	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/object"
)

// orphanage is a cluster with some orphans.
type orphanage struct {
	sought  map[string][]string
	orphans []cluster.Orphan
	partly  bool
	counted int
}

func (o *orphanage) SeekOrphans(who string, namespaces ...string) { o.sought[who] = namespaces }

func (o *orphanage) Orphans([]string, func(string) bool, func(object.Key) bool) cluster.Orphans {
	o.counted++
	return cluster.Orphans{Objects: o.orphans, Complete: !o.partly}
}

func TestOrphansAreCountedAgainWhenTheyMayBeOthers(t *testing.T) {
	home := &orphanage{sought: map[string][]string{}, orphans: make([]cluster.Orphan, 2)}
	st := newAppState(shop)
	if st.noteOrphans(shop, now) {
		t.Error("an application that looks for none counts them")
	}
	st.seek(&orphanSearch{cluster: home, namespace: shop})
	st.tellOrphans(2)
	if !slices.Equal(home.sought[shop], []string{shop}) {
		t.Errorf("it looks in %v", home.sought)
	}
	if st.noteOrphans("elsewhere", now) {
		t.Error("those of another namespace concern it")
	}
	if !st.noteOrphans(shop, now) || st.noteOrphans(shop, now) {
		t.Error("a handful of changes asks once")
	}
	for _, tt := range []struct {
		reason string
		at     time.Duration
		change func()
		other  bool
		waits  bool
	}{
		{"it is too soon", orphansPause / 2, func() {}, false, true},
		{"they are as many as before", orphansPause, func() {}, false, false},
		{"nothing changed since", 2 * orphansPause, func() {}, false, false},
		{"one more", 4 * orphansPause, func() {
			home.orphans = append(home.orphans, cluster.Orphan{})
			st.noteOrphans(shop, now.Add(2*orphansPause))
		}, true, false},
		{"it is not known", 6 * orphansPause, func() { home.partly = true; st.noteOrphans("", now.Add(4*orphansPause)) }, false, false},
	} {
		tt.change()
		other, wait := st.otherOrphans(now.Add(tt.at))
		if other != tt.other || (wait > 0) != tt.waits {
			t.Errorf("%s: other %v, wait %s", tt.reason, other, wait)
		}
	}
	if home.counted != 3 {
		t.Errorf("they were counted %d times", home.counted)
	}
}

func TestASearchMovesAndEnds(t *testing.T) {
	one, two := &orphanage{sought: map[string][]string{}}, &orphanage{sought: map[string][]string{}}
	st := newAppState(shop)
	st.seek(&orphanSearch{cluster: one, namespace: "a"})
	st.seek(&orphanSearch{cluster: two, namespace: "b"})
	if len(one.sought[shop]) != 0 || !slices.Equal(two.sought[shop], []string{"b"}) {
		t.Errorf("it looks in %v and %v", one.sought, two.sought)
	}
	st.seek(nil)
	if len(two.sought[shop]) != 0 {
		t.Errorf("it still looks in %v", two.sought)
	}
}
