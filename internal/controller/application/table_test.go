// SPDX-License-Identifier: Apache-2.0

package application

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/health"
	"github.com/bowline-cd/bowline/internal/object"
)

// foldRows is what a fold has to be: made from nothing but the rows.
func foldRows(rows []*row, complete, persistHealth bool) folded {
	out := folded{sync: v1alpha1.SyncStatusCodeSynced}
	var tally health.Tally
	doubt, counts := !complete, false
	for _, r := range rows {
		counts = counts || r.counts()
		doubt = doubt || r.verdict == Unknown || r.verdict == Refused
		tally.Add(r.child())
		out.resources = append(out.resources, r.status(persistHealth))
		out.images = append(out.images, r.images...)
		out.appOfApps = out.appOfApps || r.isApplication()
	}
	switch {
	case counts:
		out.sync = v1alpha1.SyncStatusCodeOutOfSync
	case doubt:
		out.sync = v1alpha1.SyncStatusCodeUnknown
	}
	out.health = tally.Status()
	for _, r := range rows {
		if r.explains() && r.health.Status == out.health && out.message == "" {
			out.message = fmt.Sprintf("%s: %s", r.key, r.health.Message)
		}
	}
	slices.Sort(out.images)
	out.images = slices.Compact(out.images)
	return out
}

var healths = []v1alpha1.HealthStatusCode{"", v1alpha1.HealthStatusHealthy, v1alpha1.HealthStatusSuspended, v1alpha1.HealthStatusProgressing,
	v1alpha1.HealthStatusMissing, v1alpha1.HealthStatusDegraded, v1alpha1.HealthStatusUnknown}

// anyRow returns a row of one of a few objects, in any state.
func anyRow(r *rand.Rand) *row {
	kind := []string{"Deployment", "ConfigMap", "Application"}[r.IntN(3)]
	out := &row{key: object.Key{Kind: kind, Namespace: "shop", Name: string(rune('a' + r.IntN(5)))}, verdict: Verdict(r.IntN(6))}
	if kind == "Application" {
		out.key.Group = v1alpha1.Group
	}
	flip := func() bool { return r.IntN(4) == 0 }
	out.live.present, out.live.deleting = r.IntN(5) > 0, flip()
	if out.health.Status = healths[r.IntN(len(healths))]; out.health.Status != "" {
		out.hasHealth, out.health.Message = true, []string{"", "one", "two"}[r.IntN(3)]
	}
	out.ignoreHealth, out.ignoreExtraneous, out.keep = flip(), flip(), flip()
	for range r.IntN(3) {
		out.images = append(out.images, string(rune('p'+r.IntN(4))))
	}
	if flip() {
		out.reason = "why"
	}
	if flip() {
		out.shared = "other"
	}
	return out
}

// Whatever happened to the rows, the status is what folding them anew gives; and whoever was not told of news has a status
// that is still true.
func TestTheSumsAreWhatCountingAnewGives(t *testing.T) {
	runs := 60
	if os.Getenv("BOWLINE_SOAK") != "" {
		runs = 5000
	}
	for run := range runs {
		r := rand.New(rand.NewPCG(1, uint64(run)))
		persist := run%2 == 1
		table := newTable()
		table.persistHealth(persist)
		said := table.fold(true)
		table.takeNews()
		for step := range 60 {
			what := change(r, table)
			if step%3 == 0 {
				table.fold(true) // so that what is kept of a fold is there to go stale
			}
			want := foldRows(sortedRows(table.rows), true, persist)
			if news := table.takeNews(); !news && !cmp.Equal(said, want, foldOptions...) {
				t.Fatalf("run %d, step %d: %s was no news, and the status changed (- told, + true):\n%s", run, step, what, cmp.Diff(said, want, foldOptions...))
			}
			said = table.fold(true)
			if d := cmp.Diff(want, said, foldOptions...); d != "" {
				t.Fatalf("run %d, step %d: after %s (- anew, + kept):\n%s", run, step, what, d)
			}
			checkSets(t, table)
		}
	}
}

var foldOptions = []cmp.Option{cmp.AllowUnexported(folded{}), cmpopts.EquateEmpty()}

// change does something to a table and says what.
func change(r *rand.Rand, table *table) string {
	one := anyRow(r)
	switch n := r.IntN(20); {
	case n == 0:
		table.clear()
		return "clear"
	case n < 4:
		table.drop(one.key)
		return "drop " + one.key.String()
	case n < 8:
		message := one.health.Message
		table.edit(one.key, func(r *row) { r.health.Message = message })
		return "another message of " + one.key.String()
	case n == 8:
		table.keep(keySet{one.key: {}})
		return "keep " + one.key.String()
	default:
		table.put(one)
		return "put " + one.key.String()
	}
}

func checkSets(t *testing.T, table *table) {
	t.Helper()
	for name, of := range map[string]struct {
		set keySet
		in  func(*row) bool
	}{
		"unknown": {table.sums.unknown, func(r *row) bool { return r.verdict == Unknown }},
		"kept":    {table.sums.kept, func(r *row) bool { return r.keep }},
		"told":    {table.sums.told, (*row).told},
	} {
		want := keySet{}
		for key, r := range table.rows {
			if of.in(r) {
				want[key] = struct{}{}
			}
		}
		if d := cmp.Diff(want, of.set); d != "" {
			t.Fatalf("%s (- anew, + kept):\n%s", name, d)
		}
	}
}

// How far a rollout has come is no news; why something is broken is.
func TestWhatIsNews(t *testing.T) {
	base := row{key: configMap("b"), verdict: Same, live: identity{present: true, uid: "1", resourceVersion: "1"}, images: []string{"web:1"}}
	judged := func(code v1alpha1.HealthStatusCode, message string) func(*row) {
		return func(r *row) { r.hasHealth, r.health = true, health.Status{Status: code, Message: message} }
	}
	for _, tt := range []struct {
		reason       string
		first, then  func(*row)
		news, inline bool // inline: if the health of every object is written
	}{
		{"another resourceVersion", nil, func(r *row) { r.live.resourceVersion = "2" }, false, false},
		{"another object of that name", nil, func(r *row) { r.live.uid = "2" }, false, false},
		{"a rollout that goes on", judged(v1alpha1.HealthStatusProgressing, "1 of 3"), judged(v1alpha1.HealthStatusProgressing, "2 of 3"), false, true},
		{"another reason", judged(v1alpha1.HealthStatusDegraded, "no memory"), judged(v1alpha1.HealthStatusDegraded, "no image"), true, true},
		{"a worse health", judged(v1alpha1.HealthStatusProgressing, ""), judged(v1alpha1.HealthStatusDegraded, ""), true, true},
		{"another image", nil, func(r *row) { r.images = []string{"web:2"} }, true, true},
		{"it differs", nil, func(r *row) { r.verdict = Different }, true, true},
		{"it is being deleted", nil, func(r *row) { r.live.deleting = true }, true, true},
		{"it is another application's", nil, func(r *row) { r.shared = "other" }, true, true},
	} {
		for _, persist := range []bool{false, true} {
			table := newTable()
			table.persistHealth(persist)
			first := base
			if tt.first != nil {
				tt.first(&first)
			}
			table.put(&first)
			table.takeNews()
			then := first
			tt.then(&then)
			table.put(&then)
			if want := tt.news && !persist || tt.inline && persist; table.takeNews() != want {
				t.Errorf("%s (health of every object is written: %v): want news %v", tt.reason, persist, want)
			}
		}
	}
}

// An object whose message does not show, because another one comes first, may change it as often as it likes.
func TestOnlyTheMessageThatShowsIsNews(t *testing.T) {
	table := newTable()
	put := func(name, message string) {
		table.put(&row{key: configMap(name), verdict: Same, live: identity{present: true}, hasHealth: true,
			health: health.Status{Status: v1alpha1.HealthStatusDegraded, Message: message}})
	}
	put("a", "one")
	put("b", "one")
	table.fold(true)
	table.takeNews()
	if put("b", "two"); table.takeNews() {
		t.Error("b is not what the status quotes")
	}
	if put("a", "two"); !table.takeNews() {
		t.Error("a is what the status quotes")
	}
	if got := table.fold(true).message; got != "ConfigMap shop/a: two" {
		t.Errorf("the status says %q", got)
	}
}
