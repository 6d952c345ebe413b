// SPDX-License-Identifier: Apache-2.0

package index

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/application/attention"
)

// Query chooses entries. Values of one field are alternatives; an empty field lets everything through.
type Query struct {
	// Sees says whether the caller may see an entry; nil sees all.
	Sees func(*Entry) bool
	// Judge says what an entry asks of people; nil knows nothing of that, and then nothing can be chosen by it.
	Judge func(*Entry) attention.Verdict
	// Name and AppNamespace are exact.
	Name, AppNamespace string
	// Names are alternatives; nil lets all through.
	Names    map[types.NamespacedName]bool
	Selector labels.Selector
	// Words all have to be found, letter case aside, in what an application is called and where it comes from and goes to.
	Words []string

	Projects, Namespaces, Clusters, Repos, Sync, Health, Operation, AutoSync, Labels, Owners, Attention []string
}

// Words cuts a search into its words.
func Words(search string) []string { return strings.Fields(strings.ToLower(search)) }

// Names reads names of applications, each as NAMESPACE/NAME. No names are nil.
func Names(names []string) (map[types.NamespacedName]bool, error) {
	if len(names) == 0 {
		return nil, nil
	}
	out := make(map[types.NamespacedName]bool, len(names))
	for _, name := range names {
		namespace, own, ok := strings.Cut(name, "/")
		if !ok || namespace == "" || own == "" {
			return nil, fault.New(fault.Mistake, "find", fmt.Sprintf("application %q", name), "names", "it is not named by its namespace and its name", "write NAMESPACE/NAME")
		}
		out[types.NamespacedName{Namespace: namespace, Name: own}] = true
	}
	return out, nil
}

// Match reports whether an entry is chosen.
func (q *Query) Match(e *Entry) bool {
	if !q.reaches(e) || !q.sees(e) {
		return false
	}
	h := q.hit(e)
	for i := range facets {
		if !facets[i].lets(q, h) {
			return false
		}
	}
	return true
}

func (q *Query) hit(e *Entry) Hit {
	if q.Judge == nil {
		return Hit{Entry: e}
	}
	return Hit{e, q.Judge(e)}
}

func (q *Query) sees(e *Entry) bool { return q.Sees == nil || q.Sees(e) }

// reaches reports whether an entry is chosen by all that is no facet.
func (q *Query) reaches(e *Entry) bool {
	switch {
	case q.Name != "" && e.App.Name != q.Name, q.AppNamespace != "" && e.App.Namespace != q.AppNamespace:
		return false
	case q.Names != nil && !q.Names[types.NamespacedName{Namespace: e.App.Namespace, Name: e.App.Name}]:
		return false
	case q.Selector != nil && !q.Selector.Matches(labels.Set(e.App.Labels)):
		return false
	}
	for _, word := range q.Words {
		if !strings.Contains(e.search, word) {
			return false
		}
	}
	return true
}

// Result is what a query found.
type Result struct {
	Hits            []Hit // ordered by name
	Facets          map[string][]FacetCount
	ResourceVersion string
	// All is how many entries the caller sees, whatever is chosen, and Attention how many of them are in each rank: without a
	// Judge both are 0.
	All       int64
	Attention Tally
}

// Tally counts entries by the rank of their verdict.
type Tally [6]int64

// Find returns what a query chooses, and its facets: for each field how many entries each value would leave if it were chosen
// beside what is chosen in the others. The most frequent values come first.
func (x *Index) Find(q *Query) Result {
	all, rv := x.All()
	c := newCounter(q)
	found := Result{ResourceVersion: rv, Hits: make([]Hit, 0, len(all))}
	for _, e := range all {
		if q.Judge == nil {
			if q.reaches(e) && q.sees(e) && c.count(Hit{Entry: e}) {
				found.Hits = append(found.Hits, Hit{Entry: e})
			}
			continue
		}
		if !q.sees(e) {
			continue
		}
		h := q.hit(e)
		found.All++
		found.Attention[h.Verdict.Rank]++
		if q.reaches(e) && c.count(h) {
			found.Hits = append(found.Hits, h)
		}
	}
	found.Facets = c.result()
	return found
}
