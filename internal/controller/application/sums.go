// SPDX-License-Identifier: Apache-2.0

package application

import (
	"maps"
	"slices"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/health"
	"github.com/bowline-cd/bowline/internal/object"
)

// keySet is a set of objects.
type keySet map[object.Key]struct{}

// sums is what is counted over rows. Whatever sequence of changes led there, it is what counting anew would give.
type sums struct {
	tally        health.Tally
	counting     int            // rows that make the application OutOfSync
	doubtful     int            // rows of which it is not known whether they do
	applications int            // rows of Applications
	images       map[string]int // in how many places each is
	imagesSorted []string       // nil after one came or went

	unknown keySet // rows whose comparison did not come to its end
	kept    keySet // rows that wait for a person
	told    keySet // rows that say something in a condition
	leaving keySet // objects of hooks that were deleted and are still there

	explaining map[v1alpha1.HealthStatusCode]*explaining
}

// explaining are the rows that can say why the application has some health.
type explaining struct {
	rows  int
	first *row // of them in the order of keys; nil if it has to be looked for
}

func newSums() sums {
	return sums{
		images: map[string]int{}, unknown: keySet{}, kept: keySet{}, told: keySet{}, leaving: keySet{},
		explaining: map[v1alpha1.HealthStatusCode]*explaining{},
	}
}

func (s *sums) add(r *row) {
	s.enter(r)
	s.place(r.images, 1)
}

func (s *sums) remove(r *row) {
	s.leave(r)
	s.place(r.images, -1)
}

// replace counts a row in place of another one of the same object.
func (s *sums) replace(old, now *row) {
	was := s.explaining[old.health.Status]
	first := was != nil && was.first == old
	s.leave(old)
	s.enter(now)
	if first && now.explains() && old.health.Status == now.health.Status {
		s.explaining[now.health.Status].first = now // where it stood before
	}
	if !slices.Equal(old.images, now.images) {
		s.place(old.images, -1)
		s.place(now.images, 1)
	}
}

// enter counts all of a row but its images.
func (s *sums) enter(r *row) {
	s.tally.Add(r.child())
	s.count(r, 1)
	include(s.unknown, r.key, r.verdict == Unknown)
	include(s.kept, r.key, r.keep)
	include(s.told, r.key, r.told())
	include(s.leaving, r.key, r.hook && r.live.deleting)
	if !r.explains() {
		return
	}
	e := s.explaining[r.health.Status]
	if e == nil {
		e = &explaining{first: r}
		s.explaining[r.health.Status] = e
	}
	e.rows++
	if e.first != nil && r.key.Compare(e.first.key) < 0 {
		e.first = r
	}
}

// leave undoes enter.
func (s *sums) leave(r *row) {
	s.tally.Remove(r.child())
	s.count(r, -1)
	for _, set := range []keySet{s.unknown, s.kept, s.told, s.leaving} {
		delete(set, r.key)
	}
	if !r.explains() {
		return
	}
	e := s.explaining[r.health.Status]
	if e.rows--; e.rows == 0 {
		delete(s.explaining, r.health.Status)
	}
	if e.first == r {
		e.first = nil
	}
}

func (s *sums) count(r *row, by int) {
	if r.counts() {
		s.counting += by
	}
	if r.verdict == Unknown || r.verdict == Refused {
		s.doubtful += by
	}
	if r.isApplication() {
		s.applications += by
	}
}

// place notes that images are in so many places more.
func (s *sums) place(images []string, by int) {
	for _, image := range images {
		before := s.images[image]
		if s.images[image] = before + by; before+by == 0 {
			delete(s.images, image)
		}
		if before == 0 || before+by == 0 {
			s.imagesSorted = nil
		}
	}
}

func include(set keySet, key object.Key, in bool) {
	if in {
		set[key] = struct{}{}
	}
}

// imageList returns every image once, sorted. It is not to be changed.
func (s *sums) imageList() []string {
	if s.imagesSorted == nil && len(s.images) > 0 {
		s.imagesSorted = slices.Sorted(maps.Keys(s.images))
	}
	return s.imagesSorted
}
