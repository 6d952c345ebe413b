// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/server/application/index"
)

// sights remembers which applications callers may see, so that a list of ten thousand asks the roles once for each caller and
// not once for each page. What is remembered ends with the moment in which any right may have changed.
type sights struct {
	mu       sync.Mutex
	byCaller map[string]*sight
}

// sight is what one caller may do to applications, by the numbers that the index gives their names.
type sight struct {
	changed <-chan struct{} // closed: all of it is to be asked anew
	mu      sync.Mutex
	asked   map[string]*asked // by action

	seen    index.Bits // what may be seen of all there are
	changes uint64     // of the index, that are in it; 0: it was not asked for
}

// asked is for which names the roles were asked about an action, and which of them they allow.
type asked struct{ known, may index.Bits }

// manyCallers is how many callers are remembered; past that all are forgotten.
const manyCallers = 1024

// sees returns what says whether the caller of ctx may see an entry. It holds for the rights as they are now: streams ask for
// another one when they changed.
func (s *Service) sees(ctx context.Context) func(*index.Entry) bool {
	may, ok := s.mayEach(ctx)
	if !ok {
		return func(*index.Entry) bool { return false }
	}
	return func(e *index.Entry) bool { return s.Served(e.App.Namespace) && may(e, access.Get) }
}

// mayEach returns what says whether the caller of ctx may do something to an entry, as the rights are now; ok is false if nobody
// calls.
func (s *Service) mayEach(ctx context.Context) (may func(e *index.Entry, action string) bool, ok bool) {
	who, ok := auth.From(ctx)
	switch {
	case !ok:
		return nil, false
	case who.Kind == auth.Core:
		return func(*index.Entry, string) bool { return true }, true
	}
	known := s.sights.of(who, s.Gate.Roles.Changed)
	return func(e *index.Entry, action string) bool {
		return known.allows(e.Right, action, func() bool {
			return s.Gate.Allows(ctx, access.Right{Resource: access.Applications, Action: action, Object: e.Object})
		})
	}, true
}

// of returns what is known of a caller. changed is asked before any right is.
func (s *sights) of(who auth.Caller, changed func() <-chan struct{}) *sight {
	groups := slices.Sorted(slices.Values(who.Groups))
	key := fmt.Sprintf("%q", append([]string{string(who.Kind), who.Issuer, who.Subject}, groups...)) // in quotes: a provider may write any character
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.byCaller[key]
	if known != nil && !closed(known.changed) {
		return known
	}
	if s.byCaller == nil || len(s.byCaller) >= manyCallers {
		s.byCaller = map[string]*sight{}
	}
	known = &sight{changed: changed(), asked: map[string]*asked{}}
	s.byCaller[key] = known
	return known
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func (s *sight) allows(right uint32, action string, ask func() bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	of := s.asked[action]
	if of == nil {
		of = &asked{}
		s.asked[action] = of
	}
	if !of.known.Has(right) {
		of.may.Set(right, ask())
		of.known.Set(right, true)
	}
	return of.may.Has(right)
}

// visible returns what may be seen of all that the index had after so many changes.
func (s *sight) visible(changes uint64) (seen index.Bits, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen, s.changes != 0 && s.changes >= changes
}

func (s *sight) keep(changes uint64, seen index.Bits) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if changes > s.changes {
		s.seen, s.changes = seen, changes
	}
}
