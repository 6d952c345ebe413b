// SPDX-License-Identifier: Apache-2.0

package application

import (
	"sync"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/object"
)

// appState is what is remembered of one application between reconciles. All of it can be lost: it is made again from
// the cluster and from Git.
type appState struct {
	id string

	mu        sync.Mutex
	dirty     map[object.Key]mark // rows to compute again
	allDirty  bool
	demanded  bool // a whole pass is due
	budget    budget
	orphans   orphans
	orphansAt time.Time     // when they are to be counted again; zero: when something changes
	urgent    bool          // what waited in the slow lane is due
	finished  *outcome      // of the operation that just ended, not yet recorded
	server    string        // destination the rows are about
	awaited   kinds         // that it desires and that were not served when its objects were made
	lastRV    string        // resourceVersion of our own last write
	changes   chan struct{} // of objects, for the operation that runs; nil if none does

	pinned     bool // what its history names is pinned, by this process
	news       int  // how often there was news of its sources
	lookedAt   int  // the news that the last pass saw
	everLooked bool

	nobodyLateAt time.Time               // when it was last found out that no other application was late
	foundCode    v1alpha1.SyncStatusCode // that the last pass found

	observed atomic.Pointer[v1alpha1.ApplicationStatus] // what was last found where nothing may be written
	comparer atomic.Pointer[comparer]                   // of the last pass; nil if that one compared nothing
	busy     atomic.Bool                                // a pass goes on

	// The rest belongs to the reconciler of this application, of which there is one at a time.
	uid              types.UID
	table            *table
	learned          *learned       // what API servers made of the objects; nil before the first comparison
	acted            bool           // the last pass was permitted to write
	dueAt            time.Time      // when the next whole pass is due if nothing happens; zero: never
	made             string         // version of the rules, and digest of the state, that the rows were made by
	state            *desired.State // that the rows are about
	written          *v1alpha1.Application
	writtenAt        time.Time
	passedAt         time.Time
	comparedAt       time.Time // when marked rows were last computed by a pass
	seenAt           time.Time // of the first pass
	freshAt          time.Time // when everything was last forgotten on purpose
	running          *operation
	demolition       *demolitionRun // of the hooks of its deletion; nil if none goes on
	hookFailure      *hookFailure   // how the last of those failed
	unreachableSince time.Time
	doubtAt          time.Time     // when rows that could not be compared are due again
	askedHeldAt      metav1.Time   // when the last request came that a hold does not keep from being carried out
	syncedDigest     object.Digest // rendered digest of the last successful full sync
	triedDigest      object.Digest // rendered digest of the last try
	strayed          bool          // something else was desired since then
	supersessions    int           // in a row, of the operation under way
	refused          []object.Key  // that the last sync left to other applications
	waiting          object.Digest // of the deletions that wait for an approval
	epoch            int           // raised when a kind that was awaited may have come
	triedEpoch       int           // the epoch of the last try
	ignore           *diff.Rules   // compiled from ignoreKey
	ignoreKey        ignoreKey
}

func newAppState(id string) *appState {
	return &appState{id: id, dirty: map[object.Key]mark{}, allDirty: true, table: newTable()}
}

// passed notes what a pass that came to its end leaves behind for looks.
func (s *appState) passed(p *pass) {
	s.acted, s.dueAt = p.acts, time.Time{}
	if p.again > 0 {
		s.dueAt = p.Clock.Now().Add(p.again)
	}
	s.table.takeNews() // it is in the status by now, or as good as
	s.mu.Lock()
	defer s.mu.Unlock()
	s.budget.set(p.rules.Settings.EventBudget, p.Clock.Now())
}

// finish hands the outcome of an operation to the reconciler.
func (s *appState) finish(o outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.finished = &o
}

// While an operation runs, each object that it writes wakes the reconciler. What they say together is told at its end;
// until then a pass now and then suffices to see that it has to be ended, and a write now and then to show that it goes on.
const (
	passesDuringOperation = 300 * time.Millisecond
	writesDuringOperation = 5 * time.Second
)

// calm returns how long the next pass has to wait because an operation runs, and notes the time of the pass if it does
// not have to.
func (s *appState) calm(now time.Time) time.Duration {
	s.mu.Lock()
	ended := s.finished != nil
	s.mu.Unlock()
	if s.running != nil && !ended && !s.running.told.presses() {
		if wait := passesDuringOperation - now.Sub(s.passedAt); wait > 0 {
			return wait
		}
	}
	s.passedAt = now
	if s.seenAt.IsZero() {
		s.seenAt = now
	}
	return 0
}

// quiet reports whether a status that is not urgent may wait for the end of the operation that runs. An operation that waited
// long for its place is given as much time as any other.
func (s *appState) quiet(now time.Time) bool {
	return s.running != nil && (now.Sub(s.writtenAt) < writesDuringOperation || now.Sub(time.Unix(0, s.running.begunAt.Load())) < writesDuringOperation)
}

// listen returns a channel that is sent to when an object of the application changes, until the next call.
func (s *appState) listen() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes = make(chan struct{}, 1)
	return s.changes
}

// signal tells the operation that runs that an object of the application changed. The lock is held.
func (s *appState) signal() {
	select {
	case s.changes <- struct{}{}:
	default: // it was told already, or there is none
	}
}

func (s *appState) takeFinished() *outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.finished
	s.finished = nil
	return o
}

func (s *appState) setUrgent() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.urgent = true
}

func (s *appState) takeUrgent() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	urgent := s.urgent
	s.urgent = false
	return urgent
}

// kinds is a set of kinds.
type kinds map[schema.GroupVersionKind]struct{}

// place notes where the rows are, and which kinds are awaited there.
func (s *appState) place(server string, awaited kinds) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.server, s.awaited = server, awaited
}

// awaits returns the kinds that are awaited on a cluster. The set is not changed any more.
func (s *appState) awaits(server string) kinds {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server != server {
		return nil
	}
	return s.awaited
}

func (s *appState) on(server string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.server == server
}

// wrote remembers our own last write: the cache may lag behind it, and its echo is no news.
func (s *appState) wrote(app *v1alpha1.Application, now time.Time) {
	s.written, s.writtenAt = app, now
	s.observed.Store(nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastRV = app.ResourceVersion
}

func (s *appState) lastWrite() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lastRV
}

// states holds every application's state.
type states struct {
	mu   sync.RWMutex
	byID map[string]*appState
}

func (s *states) get(id string) *appState {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.byID[id]
	if st == nil {
		st = newAppState(id)
		s.byID[id] = st
	}
	return st
}

func (s *states) peek(id string) *appState {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.byID[id]
}

func (s *states) drop(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byID, id)
}

func (s *states) all() []*appState {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]*appState, 0, len(s.byID))
	for _, st := range s.byID {
		out = append(out, st)
	}
	return out
}
