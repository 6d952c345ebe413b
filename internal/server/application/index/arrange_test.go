// SPDX-License-Identifier: Apache-2.0

package index_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/server/application/attention"
	"github.com/bowline-cd/bowline/internal/server/application/index"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func judge(e *index.Entry) attention.Verdict { return e.Judge(attention.Around{Now: noon}) }

// degraded since so many minutes.
func degraded(minutes int) func(*v1alpha1.Application) {
	return func(a *v1alpha1.Application) {
		at := metav1.NewTime(noon.Add(-time.Duration(minutes) * time.Minute))
		a.Status.Health = v1alpha1.AppHealthStatus{Status: v1alpha1.HealthStatusDegraded, LastTransitionTime: &at}
	}
}

func arranged(t *testing.T, x *index.Index, order, group string) index.Arrangement {
	t.Helper()
	a, err := x.Arrange(&index.Query{Judge: judge}, order, group)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestTheWorstComesFirstAndOfThoseTheOldest(t *testing.T) {
	x := filled(app("a", 1), app("b", 2, degraded(5)), app("c", 3, degraded(50)), app("d", 4, func(a *v1alpha1.Application) {
		a.Status.Health = v1alpha1.AppHealthStatus{Status: v1alpha1.HealthStatusDegraded} // since when nobody knows
	}), app("e", 5, health(v1alpha1.HealthStatusUnknown)))
	if got := hitNames(arranged(t, x, "attention", "").Hits); !slices.Equal(got, []string{"c", "b", "d", "e", "a"}) {
		t.Error(got)
	}
	if got := hitNames(arranged(t, x, "-attention", "").Hits); !slices.Equal(got, []string{"a", "e", "d", "b", "c"}) {
		t.Error(got)
	}
}

// A refresh writes a new comparison: what differs does so for as long as before.
func TestDriftIsAsOldAsItIs(t *testing.T) {
	compared := func(minutes int, code v1alpha1.SyncStatusCode) func(*v1alpha1.Application) {
		return func(a *v1alpha1.Application) {
			at := metav1.NewTime(noon.Add(-time.Duration(minutes) * time.Minute))
			a.Status.Sync.Status, a.Status.ReconciledAt = code, &at
		}
	}
	x := filled(app("a", 1, compared(90, v1alpha1.SyncStatusCodeSynced)))
	for i, step := range []struct {
		minutes, want int
		code          v1alpha1.SyncStatusCode
	}{{60, 60, "OutOfSync"}, {50, 60, "OutOfSync"}, {40, 60, "OutOfSync"}, {30, 0, "Synced"}, {20, 20, "OutOfSync"}} {
		x.Put(app("a", i+2, compared(step.minutes, step.code)))
		v := judge(x.Get("argocd", "a"))
		if want := noon.Add(-time.Duration(step.want) * time.Minute); step.want > 0 && !v.Since.Equal(want) {
			t.Errorf("step %d: since %s, want %s", i, v.Since, want)
		}
	}
}

func values(groups []index.Group) (out []string) {
	for _, g := range groups {
		out = append(out, g.Value)
	}
	return out
}

func TestGroups(t *testing.T) {
	team := func(name string) func(*v1alpha1.Application) {
		return func(a *v1alpha1.Application) { a.Labels = map[string]string{"team": name} }
	}
	x := filled(app("a", 1, team("web")), app("b", 2), app("c", 3, team("data"), project("infra")), app("d", 4, team("web"), degraded(1)))
	for _, test := range []struct {
		order, group string
		groups, rows []string
	}{
		{"", "label:team", []string{"data", "web", ""}, []string{"c", "a", "d", "b"}},
		{"-name", "label:team", []string{"data", "web", ""}, []string{"c", "d", "a", "b"}},
		{"attention", "label:team", []string{"web", "data", ""}, []string{"d", "a", "c", "b"}},
		{"", "projects", []string{"infra", "shop"}, []string{"c", "a", "b", "d"}},
		{"", "health", []string{"Degraded", "Healthy"}, []string{"d", "a", "b", "c"}},
		{"", "attention", []string{"broken", "fine"}, []string{"d", "a", "b", "c"}},
		{"", "owners", []string{""}, []string{"a", "b", "c", "d"}},
	} {
		got := arranged(t, x, test.order, test.group)
		if !slices.Equal(values(got.Groups), test.groups) || !slices.Equal(hitNames(got.Hits), test.rows) {
			t.Errorf("%s by %s: %v %v", test.group, test.order, values(got.Groups), hitNames(got.Hits))
		}
	}
	if _, err := x.Arrange(&index.Query{}, "", "labels"); err == nil {
		t.Error("an application is in many groups of labels")
	}
}

func TestAWindowIsWhatAScreenShows(t *testing.T) {
	x := filled()
	for i := range 20 {
		x.Put(app(fmt.Sprintf("app-%02d", i), i+1, project([]string{"one", "two"}[i/10])))
	}
	a := arranged(t, x, "", "projects")
	for _, test := range []struct {
		folded        []string
		offset, limit int64
		first, last   string
		at, total     int64
	}{
		{nil, 8, 4, "app-08", "app-11", 8, 20},
		{nil, 0, 100, "app-00", "app-19", 0, 20},
		{nil, -5, 3, "app-00", "app-02", 0, 20},
		{nil, 20, 3, "app-17", "app-19", 17, 20},
		{[]string{"one"}, 0, 3, "app-10", "app-12", 0, 10},
		{[]string{"one"}, 9, 3, "app-19", "app-19", 9, 10},
		{[]string{"one", "two"}, 3, 3, "", "", 0, 0},
	} {
		w := a.Window(test.folded, test.offset, test.limit)
		first, last := "", ""
		if n := len(w.Hits); n > 0 {
			first, last = w.Hits[0].App.Name, w.Hits[n-1].App.Name
		}
		if first != test.first || last != test.last || w.Offset != test.at || w.Total != test.total {
			t.Errorf("%+v: %s to %s at %d of %d", test, first, last, w.Offset, w.Total)
		}
	}
}

func TestFacetsThatHaveManyValuesTellTheMostFrequentAndTheChosen(t *testing.T) {
	x := filled()
	for i := range 300 {
		x.Put(app(fmt.Sprintf("app-%03d", i), i+1, func(a *v1alpha1.Application) {
			a.Labels = map[string]string{"id": fmt.Sprintf("%03d", i), "all": "yes"}
		}))
	}
	counts := x.Find(&index.Query{Labels: []string{"id=299"}}).Facets[index.FacetLabels]
	if len(counts) != 201 || counts[0] != (index.FacetCount{Value: "all=yes", Count: 1}) || counts[200].Value != "id=299" {
		t.Errorf("%d values, %v first, %v last", len(counts), counts[0], counts[len(counts)-1])
	}
}

func TestWhoMadeAnApplication(t *testing.T) {
	yes := true
	annotated := func(id string) func(*v1alpha1.Application) {
		return func(a *v1alpha1.Application) {
			a.Annotations = map[string]string{v1alpha1.AnnotationKeyAppInstance: id}
			a.Labels = map[string]string{v1alpha1.LabelKeyAppInstance: "release"}
		}
	}
	for what, test := range map[string]struct {
		change func(*v1alpha1.Application)
		want   string
	}{
		"an ApplicationSet": {func(a *v1alpha1.Application) {
			a.OwnerReferences = []metav1.OwnerReference{{Kind: "Other", Name: "x"}, {Kind: "ApplicationSet", Name: "teams", Controller: &yes}}
		}, "ApplicationSet/teams"},
		"an application of applications":              {annotated("root:argoproj.io/Application:argocd/a"), "Application/root"},
		"one in another namespace":                    {annotated("team_root:argoproj.io/Application:argocd/a"), "Application/team/root"},
		"the mark of another, copied":                 {annotated("root:argoproj.io/Application:argocd/b"), ""},
		"only a label, which many a chart writes":     {func(a *v1alpha1.Application) { a.Labels = map[string]string{v1alpha1.LabelKeyAppInstance: "release"} }, ""},
		"an owner that does not control, and no mark": {func(a *v1alpha1.Application) { a.OwnerReferences = []metav1.OwnerReference{{Kind: "Other", Name: "x"}} }, ""},
	} {
		if got := filled(app("a", 1, test.change)).Get("argocd", "a").Owner; got != test.want {
			t.Errorf("%s: %q", what, got)
		}
	}
}

func TestChangesThatNoListShowsAreNotAnnounced(t *testing.T) {
	x := filled(app("a", 1))
	announced := func(what string, want bool, do func()) {
		t.Helper()
		before, next := x.Changed()
		do()
		after, _ := x.Changed()
		closed := false
		select {
		case <-next:
			closed = true
		default:
		}
		if closed != want || (after > before) != want {
			t.Errorf("%s: announced %v, %d after %d", what, closed, after, before)
		}
	}
	announced("its history", false, func() {
		x.Put(app("a", 2, func(a *v1alpha1.Application) { a.Status.History = v1alpha1.RevisionHistories{{ID: 1}} }))
	})
	announced("its health", true, func() { x.Put(app("a", 3, degraded(1))) })
	announced("the same again", false, func() { x.Put(app("a", 3, degraded(1))) })
	announced("another", true, func() { x.Put(app("b", 4)) })
	announced("its end", true, func() { x.Drop(app("b", 5)) })
}

// BenchmarkArrange is what a change costs all who look at one list of 10,000 applications in groups.
func BenchmarkArrange(b *testing.B) {
	x := filled()
	for i := range 10_000 {
		x.Put(app(fmt.Sprintf("app-%05d", i), i+1, project(fmt.Sprintf("team-%d", i%50)), func(a *v1alpha1.Application) {
			a.Spec.Source.RepoURL = fmt.Sprintf("https://git.example.com/repo-%d", i%200)
			a.Spec.Destination.Namespace = fmt.Sprintf("ns-%d", i%500)
			a.Labels = map[string]string{"team": fmt.Sprintf("team-%d", i%50), "env": "prod", "id": fmt.Sprint(i)}
			if i%11 == 0 {
				degraded(i % 1000)(a)
			}
		}))
	}
	for _, order := range []string{"name", "attention", "created"} {
		b.Run(order, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := x.Arrange(&index.Query{Judge: judge}, order, "projects"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestLabelsOfDifferentKeysHaveToMatchTogether, as people read a list of labels; values of one key are alternatives.
func TestLabelsOfDifferentKeysHaveToMatchTogether(t *testing.T) {
	x := index.New(index.Options{Object: func(a *v1alpha1.Application) string { return a.Name }})
	for name, labels := range map[string]map[string]string{
		"a": {"env": "prod", "team": "shop"}, "b": {"env": "prod", "team": "pay"}, "c": {"env": "staging", "team": "shop"}, "d": {"team": "pay"},
	} {
		a := &v1alpha1.Application{}
		a.Name, a.Labels = name, labels
		x.Put(a)
	}
	for _, tt := range []struct {
		chosen []string
		found  string
		counts map[string]int64
	}{
		{[]string{"env=prod"}, "ab", map[string]int64{"env=prod": 2, "env=staging": 1, "team=shop": 1, "team=pay": 1}},
		{[]string{"env=prod", "team=shop"}, "a", map[string]int64{"env=prod": 1, "env=staging": 1, "team=shop": 1, "team=pay": 1}},
		{[]string{"env=prod", "env=staging", "team=shop"}, "ac", map[string]int64{"env=prod": 1, "env=staging": 1, "team=shop": 2, "team=pay": 1}},
	} {
		result := x.Find(&index.Query{Labels: tt.chosen})
		found, counts := "", map[string]int64{}
		for _, e := range result.Hits {
			found += e.App.Name
		}
		for _, c := range result.Facets[index.FacetLabels] {
			counts[c.Value] = c.Count
		}
		if found != tt.found || !maps.Equal(counts, tt.counts) {
			t.Errorf("%v finds %s with %v, want %s with %v", tt.chosen, found, counts, tt.found, tt.counts)
		}
	}
}
