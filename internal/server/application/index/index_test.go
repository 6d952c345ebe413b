// SPDX-License-Identifier: Apache-2.0

package index_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/server/application/index"
)

// app returns an application; rv is its resource version.
func app(name string, rv int, change ...func(*v1alpha1.Application)) *v1alpha1.Application {
	a := &v1alpha1.Application{ObjectMeta: metav1.ObjectMeta{Namespace: "argocd", Name: name, UID: types.UID("uid-" + name), ResourceVersion: strconv.Itoa(rv)}}
	a.Spec.Project = "shop"
	a.Spec.Source = &v1alpha1.ApplicationSource{RepoURL: "https://git.example.com/shop.git"}
	a.Spec.Destination = v1alpha1.ApplicationDestination{Server: "https://kubernetes.default.svc", Namespace: "web"}
	a.Status.Sync.Status, a.Status.Health.Status = v1alpha1.SyncStatusCodeSynced, v1alpha1.HealthStatusHealthy
	for _, c := range change {
		c(a)
	}
	return a
}

func project(p string) func(*v1alpha1.Application) {
	return func(a *v1alpha1.Application) { a.Spec.Project = p }
}

func health(h v1alpha1.HealthStatusCode) func(*v1alpha1.Application) {
	return func(a *v1alpha1.Application) { a.Status.Health.Status = h }
}

func filled(apps ...*v1alpha1.Application) *index.Index {
	x := index.New(index.Options{Object: func(a *v1alpha1.Application) string { return a.Spec.Project + "/" + a.Name }})
	for _, a := range apps {
		x.Put(a)
	}
	x.Filled()
	return x
}

func names(entries []*index.Entry) []string {
	out := []string{}
	for _, e := range entries {
		out = append(out, e.App.Name)
	}
	return out
}

func hitNames(hits []index.Hit) []string {
	out := []string{}
	for _, h := range hits {
		out = append(out, h.App.Name)
	}
	return out
}

func TestQueries(t *testing.T) {
	labelled := func(a *v1alpha1.Application) { a.Labels = map[string]string{"team": "Web"} }
	named := func(a *v1alpha1.Application) {
		a.Spec.Destination = v1alpha1.ApplicationDestination{Name: "edge", Namespace: "db"}
	}
	x := filled(app("a", 1, labelled), app("b", 2, project("infra")), app("c", 3, named), app("d", 4, health(v1alpha1.HealthStatusDegraded)))
	team, err := labels.Parse("team=Web")
	if err != nil {
		t.Fatal(err)
	}
	for what, test := range map[string]struct {
		query index.Query
		want  []string
	}{
		"everything":                   {index.Query{}, []string{"a", "b", "c", "d"}},
		"by project":                   {index.Query{Projects: []string{"infra", "none"}}, []string{"b"}},
		"by label":                     {index.Query{Selector: team}, []string{"a"}},
		"words of labels, any case":    {index.Query{Words: index.Words("TEAM=web A")}, []string{"a"}},
		"every word has to be there":   {index.Query{Words: index.Words("infra team")}, []string{}},
		"a repository in another form": {index.Query{Repos: []string{"https://GIT.example.com/shop"}, Projects: []string{"infra"}}, []string{"b"}},
		"by name of the cluster":       {index.Query{Clusters: []string{"edge"}}, []string{"c"}},
		"by health":                    {index.Query{Health: []string{"Degraded"}}, []string{"d"}},
		"by names":                     {index.Query{Names: map[types.NamespacedName]bool{{Namespace: "argocd", Name: "d"}: true, {Namespace: "team", Name: "a"}: true}}, []string{"d"}},
		"what may be seen":             {index.Query{Sees: func(e *index.Entry) bool { return e.Object == "shop/c" }}, []string{"c"}},
	} {
		if got := hitNames(x.Find(&test.query).Hits); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", what, got, test.want)
		}
	}
}

func TestAFacetCountsWhatItsOtherValuesWouldLeave(t *testing.T) {
	x := filled(app("a", 1), app("b", 2, health(v1alpha1.HealthStatusDegraded)), app("c", 3, project("infra")),
		app("d", 4, project("infra"), health(v1alpha1.HealthStatusDegraded)), app("hidden", 5))
	found := x.Find(&index.Query{
		Projects: []string{"shop"}, Health: []string{"Healthy"}, Sees: func(e *index.Entry) bool { return e.App.Name != "hidden" },
	})
	if got := hitNames(found.Hits); !slices.Equal(got, []string{"a"}) {
		t.Fatal(got)
	}
	// Of projects those count that are healthy; of health those in shop; of the rest what was found.
	for name, want := range map[string][]index.FacetCount{
		index.FacetProjects: {{Value: "infra", Count: 1}, {Value: "shop", Count: 1}},
		index.FacetHealth:   {{Value: "Degraded", Count: 1}, {Value: "Healthy", Count: 1}},
		index.FacetSync:     {{Value: "Synced", Count: 1}},
	} {
		if got := found.Facets[name]; !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

func TestPagesHaveEachApplicationOnceWhateverComesAndGoes(t *testing.T) {
	for _, order := range []string{"", "name", "-name", "health", "-health", "created", "project", "attention", "-attention"} {
		x := index.New(index.Options{Object: func(a *v1alpha1.Application) string { return a.Name }})
		for i := range 50 {
			x.Put(app(fmt.Sprintf("app-%02d", i), i+1, func(a *v1alpha1.Application) {
				if i%3 == 0 {
					a.Status.Health.Status = v1alpha1.HealthStatusDegraded
				}
				a.CreationTimestamp = metav1.NewTime(time.Unix(int64(1000+i%7), 0))
			}))
		}
		seen := map[string]int{}
		from := ""
		for round := 0; ; round++ {
			page, err := index.Cut(x.Find(&index.Query{Judge: judge}).Hits, order, from, 7)
			if err != nil {
				t.Fatalf("%q: %v", order, err)
			}
			for _, e := range page.Hits {
				seen[e.App.Name]++
			}
			if from = page.Continue; from == "" {
				break
			}
			last := page.Hits[len(page.Hits)-1]
			x.Drop(last.App) // the page that comes begins behind what is gone
			x.Put(app(fmt.Sprintf("new-%02d", round), 100+round))
			if round > 20 {
				t.Fatalf("%q: the pages never end", order)
			}
		}
		for i := range 50 {
			if n := seen[fmt.Sprintf("app-%02d", i)]; n != 1 {
				t.Errorf("%q: app-%02d came %d times", order, i, n)
			}
		}
	}
}

func TestAPageThatCannotBeCutSaysWhy(t *testing.T) {
	x := filled(app("a", 1), app("b", 2))
	all := x.Find(&index.Query{}).Hits
	page, err := index.Cut(all, "health", "", 1)
	if err != nil || page.Continue == "" || page.Remaining != 1 {
		t.Fatalf("%+v, %v", page, err)
	}
	for _, bad := range []struct{ order, from string }{{"colour", ""}, {"", "%%%"}, {"", "e30"}, {"name", page.Continue}} {
		if _, err := index.Cut(all, bad.order, bad.from, 1); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}

func TestASubscriberThatIsSlowGetsTheNewestOfEach(t *testing.T) {
	x := filled(app("a", 1), app("b", 2))
	sub, start := x.Subscribe(nil, "")
	defer sub.Close()
	if got := names(start.Entries); !slices.Equal(got, []string{"a", "b"}) {
		t.Fatal(got)
	}
	for rv := 3; rv < 1000; rv++ {
		x.Put(app("b", rv))
	}
	x.Put(app("b", 999)) // the same again is no news
	x.Put(app("c", 1000))
	x.Drop(app("a", 1001))
	<-sub.Wake
	got := sub.Take()
	if !slices.Equal(names(got), []string{"b", "c", "a"}) || got[0].App.ResourceVersion != "999" || !got[2].Deleted {
		t.Fatalf("%v", names(got))
	}
	select {
	case <-sub.Wake:
		t.Error("there is nothing more")
	default:
	}
}

func TestASubscriptionToOneHearsOfNoOther(t *testing.T) {
	x := filled(app("a", 1), app("b", 2))
	sub, start := x.Subscribe(&types.NamespacedName{Namespace: "argocd", Name: "b"}, "")
	defer sub.Close()
	x.Put(app("a", 3))
	select {
	case <-sub.Wake:
		t.Error("woken for another")
	default:
	}
	if got := names(start.Entries); !slices.Equal(got, []string{"b"}) {
		t.Error(got)
	}
}

func TestASubscriptionThatGoesOnHearsWhatWasDeleted(t *testing.T) {
	x := filled(app("a", 1), app("b", 2), app("c", 3))
	x.Drop(app("a", 4))
	_, since := x.All()
	x.Drop(app("b", 5))
	sub, start := x.Subscribe(nil, since)
	sub.Close()
	if got := names(start.Gone); !slices.Equal(got, []string{"a", "b"}) || start.Lost {
		t.Errorf("%v, lost %v", got, start.Lost) // a was deleted at that very version: better once too often
	}
	if _, start = x.Subscribe(nil, "2"); !start.Lost {
		t.Error("what was deleted before the index was filled is not known, and it does not say so")
	}
}

func TestAnApplicationOfTheSameNameIsAnother(t *testing.T) {
	x := filled(app("a", 1))
	before := x.Get("argocd", "a")
	x.Drop(app("a", 2))
	x.Put(app("a", 3, func(a *v1alpha1.Application) { a.UID = "another" }))
	if after := x.Get("argocd", "a"); after.Slot == before.Slot {
		t.Error("it has the slot of the one before")
	}
	x.Put(app("a", 4, func(a *v1alpha1.Application) { a.UID = "another"; a.Spec.Project = "infra" }))
	if after := x.Get("argocd", "a"); after.Right == before.Right {
		t.Error("it moved to another project and is let in by the right of before")
	}
}

func FuzzContinue(f *testing.F) {
	f.Add("e30", "name")
	f.Add("eyJuIjoiYSJ9", "")
	found := filled(app("a", 1), app("b", 2)).Find(&index.Query{}).Hits
	f.Fuzz(func(t *testing.T, from, order string) {
		if page, err := index.Cut(found, order, from, 1); err == nil && len(page.Hits) > 1 {
			t.Error("a page larger than asked for")
		}
	})
}

// BenchmarkFirstPage is the first page of 100 of 10,000 applications, with facets.
func BenchmarkFirstPage(b *testing.B) {
	x := index.New(index.Options{Object: func(a *v1alpha1.Application) string { return a.Name }})
	for i := range 10_000 {
		x.Put(app(fmt.Sprintf("app-%05d", i), i+1, project(fmt.Sprintf("team-%d", i%50)), func(a *v1alpha1.Application) {
			a.Spec.Source.RepoURL = fmt.Sprintf("https://git.example.com/repo-%d", i%200)
			a.Spec.Destination.Namespace = fmt.Sprintf("ns-%d", i%500)
		}))
	}
	for _, order := range []string{"name", "-health"} {
		b.Run(order, func(b *testing.B) {
			for b.Loop() {
				found := x.Find(&index.Query{Words: index.Words("app")})
				if _, err := index.Cut(found.Hits, order, "", 100); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
