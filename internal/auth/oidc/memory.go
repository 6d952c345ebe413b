// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"container/list"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"k8s.io/utils/clock"
)

// maxRemembered bounds how many sign-ins are remembered; the one that was not used for the longest time is forgotten.
const maxRemembered = 20_000

// memory holds what the provider gave for each sign-in.
type memory struct {
	clock clock.PassiveClock

	mu    sync.Mutex
	byKey map[string]*list.Element // session key -> element of order
	order *list.List               // of *remembered, newest use first
}

// remembered is one sign-in.
type remembered struct {
	key      string
	started  time.Time
	redirect string

	mu     sync.Mutex // held while it is renewed: of many requests at once one asks the provider
	token  *oauth2.Token
	id     string // the ID token
	groups []string
	until  time.Time // when groups are asked for again
}

func newMemory(clk clock.PassiveClock) *memory {
	return &memory{clock: clk, byKey: map[string]*list.Element{}, order: list.New()}
}

// keysOf returns under what a sign-in is remembered: by session, and by person, so that a command line's token finds what the same
// person's browser brought.
func keysOf(claims map[string]any) []string {
	return []string{"session " + text(claims, "sub") + " " + text(claims, "sid"), "person " + text(claims, "sub")}
}

func (m *memory) put(claims map[string]any, token *oauth2.Token, raw, redirect string) {
	for _, key := range keysOf(claims) {
		m.store(&remembered{key: key, started: m.clock.Now(), redirect: redirect, token: token, id: raw})
	}
}

func (m *memory) store(r *remembered) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e, ok := m.byKey[r.key]; ok {
		m.order.Remove(e)
	}
	m.byKey[r.key] = m.order.PushFront(r)
	if m.order.Len() > maxRemembered {
		oldest := m.order.Back()
		m.order.Remove(oldest)
		delete(m.byKey, oldest.Value.(*remembered).key) //nolint:forcetypeassert // only these are in it
	}
}

// find returns the sign-in that a token came from, or, with others, the newest of the same person; nil if none is remembered.
func (m *memory) find(claims map[string]any, others bool) *remembered {
	m.mu.Lock()
	defer m.mu.Unlock()
	keys := keysOf(claims)
	if !others {
		keys = keys[:1]
	}
	for _, key := range keys {
		if e, ok := m.byKey[key]; ok {
			m.order.MoveToFront(e)
			return e.Value.(*remembered) //nolint:forcetypeassert // only these are in it
		}
	}
	return nil
}
