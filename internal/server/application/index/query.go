// SPDX-License-Identifier: Apache-2.0

package index

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
)

// Query chooses entries. Values of one field are alternatives; an empty field lets everything through.
type Query struct {
	// Sees says whether the caller may see an entry; nil sees all.
	Sees func(*Entry) bool
	// Name and AppNamespace are exact.
	Name, AppNamespace string
	Selector           labels.Selector
	// Words all have to be found, letter case aside, in what an application is called and where it comes from and goes to.
	Words []string

	Projects, Namespaces, Clusters, Repos, Sync, Health, Operation, AutoSync []string
}

// Words cuts a search into its words.
func Words(search string) []string { return strings.Fields(strings.ToLower(search)) }

// FacetCount is a value of a facet and how many entries would be left if it were chosen.
type FacetCount struct {
	Value string
	Count int64
}

// The facets, by their names in queries.
const (
	FacetProjects   = "projects"
	FacetNamespaces = "namespaces"
	FacetClusters   = "clusters"
	FacetRepos      = "repos"
	FacetSync       = "sync"
	FacetHealth     = "health"
	FacetOperation  = "operation"
	FacetAutoSync   = "autoSync"
)

// facet is one field that can be chosen by.
type facet struct {
	name   string
	chosen func(*Query) []string
	// values are those that an entry counts for; matches says whether it has a value that was asked for.
	values  func(e *Entry, each func(string))
	matches func(e *Entry, value string) bool
}

var facets = []facet{
	plainFacet(FacetProjects, func(q *Query) []string { return q.Projects }, func(e *Entry) string { return e.Project }),
	plainFacet(FacetNamespaces, func(q *Query) []string { return q.Namespaces }, func(e *Entry) string { return e.App.Spec.Destination.Namespace }),
	{
		FacetClusters, func(q *Query) []string { return q.Clusters },
		func(e *Entry, each func(string)) { each(e.destination()) },
		func(e *Entry, value string) bool { return value == e.server || value == e.cluster },
	},
	{
		FacetRepos, func(q *Query) []string { return q.Repos },
		func(e *Entry, each func(string)) {
			for _, r := range e.repos {
				each(r)
			}
		},
		func(e *Entry, value string) bool { return e.reads(value) },
	},
	plainFacet(FacetSync, func(q *Query) []string { return q.Sync }, (*Entry).sync),
	plainFacet(FacetHealth, func(q *Query) []string { return q.Health }, (*Entry).health),
	plainFacet(FacetOperation, func(q *Query) []string { return q.Operation }, func(e *Entry) string { return e.operation }),
	plainFacet(FacetAutoSync, func(q *Query) []string { return q.AutoSync }, func(e *Entry) string { return e.auto }),
}

func plainFacet(name string, chosen func(*Query) []string, value func(*Entry) string) facet {
	return facet{
		name, chosen,
		func(e *Entry, each func(string)) { each(value(e)) },
		func(e *Entry, wanted string) bool { return value(e) == wanted },
	}
}

// reads reports whether one of the sources is of a repository, in whatever form its address is written.
func (e *Entry) reads(repo string) bool {
	wanted := object.NormaliseRepoURL(repo)
	return slices.ContainsFunc(e.repos, func(r string) bool { return r == repo || object.NormaliseRepoURL(r) == wanted })
}

// Match reports whether an entry is chosen.
func (q *Query) Match(e *Entry) bool {
	if !q.reaches(e) {
		return false
	}
	for i := range facets {
		if !facets[i].lets(q, e) {
			return false
		}
	}
	return true
}

// reaches reports whether an entry is chosen by all that is no facet.
func (q *Query) reaches(e *Entry) bool {
	switch {
	case q.Name != "" && e.App.Name != q.Name, q.AppNamespace != "" && e.App.Namespace != q.AppNamespace:
		return false
	case q.Selector != nil && !q.Selector.Matches(labels.Set(e.App.Labels)):
		return false
	}
	for _, word := range q.Words {
		if !strings.Contains(e.search, word) {
			return false
		}
	}
	return q.Sees == nil || q.Sees(e)
}

func (f *facet) lets(q *Query, e *Entry) bool {
	chosen := f.chosen(q)
	return len(chosen) == 0 || slices.ContainsFunc(chosen, func(value string) bool { return f.matches(e, value) })
}

// Result is what a query found.
type Result struct {
	Entries         []*Entry // ordered by name
	Facets          map[string][]FacetCount
	ResourceVersion string
}

// Find returns what a query chooses, and its facets: for each field how many entries each value would leave if it were chosen
// beside what is chosen in the others. The most frequent values come first.
func (x *Index) Find(q *Query) Result {
	all, rv := x.All()
	c := newCounter(q)
	found := all[:0]
	for _, e := range all {
		if q.reaches(e) && c.count(e) {
			found = append(found, e)
		}
	}
	return Result{Entries: found, Facets: facetCounts(c.counts), ResourceVersion: rv}
}

// counter counts the entries of one query. What it needs for each of ten thousand it has made beforehand.
type counter struct {
	query  *Query
	chosen []int // the facets that something was chosen in
	counts []map[string]int64
	add    []func(string) // counts a value, by facet
}

func newCounter(q *Query) *counter {
	c := &counter{query: q, counts: make([]map[string]int64, len(facets)), add: make([]func(string), len(facets))}
	for i := range facets {
		if len(facets[i].chosen(q)) > 0 {
			c.chosen = append(c.chosen, i)
		}
		counts := map[string]int64{}
		c.counts[i] = counts
		c.add[i] = func(value string) {
			if value != "" {
				counts[value]++
			}
		}
	}
	return c
}

// count counts an entry in the facets that it would be left by, and reports whether it is chosen.
func (c *counter) count(e *Entry) bool {
	out := -1 // the facet that leaves it out
	for _, i := range c.chosen {
		if facets[i].lets(c.query, e) {
			continue
		}
		if out >= 0 {
			return false // two do: no single choice would let it in
		}
		out = i
	}
	if out >= 0 {
		facets[out].values(e, c.add[out])
		return false
	}
	for i := range facets {
		facets[i].values(e, c.add[i])
	}
	return true
}

func facetCounts(counts []map[string]int64) map[string][]FacetCount {
	out := make(map[string][]FacetCount, len(facets))
	for i, values := range counts {
		list := make([]FacetCount, 0, len(values))
		for value, n := range values {
			list = append(list, FacetCount{value, n})
		}
		slices.SortFunc(list, func(a, b FacetCount) int {
			if a.Count != b.Count {
				return int(b.Count - a.Count)
			}
			return strings.Compare(a.Value, b.Value)
		})
		out[facets[i].name] = list
	}
	return out
}

// rankOf orders what is worse before what is better.
func rankOf[T ~string](order []T, value string) string {
	at := slices.Index(order, T(value))
	if at < 0 {
		at = len(order)
	}
	return string(rune('a' + at))
}

var healthRanks = []v1alpha1.HealthStatusCode{
	v1alpha1.HealthStatusDegraded, v1alpha1.HealthStatusUnknown, v1alpha1.HealthStatusMissing, v1alpha1.HealthStatusProgressing,
	v1alpha1.HealthStatusSuspended, v1alpha1.HealthStatusHealthy,
}

var syncRanks = []v1alpha1.SyncStatusCode{v1alpha1.SyncStatusCodeOutOfSync, v1alpha1.SyncStatusCodeUnknown, v1alpha1.SyncStatusCodeSynced}
