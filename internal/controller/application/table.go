// SPDX-License-Identifier: Apache-2.0

package application

import (
	"maps"
	"slices"
	"sync"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/object"
)

// table holds the rows of one application and what is counted over them, so that a row that changes costs the same in an
// application of three thousand objects as in one of three. Only the reconciler of the application changes it; everybody
// else reads it by view.
type table struct {
	mu   sync.RWMutex // held while rows change, and by view
	rows map[object.Key]*row
	// wanted are the objects that the rows are compared with, by key: those of one state.
	wanted map[object.Key]*desired.Object
	ready  bool // every object has had its row made

	sums    sums
	sorted  []*row                    // in the order of their keys; nil after rows came or went
	listed  []v1alpha1.ResourceStatus // the rows as status.resources has them; nil after one changed there
	persist bool                      // health is part of that
	news    bool                      // what a status is made of changed since the last takeNews
}

func newTable() *table { return &table{rows: map[object.Key]*row{}, sums: newSums()} }

// clear forgets every row.
func (t *table) clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rows, t.sums, t.sorted, t.listed, t.news, t.ready = map[object.Key]*row{}, newSums(), nil, nil, true, false
}

// complete notes that every object has a row.
func (t *table) complete() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ready = true
}

// want sets the objects that rows are compared with.
func (t *table) want(state *desired.State) {
	wanted := make(map[object.Key]*desired.Object, len(state.Objects))
	for i := range state.Objects {
		wanted[state.Objects[i].Key] = &state.Objects[i]
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wanted = wanted
}

// persistHealth says whether the health of each object is part of status.resources
// (controller.resource.health.persist).
func (t *table) persistHealth(persist bool) {
	if t.persist != persist {
		t.persist, t.listed = persist, nil
	}
}

// put takes a row in, in place of the one that the object had.
func (t *table) put(r *row) {
	t.mu.Lock()
	defer t.mu.Unlock()
	old := t.rows[r.key]
	t.rows[r.key] = r
	if old == nil {
		t.sums.add(r)
		t.sorted, t.listed, t.news = nil, nil, true
		return
	}
	if !old.means(r) || old.health.Message != r.health.Message && t.tells(old, r) {
		t.news = true
		t.listed = nil
	}
	t.sums.replace(old, r)
	if t.sorted != nil {
		i, _ := slices.BinarySearchFunc(t.sorted, r.key, func(r *row, k object.Key) int { return r.key.Compare(k) })
		t.sorted[i] = r
	}
}

// tells reports whether another message about an object's health shows in the status.
func (t *table) tells(old, now *row) bool {
	if t.persist {
		return true
	}
	if now.health.Status != t.sums.tally.Status() || !old.explains() && !now.explains() {
		return false
	}
	e := t.sums.explaining[now.health.Status]
	return e == nil || e.first == nil || now.key.Compare(e.first.key) <= 0
}

// drop takes the row of an object out, if there is one.
func (t *table) drop(key object.Key) {
	t.mu.Lock()
	defer t.mu.Unlock()
	old := t.rows[key]
	if old == nil {
		return
	}
	delete(t.rows, key)
	t.sums.remove(old)
	t.sorted, t.listed, t.news = nil, nil, true
}

// edit replaces the row of an object, if there is one, by a changed copy.
func (t *table) edit(key object.Key, change func(*row)) {
	if old := t.rows[key]; old != nil {
		r := *old
		change(&r)
		t.put(&r)
	}
}

// keep sets which rows wait for a person.
func (t *table) keep(waiting keySet) {
	for _, r := range t.among(t.sums.kept) {
		if _, waits := waiting[r.key]; !waits {
			t.edit(r.key, func(r *row) { r.keep = false })
		}
	}
	for key := range waiting {
		t.edit(key, func(r *row) { r.keep = true })
	}
}

// takeNews reports whether what a status is made of changed since it was last asked.
func (t *table) takeNews() bool {
	news := t.news
	t.news = false
	return news
}

// inOrder returns the rows in the order that status.resources has. They are not to be changed.
func (t *table) inOrder() []*row {
	if t.sorted == nil {
		t.sorted = sortedRows(t.rows)
	}
	return t.sorted
}

func sortedRows(rows map[object.Key]*row) []*row {
	out := make([]*row, 0, len(rows))
	for _, r := range rows {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b *row) int { return a.key.Compare(b.key) })
	return out
}

// among returns the rows of some keys, in order.
func (t *table) among(keys keySet) []*row {
	if len(keys) == 0 {
		return nil
	}
	out := make([]*row, 0, len(keys))
	for key := range keys {
		out = append(out, t.rows[key])
	}
	slices.SortFunc(out, func(a, b *row) int { return a.key.Compare(b.key) })
	return out
}

// list returns the rows as status.resources has them. It is made anew when one of them changed there, and never changed.
func (t *table) list() []v1alpha1.ResourceStatus {
	if t.listed == nil && len(t.rows) > 0 {
		rows := t.inOrder()
		t.listed = make([]v1alpha1.ResourceStatus, len(rows))
		for i, r := range rows {
			t.listed[i] = r.status(t.persist)
		}
	}
	return t.listed
}

// explaining returns the row that says why the application has its health: the first of those that can.
func (t *table) explaining(code v1alpha1.HealthStatusCode) *row {
	e := t.sums.explaining[code]
	if e == nil {
		return nil
	}
	if e.first == nil {
		i := slices.IndexFunc(t.inOrder(), func(r *row) bool { return r.explains() && r.health.Status == code })
		e.first = t.sorted[i]
	}
	return e.first
}

// view returns the rows for whoever is not the reconciler, in no order; ready is false if some may be missing.
func (t *table) view() (rows []*row, ready bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return slices.Collect(maps.Values(t.rows)), t.ready
}

// viewOf returns the row of one object for whoever is not the reconciler; nil if it has none.
func (t *table) viewOf(key object.Key) (r *row, ready bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.rows[key], t.ready
}
