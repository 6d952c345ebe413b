// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/clock"
	testclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"golang.org/x/crypto/bcrypt"

	"github.com/bowline-cd/bowline/internal/fault"
)

func newLeases(t testing.TB) client.WithWatch {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := coordinationv1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	return fake.NewClientBuilder().WithScheme(scheme).Build()
}

func leaseBoard(c client.WithWatch) *LeaseBoard {
	return &LeaseBoard{Reader: c, Writer: c, Namespace: "argocd", Name: "logins"}
}

func newThrottle(board Board, clock clock.PassiveClock, busy int) *Throttle {
	return &Throttle{Board: board, Clock: clock, Key: func() fault.Secret { return secret }, Max: DefaultMaxFailures, Window: DefaultWindow, Busy: make(chan struct{}, busy)}
}

func wrong() bool { return false }
func right() bool { return true }

// TestManyAttemptsAtOnce: however many passwords are tried at the same time, on however many replicas, no more are looked at than
// may fail.
func TestManyAttemptsAtOnce(t *testing.T) {
	const attempts, replicas = 1000, 4
	leases, clock := newLeases(t), testclock.NewFakePassiveClock(noon)
	var looked atomic.Int64
	var all sync.WaitGroup
	begin := make(chan struct{})
	for replica := range replicas {
		throttle := newThrottle(leaseBoard(leases), clock, attempts)
		for range attempts / replicas {
			all.Go(func() {
				<-begin
				err := throttle.Attempt(t.Context(), Admin, func() bool { looked.Add(1); return false })
				if err == nil {
					t.Errorf("replica %d: a wrong password was let in", replica)
				}
			})
		}
	}
	close(begin)
	all.Wait()
	if got := looked.Load(); got > DefaultMaxFailures {
		t.Errorf("%d passwords were looked at, want no more than %d", got, DefaultMaxFailures)
	}
}

// TestManyPeopleAtOnce: those who know the password are not in each other's way.
func TestManyPeopleAtOnce(t *testing.T) {
	throttle := newThrottle(leaseBoard(newLeases(t)), testclock.NewFakePassiveClock(noon), 100)
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			if err := throttle.Attempt(t.Context(), "ci", right); err != nil {
				t.Errorf("somebody who knows the password is refused: %v", err)
			}
		})
	}
	all.Wait()
}

func TestThrottle(t *testing.T) {
	clock := testclock.NewFakePassiveClock(noon)
	board := &MemoryBoard{}
	throttle := newThrottle(board, clock, 1)
	fail := func(name string, times int) {
		for range times {
			_ = throttle.Attempt(t.Context(), name, wrong)
		}
	}
	try := func(name string) error { return throttle.Attempt(t.Context(), name, right) }

	fail("a", DefaultMaxFailures-1)
	if err := try("a"); err != nil {
		t.Errorf("one failure less than the limit: %v", err)
	}
	fail("a", DefaultMaxFailures-1)
	if err := try("a"); err != nil {
		t.Errorf("success starts anew: %v", err)
	}
	fail("a", DefaultMaxFailures)
	err := try("a")
	if !errors.Is(err, ErrThrottled) || err.Error() != errLogin(errWrong).Error() || fault.CodeOf(err) != fault.Unauthenticated {
		t.Errorf("after the limit: got %v, want the words of a wrong password", err)
	}
	if err := try("b"); err != nil {
		t.Errorf("another name: %v", err)
	}
	clock.SetTime(noon.Add(DefaultWindow))
	if err := try("a"); err == nil {
		t.Error("let in before the window is over")
	}
	clock.SetTime(noon.Add(DefaultWindow + 2*time.Second))
	if err := try("a"); err != nil {
		t.Errorf("after the window: %v", err)
	}
	for key := range board.data {
		if strings.Contains(key, "a") && len(key) < 24 {
			t.Errorf("the board names somebody: %q", key)
		}
	}
}

// TestOthersDoNotMakeFailuresForgotten: names that are made up do not drive out that of somebody.
func TestOthersDoNotMakeFailuresForgotten(t *testing.T) {
	board := &MemoryBoard{}
	throttle := newThrottle(board, testclock.NewFakePassiveClock(noon), 1)
	for range DefaultMaxFailures {
		_ = throttle.Attempt(t.Context(), Admin, wrong)
	}
	for i := range maxNames {
		board.data[fmt.Sprintf("%024d", i)] = "1 " + strconv.FormatInt(noon.Unix(), 10)
	}
	if err := throttle.Attempt(t.Context(), "made up", right); !errors.Is(err, ErrThrottled) {
		t.Errorf("one name more: got %v, want it refused", err)
	}
	if err := throttle.Attempt(t.Context(), Admin, right); !errors.Is(err, ErrThrottled) {
		t.Errorf("got %v, want admin still refused", err)
	}
}

// TestMadeUpNamesKeepNobodyOut: whoever has an account signs in however many names are made up, and of the others nobody can tell by
// the time it takes that they have none.
func TestMadeUpNamesKeepNobodyOut(t *testing.T) {
	board := &MemoryBoard{data: map[string]string{}}
	throttle := newThrottle(board, testclock.NewFakePassiveClock(noon), 1)
	throttle.Known = func(name string) bool { return name == Admin }
	for i := range maxNames {
		board.data[fmt.Sprintf("%024d", i)] = "1 " + strconv.FormatInt(noon.Unix(), 10)
	}
	if err := throttle.Attempt(t.Context(), Admin, right); err != nil {
		t.Errorf("who has an account is kept out: %v", err)
	}
	looked := false
	err := throttle.Attempt(t.Context(), "made up", func() bool { looked = true; return true })
	if !errors.Is(err, ErrThrottled) || !looked {
		t.Errorf("a name that is made up: got %v, looked at %v", err, looked)
	}
	for range DefaultMaxFailures {
		_ = throttle.Attempt(t.Context(), Admin, wrong)
	}
	if err := throttle.Attempt(t.Context(), Admin, right); !errors.Is(err, ErrThrottled) {
		t.Errorf("passwords of admin can be guessed: %v", err)
	}
}

func TestTooManyAreBusy(t *testing.T) {
	throttle := newThrottle(&MemoryBoard{}, testclock.NewFakePassiveClock(noon), 1)
	err := throttle.Attempt(t.Context(), "a", func() bool {
		if err := throttle.Attempt(t.Context(), "b", right); fault.CodeOf(err) != fault.TooManyRequests {
			t.Errorf("got %v, want too many requests", err)
		}
		return true
	})
	if err != nil {
		t.Error(err)
	}
}

type unreachable struct{}

func (unreachable) Update(context.Context, func(map[string]string) error) error {
	return fault.New(fault.Retry, "write", "the board", "", "the API server does not answer", "")
}

func TestNobodyIsLetInUnnoticed(t *testing.T) {
	throttle := newThrottle(unreachable{}, testclock.NewFakePassiveClock(noon), 1)
	err := throttle.Attempt(t.Context(), "a", func() bool { t.Error("looked at a password that could not be noted"); return true })
	if !fault.Is(err, fault.Retry) {
		t.Errorf("got %v, want to try again", err)
	}
}

// TestNobodyLearnsWhoHasAnAccount: whatever is wrong, the words are the same, and a hash of the same cost is computed.
func TestNobodyLearnsWhoHasAnAccount(t *testing.T) {
	hash, err := bcrypt.GenerateFromPassword([]byte("correct horse"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	known := fault.NewSecret(string(hash))
	accounts := map[string]*Account{
		Admin: {Name: Admin, Enabled: true, Capabilities: []Capability{CanLogin}, Hash: known},
		"off": {Name: "off", Capabilities: []Capability{CanLogin}, Hash: known},
		"key": {Name: "key", Enabled: true, Capabilities: []Capability{CanHaveKeys}, Hash: known},
		"new": {Name: "new", Enabled: true, Capabilities: []Capability{CanLogin}},
	}
	passwords := &Passwords{Accounts: func() map[string]*Account { return accounts }, Throttle: newThrottle(&MemoryBoard{}, testclock.NewFakePassiveClock(noon), 1)}
	passwords.Throttle.Max = 1000
	var texts []string
	for _, try := range [][2]string{{"nobody", "correct horse"}, {Admin, "wrong"}, {"off", "correct horse"}, {"key", "correct horse"}, {"new", ""}, {"new", "x"}, {Admin, strings.Repeat("x", 100)}, {strings.Repeat("n", 10000), "x"}} {
		a, err := passwords.Check(t.Context(), try[0], try[1])
		if a != nil || fault.CodeOf(err) != fault.Unauthenticated {
			t.Errorf("%.20s: got %v, %v", try[0], a, err)
			continue
		}
		texts = append(texts, err.Error())
	}
	for _, text := range texts {
		if text != texts[0] {
			t.Errorf("two answers differ: %q and %q", text, texts[0])
		}
	}
	if cost, err := bcrypt.Cost(passwords.decoyFor(accounts)); err != nil || cost != bcrypt.MinCost {
		t.Errorf("the decoy costs %d, %v; the hash of admin %d", cost, err, bcrypt.MinCost)
	}
	if a, err := passwords.Check(t.Context(), Admin, "correct horse"); a == nil || err != nil {
		t.Errorf("the right password: %v, %v", a, err)
	}
}

func TestPasswords(t *testing.T) {
	if a, b := NewPassword(), NewPassword(); a == b || len(a) < 16 {
		t.Errorf("passwords that are made: %d letters, the same: %v", len(a), a == b)
	}
	if _, err := (&Store{}).Hash(strings.Repeat("x", maxPassword+1)); !fault.Is(err, fault.Mistake) {
		t.Errorf("a password that would be cut: %v", err)
	}
}
