// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/test/gitserver"
)

// following is a Poller under test with the moves it told.
type following struct {
	*Poller
	store *Store
	clock *clocktesting.FakeClock
	mu    sync.Mutex
	moves []Move
}

func follow(t *testing.T) *following {
	t.Helper()
	f := &following{clock: clocktesting.NewFakeClock(time.Now())}
	f.store = openStore(t, func(o *Options) { o.Clock = f.clock })
	f.Poller = NewPoller(f.store, PollerOptions{Interval: 2 * time.Minute, OnMove: func(m Move) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.moves = append(f.moves, m)
	}})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-done })
	return f
}

// next waits for the next n moves while the clock goes on by a tenth of a second at a time, and returns them.
func (f *following) next(t *testing.T, n int) []Move {
	t.Helper()
	var out []Move
	waitFor(t, func() bool {
		f.clock.Step(100 * time.Millisecond)
		f.mu.Lock()
		defer f.mu.Unlock()
		if len(f.moves) < n {
			return false
		}
		out, f.moves = f.moves[:n], f.moves[n:]
		return true
	})
	return out
}

// settle waits for a turn that begins now, which takes up every hint that was given before.
func (f *following) settle(t *testing.T, owner string) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- f.Refresh(t.Context(), owner) }()
	waitFor(t, func() bool {
		f.clock.Step(100 * time.Millisecond)
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
			return true
		default:
			return false
		}
	})
}

func (f *following) none(t *testing.T) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.moves) > 0 {
		t.Errorf("unexpected moves: %+v", f.moves)
	}
}

func TestPollerTellsMovesWithOneRequestForAll(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	repo := server.Repo(t, "mono")
	first := repo.Write(t, map[string]string{"a": "1"})
	f, r := follow(t), Repository{URL: repo.URL}
	for app := range 200 {
		f.Want(fmt.Sprint("app", app), Watch{Repository: r, Revisions: []Revision{{}, {Name: "main"}}})
	}
	for _, m := range f.next(t, 2) {
		if m.From != "" || m.To != first || m.Err != nil {
			t.Errorf("first move %+v", m)
		}
	}
	if c := server.Counts(); c.LsRefs != 1 || c.Fetch != 2 {
		t.Errorf("start: %+v", c)
	}
	server.ResetCounts()
	second := repo.Write(t, map[string]string{"a": "2"})
	if n := f.Hint(strings.ToUpper(repo.URL)); n != 1 {
		t.Errorf("the hint was for %d repositories", n)
	}
	for range 50 { // a forge that calls for every commit of a push
		f.Hint(repo.URL)
	}
	for _, m := range f.next(t, 2) {
		if m.From != first || m.To != second || m.Err != nil {
			t.Errorf("second move %+v", m)
		}
	}
	if c := server.Counts(); c.LsRefs > 2 || c.Fetch != 1 {
		t.Errorf("after a push: %+v", c)
	}
	f.settle(t, "app0") // hints that came too late for the turn make one more
	server.ResetCounts()
	mustTree(t, f.store, r, second)
	if commit, err := f.store.Resolve(t.Context(), r, Revision{Name: "main"}); commit != second || err != nil {
		t.Errorf("resolve: %s, %v", commit, err)
	}
	if c := server.Counts(); c != (gitserver.Counts{}) {
		t.Errorf("what the poller fetched is asked for again: %+v", c)
	}
}

func TestPollerPollsAtItsInterval(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	repo := server.Repo(t, "config")
	repo.Write(t, map[string]string{"a": "1"})
	f := follow(t)
	f.Want("app", Watch{Repository: Repository{URL: repo.URL}, Revisions: []Revision{{Name: "main"}}})
	f.next(t, 1)
	server.ResetCounts()
	second := repo.Write(t, map[string]string{"a": "2"})
	start := f.clock.Now()
	if m := f.next(t, 1)[0]; m.To != second {
		t.Errorf("move %+v", m)
	}
	if took := f.clock.Since(start); took < 115*time.Second {
		t.Errorf("polled after %s", took)
	}
}

func TestPollerReportsFailuresOnceAndTheirEnd(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	repo, healthy := server.Repo(t, "config"), server.Repo(t, "healthy")
	first := repo.Write(t, map[string]string{"a": "1"})
	healthy.Write(t, map[string]string{"a": "1"})
	f, r := follow(t), Repository{URL: repo.URL}
	f.Want("app", Watch{Repository: r, Revisions: []Revision{{Name: "main"}}})
	f.next(t, 1)
	server.Misbehave(gitserver.Fail)
	if err := f.Refresh(stepping(t, f), "app"); !Unreachable(err) {
		t.Errorf("refresh: %v", err)
	}
	m := f.next(t, 1)[0]
	checkUnreachable(t, m.Err, ProblemServer, fault.Retry)
	if m.From != first || m.To != first {
		t.Errorf("the last commit is not kept: %+v", m)
	}
	ok, err := f.State(r)
	if !Unreachable(err) || ok.IsZero() {
		t.Errorf("state: %v, %v", ok, err)
	}
	before := server.Counts().LsRefs + server.Counts().Advertise
	waitFor(t, func() bool { // it is tried again, and says nothing new
		f.clock.Step(100 * time.Millisecond)
		return server.Counts().LsRefs+server.Counts().Advertise > before+4
	})
	f.none(t)
	server.Misbehave(gitserver.None)
	if m := f.next(t, 1)[0]; m.Err != nil || m.From != first || m.To != first {
		t.Errorf("end of the failure: %+v", m)
	}

	if err := repo.Point("refs/heads/other", first); err != nil {
		t.Fatal(err)
	}
	if err := repo.Remove("refs/heads/main"); err != nil {
		t.Fatal(err)
	}
	f.Hint(repo.URL)
	m = f.next(t, 1)[0]
	if !fault.Is(m.Err, fault.Mistake) || Unreachable(m.Err) || !strings.Contains(m.Err.Error(), "main") || m.To != first {
		t.Errorf("a branch that is gone: %+v", m)
	}
	if _, err := f.State(r); err != nil {
		t.Errorf("a missing branch is not a failing repository: %v", err)
	}
}

// stepping returns the test's context and moves the clock on until the test ends.
func stepping(t *testing.T, f *following) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			f.clock.Step(50 * time.Millisecond)
			time.Sleep(time.Millisecond)
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	return t.Context()
}

func TestPollerFollowsOnlyWhatHasAnOwner(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	one, two := server.Repo(t, "one"), server.Repo(t, "two")
	sha := one.Write(t, map[string]string{"a": "1"})
	two.Write(t, map[string]string{"a": "another"})
	f := follow(t)
	first, second := Repository{URL: one.URL}, Repository{URL: two.URL}
	main := []Revision{{Name: "main"}}
	f.Want("a", Watch{first, main})
	f.Want("b", Watch{first, main}, Watch{second, main})
	f.next(t, 2)
	f.Want("a", Watch{second, main}) // moved to the other repository
	f.Want("a", Watch{second, []Revision{{Name: sha}}})
	m := f.next(t, 1)[0]
	if !fault.Is(m.Err, fault.Mistake) || m.Revision.Name != sha {
		t.Errorf("a commit of another repository: %+v", m)
	}
	f.Forget("b")
	if left := f.Repositories(); len(left) != 1 || left[0].URL != two.URL {
		t.Errorf("followed: %v", left)
	}
	f.Forget("a")
	if left := f.Repositories(); len(left) != 0 {
		t.Errorf("followed: %v", left)
	}
	if n := f.Hint(one.URL); n != 0 {
		t.Errorf("a hint for nobody reaches %d", n)
	}
}

func TestBrokenRepositoryDelaysNoOther(t *testing.T) {
	broken, healthy := gitserver.New(t, gitserver.Options{}), gitserver.New(t, gitserver.Options{})
	bad, good := broken.Repo(t, "bad"), healthy.Repo(t, "good")
	bad.Write(t, map[string]string{"a": "1"})
	good.Write(t, map[string]string{"a": "1"})
	f := follow(t)
	main := []Revision{{Name: "main"}}
	f.Want("bad", Watch{Repository{URL: bad.URL}, main})
	f.next(t, 1)
	broken.Misbehave(gitserver.Hang)
	broken.ResetCounts()
	f.Hint(bad.URL)
	waitFor(t, func() bool { f.clock.Step(100 * time.Millisecond); return broken.Counts().LsRefs > 0 })
	f.Want("good", Watch{Repository{URL: good.URL}, main})
	f.next(t, 1)
	sha := good.Write(t, map[string]string{"a": "2"})
	f.Hint(good.URL)
	if m := f.next(t, 1)[0]; m.To != sha {
		t.Errorf("move %+v", m)
	}
}

// Anybody may send hints, and hosts lock accounts that are tried too often.
func TestPollerTriesARefusedAccountAtItsOwnPace(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{Username: "reader", Password: "right"})
	repo := server.Repo(t, "private")
	repo.Write(t, map[string]string{"a": "1"})
	f := follow(t)
	wrong := Repository{URL: repo.URL, Username: "reader", Password: fault.NewSecret("wrong")}
	f.Want("app", Watch{Repository: wrong, Revisions: []Revision{{Name: "main"}}})
	if m := f.next(t, 1)[0]; m.Err == nil {
		t.Fatalf("move %+v", m)
	}
	if n := f.Hint(repo.URL); n != 0 {
		t.Errorf("the hint was for %d repositories", n)
	}
}

func TestPollerTakesANewPace(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	repo := server.Repo(t, "paced")
	repo.Write(t, map[string]string{"a": "1"})
	f, r := follow(t), Repository{URL: repo.URL}
	f.SetPace(0, 0) // never, but on hints
	f.Want("app", Watch{Repository: r, Revisions: []Revision{{Name: "main"}}})
	f.next(t, 1)
	second := repo.Write(t, map[string]string{"a": "2"})
	f.clock.Step(time.Hour)
	f.none(t)
	f.SetPace(time.Second, 0)
	if moves := f.next(t, 1); moves[0].To != second {
		t.Errorf("moves = %+v, want one to %s", moves, second)
	}
}
