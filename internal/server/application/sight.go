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

// sight is what one caller may see, by the numbers that the index gives the names of applications.
type sight struct {
	changed    <-chan struct{} // closed: all of it is to be asked anew
	mu         sync.Mutex
	known, may index.Bits
}

// manyCallers is how many callers are remembered; past that all are forgotten.
const manyCallers = 1024

// sees returns what says whether the caller of ctx may see an entry. It holds for the rights as they are now: streams ask for
// another one when they changed.
func (s *Service) sees(ctx context.Context) func(*index.Entry) bool {
	served := func(e *index.Entry) bool { return s.Served(e.App.Namespace) }
	who, ok := auth.From(ctx)
	switch {
	case !ok:
		return func(*index.Entry) bool { return false }
	case who.Kind == auth.Core:
		return served
	}
	known := s.sights.of(who, s.Gate.Roles.Changed)
	return func(e *index.Entry) bool {
		return served(e) && known.allows(e, func() bool {
			return s.Gate.Allows(ctx, access.Right{Resource: access.Applications, Action: access.Get, Object: e.Object})
		})
	}
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
	known = &sight{changed: changed()}
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

func (s *sight) allows(e *index.Entry, ask func() bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.known.Has(e.Right) {
		s.may.Set(e.Right, ask())
		s.known.Set(e.Right, true)
	}
	return s.may.Has(e.Right)
}
