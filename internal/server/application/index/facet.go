// SPDX-License-Identifier: Apache-2.0

package index

import (
	"slices"
	"strings"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/server/application/attention"
)

// Hit is an entry that a query found, with the verdict of its Judge.
type Hit struct {
	*Entry
	Verdict attention.Verdict
}

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
	FacetLabels     = "labels"
	FacetOwners     = "owners"
	FacetAttention  = "attention"
)

// mostValues is how many values a facet tells of that may have as many as there are applications.
const mostValues = 200

// facet is one field that can be chosen by.
type facet struct {
	name   string
	chosen func(*Query) []string
	// values are those that an entry counts for; matches says whether it has a value that was asked for.
	values  func(h Hit, each func(string))
	matches func(h Hit, value string) bool
	// first is the value that an entry is grouped by, "" if it has none; nil if there is no such grouping.
	first  func(h Hit) string
	most   int  // how many values are told; 0 is all
	judged bool // it needs the verdict
	// part says which part a value belongs to: of what was chosen in each part one value has to match. nil is one part. Labels
	// have one for each key: env=prod and team=shop, but env=prod or env=staging.
	part func(value string) string
}

var facets = []facet{
	plainFacet(FacetProjects, func(q *Query) []string { return q.Projects }, func(h Hit) string { return h.Project }),
	plainFacet(FacetNamespaces, func(q *Query) []string { return q.Namespaces }, func(h Hit) string { return h.namespace }),
	{
		name: FacetClusters, chosen: func(q *Query) []string { return q.Clusters },
		values:  func(h Hit, each func(string)) { each(h.Destination()) },
		matches: func(h Hit, value string) bool { return value == h.server || value == h.cluster },
		first:   func(h Hit) string { return h.Destination() },
	},
	{
		name: FacetRepos, chosen: func(q *Query) []string { return q.Repos },
		values:  func(h Hit, each func(string)) { eachOf(h.repos, each) },
		matches: func(h Hit, value string) bool { return h.reads(value) },
		first: func(h Hit) string {
			if len(h.repos) == 0 {
				return ""
			}
			return h.repos[0]
		},
	},
	plainFacet(FacetSync, func(q *Query) []string { return q.Sync }, func(h Hit) string { return h.sync }),
	plainFacet(FacetHealth, func(q *Query) []string { return q.Health }, func(h Hit) string { return h.health }),
	plainFacet(FacetOperation, func(q *Query) []string { return q.Operation }, func(h Hit) string { return h.operation }),
	plainFacet(FacetAutoSync, func(q *Query) []string { return q.AutoSync }, func(h Hit) string { return h.auto }),
	{
		name: FacetLabels, chosen: func(q *Query) []string { return q.Labels }, most: mostValues,
		values:  func(h Hit, each func(string)) { eachOf(h.labels, each) },
		matches: func(h Hit, value string) bool { return slices.Contains(h.labels, value) },
		part:    func(value string) string { key, _, _ := strings.Cut(value, "="); return key },
	},
	bounded(plainFacet(FacetOwners, func(q *Query) []string { return q.Owners }, func(h Hit) string { return h.Owner })),
	judged(plainFacet(FacetAttention, func(q *Query) []string { return q.Attention }, func(h Hit) string { return h.Verdict.Word() })),
}

func plainFacet(name string, chosen func(*Query) []string, value func(Hit) string) facet {
	return facet{
		name: name, chosen: chosen,
		values:  func(h Hit, each func(string)) { each(value(h)) },
		matches: func(h Hit, wanted string) bool { return value(h) == wanted },
		first:   value,
	}
}

func bounded(f facet) facet { f.most = mostValues; return f }
func judged(f facet) facet  { f.judged = true; return f }

func eachOf(values []string, each func(string)) {
	for _, v := range values {
		each(v)
	}
}

// reads reports whether one of the sources is of a repository, in whatever form its address is written.
func (e *Entry) reads(repo string) bool {
	wanted := object.NormaliseRepoURL(repo)
	return slices.ContainsFunc(e.repos, func(r string) bool { return r == repo || object.NormaliseRepoURL(r) == wanted })
}

func (f *facet) lets(q *Query, h Hit) bool {
	chosen := f.chosen(q)
	if f.part == nil {
		return len(chosen) == 0 || slices.ContainsFunc(chosen, func(value string) bool { return f.matches(h, value) })
	}
	return !slices.ContainsFunc(chosen, func(value string) bool { return !f.partLets(chosen, f.part(value), h) })
}

// partLets reports whether an entry has one of the values that were chosen in a part.
func (f *facet) partLets(chosen []string, part string, h Hit) bool {
	return slices.ContainsFunc(chosen, func(value string) bool { return f.part(value) == part && f.matches(h, value) })
}

// missed calls each with the values that would let in an entry that the facet leaves out.
func (f *facet) missed(q *Query, h Hit, each func(string)) {
	if f.part == nil {
		f.values(h, each)
		return
	}
	chosen, out := f.chosen(q), ""
	for _, value := range chosen {
		if part := f.part(value); !f.partLets(chosen, part, h) {
			if out != "" && out != part {
				return // two parts do: no single choice would let it in
			}
			out = part
		}
	}
	f.values(h, func(value string) {
		if f.part(value) == out {
			each(value)
		}
	})
}

// counter counts the entries of one query. What it needs for each of ten thousand it has made beforehand.
type counter struct {
	query  *Query
	chosen []int // the facets that something was chosen in
	counts []tallies
	add    []func(string) // counts a value, by facet
}

func newCounter(q *Query) *counter {
	c := &counter{query: q, counts: make([]tallies, len(facets)), add: make([]func(string), len(facets))}
	for i := range facets {
		if facets[i].judged && q.Judge == nil {
			continue
		}
		if len(facets[i].chosen(q)) > 0 {
			c.chosen = append(c.chosen, i)
		}
		c.counts[i].at = map[string]int{}
		c.add[i] = c.counts[i].adder()
	}
	return c
}

// tallies count values.
type tallies struct {
	at     map[string]int // places in counts
	counts []FacetCount
}

// adder returns what counts a value. Entries that come one after the other often have the same.
func (t *tallies) adder() func(string) {
	last := -1
	return func(value string) {
		if value == "" {
			return
		}
		if last < 0 || t.counts[last].Value != value {
			at, known := t.at[value]
			if !known {
				at = len(t.counts)
				t.at[value] = at
				t.counts = append(t.counts, FacetCount{Value: value})
			}
			last = at
		}
		t.counts[last].Count++
	}
}

// count counts an entry in the facets that it would be left by, and reports whether it is chosen.
func (c *counter) count(h Hit) bool {
	out := -1 // the facet that leaves it out
	for _, i := range c.chosen {
		if facets[i].lets(c.query, h) {
			continue
		}
		if out >= 0 {
			return false // two do: no single choice would let it in
		}
		out = i
	}
	if out >= 0 {
		facets[out].missed(c.query, h, c.add[out])
		return false
	}
	for i := range facets {
		if c.add[i] != nil {
			facets[i].values(h, c.add[i])
		}
	}
	return true
}

// result returns the counts, the most frequent values first. What was chosen is always told, or it could not be taken back.
func (c *counter) result() map[string][]FacetCount {
	out := make(map[string][]FacetCount, len(facets))
	for i := range c.counts {
		if c.add[i] == nil {
			continue
		}
		list := c.counts[i].counts
		slices.SortFunc(list, func(a, b FacetCount) int {
			if a.Count != b.Count {
				return int(b.Count - a.Count)
			}
			return strings.Compare(a.Value, b.Value)
		})
		out[facets[i].name] = slices.Clip(facets[i].bound(list, facets[i].chosen(c.query)))
	}
	return out
}

// bound leaves out what is beyond the most frequent values and was not chosen.
func (f *facet) bound(list []FacetCount, chosen []string) []FacetCount {
	if f.most == 0 || len(list) <= f.most {
		return list
	}
	out := slices.Clone(list[:f.most])
	for _, c := range list[f.most:] {
		if slices.Contains(chosen, c.Value) {
			out = append(out, c)
		}
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
