// SPDX-License-Identifier: Apache-2.0

package application

import (
	"maps"
	"slices"
	"sync"

	"github.com/bowline-cd/bowline/internal/plan"
)

// dependencies knows which applications depend on which, by their annotations, and who of them waits. It is made from the
// events of Applications, all of which have been seen before the first pass.
type dependencies struct {
	mu sync.Mutex
	of map[string]dependsOn
	by map[string]map[string]struct{} // name to the applications that depend on it
	// waiting are applications that look again when one that they depend on, or one that depends on them, has news.
	waiting map[string]struct{}
}

// dependsOn is what an annotation says.
type dependsOn struct {
	value string
	list  []plan.Dependency
	names []string // instance names
	err   error
}

func newDependencies() *dependencies {
	return &dependencies{of: map[string]dependsOn{}, by: map[string]map[string]struct{}{}, waiting: map[string]struct{}{}}
}

// note takes notice of an application's annotation. If that is news, changed are the applications from which it can be reached:
// whether they are on a circle may have changed.
func (d *dependencies) note(id, value string) (on dependsOn, changed []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	before := d.of[id]
	if before.value == value {
		return before, nil
	}
	d.unlink(id)
	on = dependsOn{value: value}
	if value != "" {
		on.list, on.err = plan.ParseDependencies(value)
		for _, one := range on.list {
			on.names = append(on.names, sibling(id, one.Name))
		}
		d.of[id] = on
		for _, name := range on.names {
			if d.by[name] == nil {
				d.by[name] = map[string]struct{}{}
			}
			d.by[name][id] = struct{}{}
		}
	}
	return on, d.reaching(id)
}

// unlink takes away what an application depends on. The lock is held.
func (d *dependencies) unlink(id string) {
	for _, name := range d.of[id].names {
		if delete(d.by[name], id); len(d.by[name]) == 0 {
			delete(d.by, name)
		}
	}
	delete(d.of, id)
}

// reaching returns the applications that depend on one, and those that depend on these, and so on. The lock is held.
func (d *dependencies) reaching(id string) []string {
	seen := map[string]struct{}{}
	for queue := []string{id}; len(queue) > 0; queue = queue[1:] {
		for next := range d.by[queue[0]] {
			if _, ok := seen[next]; !ok {
				seen[next] = struct{}{}
				queue = append(queue, next)
			}
		}
	}
	return slices.Collect(maps.Keys(seen))
}

// drop forgets an application that is gone, and returns who waited for that or is concerned by it.
func (d *dependencies) drop(id string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := append(d.awaiting(id), d.reaching(id)...)
	d.unlink(id)
	delete(d.waiting, id)
	return out
}

// await notes whether an application waits. Say so before asking what it waits for, or the answer may change unseen.
func (d *dependencies) await(id string, waits bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if waits {
		d.waiting[id] = struct{}{}
	} else {
		delete(d.waiting, id)
	}
}

// interested returns who waits for news of an application.
func (d *dependencies) interested(id string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.waiting) == 0 {
		return nil
	}
	return d.awaiting(id)
}

// waitingFor returns who depends on an application and waits.
func (d *dependencies) waitingFor(id string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []string
	for name := range d.by[id] {
		if _, ok := d.waiting[name]; ok {
			out = append(out, name)
		}
	}
	return out
}

// awaiting returns the neighbours of an application that wait. The lock is held.
func (d *dependencies) awaiting(id string) []string {
	var out []string
	add := func(name string) {
		if _, ok := d.waiting[name]; ok {
			out = append(out, name)
		}
	}
	for name := range d.by[id] {
		add(name)
	}
	for _, name := range d.of[id].names {
		add(name)
	}
	return out
}

// names returns what an application depends on.
func (d *dependencies) names(id string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.of[id].names
}

// dependents returns who depends on an application, in order.
func (d *dependencies) dependents(id string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Sorted(maps.Keys(d.by[id]))
}

// leads reports whether an application depends on another, be it through others.
func (d *dependencies) leads(from, to string) bool {
	return slices.Contains(d.above(to), from)
}

// above returns the applications that depend on one, be it through others.
func (d *dependencies) above(id string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.reaching(id)
}
