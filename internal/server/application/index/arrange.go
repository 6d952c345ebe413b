// SPDX-License-Identifier: Apache-2.0

package index

import (
	"cmp"
	"slices"
	"strings"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/application/attention"
)

// Arrangement is what a query found, in the order of its rows.
type Arrangement struct {
	Result
	Groups []Group // in the order of their rows; none without grouping
}

// Group is what has the same value. Its rows are those from Start on, without End.
type Group struct {
	Value      string // "" for what has none
	Start, End int
	Attention  Tally
}

// labelGroup begins the name of a grouping by the value of a label.
const labelGroup = "label:"

// grouping puts entries together.
type grouping struct {
	value func(Hit) string
	rank  func(value string) string // orders the groups; nil is by their values
}

// groupingOf returns a grouping by its name: a facet, or a label.
func groupingOf(name string) (grouping, error) {
	if key, ok := strings.CutPrefix(name, labelGroup); ok && key != "" {
		return grouping{value: func(h Hit) string { return h.App.Labels[key] }}, nil
	}
	names := []string{labelGroup + "KEY"}
	for i := range facets {
		f := &facets[i]
		if f.first == nil {
			continue
		}
		if f.name == name {
			return grouping{f.first, groupRanks[name]}, nil
		}
		names = append(names, f.name)
	}
	return grouping{}, fault.New(fault.Mistake, "group by", name, "group", "there is no such grouping", "use one of "+strings.Join(names, ", "))
}

var groupRanks = map[string]func(string) string{
	FacetHealth:    func(value string) string { return rankOf(healthRanks, value) },
	FacetSync:      func(value string) string { return rankOf(syncRanks, value) },
	FacetAttention: func(value string) string { return rankOf(attention.Words, value) },
}

// Arrange returns what a query chooses, in an order, and grouped if group is not "". Groups come by their value, and those of
// what has none last; where entries are sorted by attention the groups with the worst come first.
func (x *Index) Arrange(q *Query, order, group string) (Arrangement, error) {
	found := x.Find(q)
	if order != "" && order != "name" { // which is how they were found
		places, _, err := sorted(found.Hits, order)
		if err != nil {
			return Arrangement{}, err
		}
		for i := range places {
			found.Hits[i] = places[i].hit
		}
	}
	if group == "" {
		return Arrangement{Result: found}, nil
	}
	by, err := groupingOf(group)
	if err != nil {
		return Arrangement{}, err
	}
	out := Arrangement{Result: found}
	out.gather(by, strings.TrimPrefix(order, "-") == ByAttention)
	return out, nil
}

// gather puts the rows of a group next to each other, without changing their order.
func (a *Arrangement) gather(by grouping, worstFirst bool) {
	numbers, of := map[string]int{}, make([]int, len(a.Hits))
	for i, h := range a.Hits {
		value := by.value(h)
		n, known := numbers[value]
		if !known {
			n = len(a.Groups)
			numbers[value] = n
			a.Groups = append(a.Groups, Group{Value: value})
		}
		of[i] = n
		a.Groups[n].Attention[h.Verdict.Rank]++
	}
	next := make([]int, len(a.Groups)) // where the next row of a group goes, by its number
	slices.SortFunc(a.Groups, func(g, h Group) int { return g.compare(h, by.rank, worstFirst) })
	start := 0
	for i := range a.Groups {
		g := &a.Groups[i]
		g.Start, g.End = start, start+g.size()
		next[numbers[g.Value]], start = start, g.End
	}
	rows := make([]Hit, len(a.Hits))
	for i, h := range a.Hits {
		rows[next[of[i]]] = h
		next[of[i]]++
	}
	a.Hits = rows
}

func (g Group) size() (n int) {
	for _, some := range g.Attention {
		n += int(some)
	}
	return n
}

func (g Group) compare(h Group, rank func(string) string, worstFirst bool) int {
	if worstFirst && g.worst() != h.worst() {
		return cmp.Compare(g.worst(), h.worst())
	}
	switch {
	case g.Value == "":
		return 1
	case h.Value == "":
		return -1
	case rank != nil && rank(g.Value) != rank(h.Value):
		return strings.Compare(rank(g.Value), rank(h.Value))
	}
	return strings.Compare(g.Value, h.Value)
}

// worst is the rank of the worst in the group.
func (g Group) worst() int {
	return slices.IndexFunc(g.Attention[:], func(n int64) bool { return n > 0 })
}

// Window is a part of an arrangement.
type Window struct {
	Hits          []Hit
	Offset, Total int64 // the rows before it, and all there are, without those of folded groups
}

// Window cuts out the rows from an offset on, at most limit. An offset behind the last row gives the last ones: rows may have
// gone since it was chosen.
func (a *Arrangement) Window(folded []string, offset, limit int64) Window {
	parts := a.unfolded(folded)
	var w Window
	for _, part := range parts {
		w.Total += int64(len(part))
	}
	w.Offset = max(0, offset)
	if w.Offset >= w.Total {
		w.Offset = max(0, w.Total-limit)
	}
	skip, left := int(w.Offset), int(limit)
	for _, part := range parts {
		if skip >= len(part) {
			skip -= len(part)
			continue
		}
		part = part[skip:]
		part = part[:min(left, len(part))]
		w.Hits = append(w.Hits, part...)
		skip = 0
		if left -= len(part); left == 0 {
			break
		}
	}
	return w
}

// unfolded returns the rows that are shown, group by group.
func (a *Arrangement) unfolded(folded []string) [][]Hit {
	if len(a.Groups) == 0 {
		return [][]Hit{a.Hits}
	}
	var parts [][]Hit
	for _, g := range a.Groups {
		if !slices.Contains(folded, g.Value) {
			parts = append(parts, a.Hits[g.Start:g.End])
		}
	}
	return parts
}
