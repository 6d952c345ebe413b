// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"encoding/json"
	"fmt"
	"strconv"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	testclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func caller(name, id string) Caller {
	return Caller{Kind: Login, Subject: name, Issuer: Issuer, TokenID: id, Issued: noon, Expires: noon.Add(time.Hour)}
}

// TestEveryReplicaKnowsWhatWasRevoked, and one that starts later does, too.
func TestEveryReplicaKnowsWhatWasRevoked(t *testing.T) {
	leases, clock := newLeases(t), testclock.NewFakePassiveClock(noon)
	one := &Revocations{Board: leaseBoard(leases), Clock: clock}
	other := &Revocations{Board: leaseBoard(leases), Clock: clock}
	if err := one.Add(t.Context(), caller("a", "1")); err != nil {
		t.Fatal(err)
	}
	if err := other.Add(t.Context(), caller("a", "2")); err != nil {
		t.Fatal(err)
	}
	later := &Revocations{Board: leaseBoard(leases), Clock: clock}
	lease := &coordinationv1.Lease{}
	if err := leases.Get(t.Context(), client.ObjectKey{Namespace: "argocd", Name: "logins"}, lease); err != nil {
		t.Fatal(err)
	}
	if !later.Read(ReadBoard(lease)) || later.Read(ReadBoard(lease)) {
		t.Error("news are not told once")
	}
	for name, r := range map[string]*Revocations{"the second": other, "a later one": later} {
		for _, id := range []string{"1", "2"} {
			if !r.Has(caller("a", id)) {
				t.Errorf("%s does not know of session %s", name, id)
			}
		}
		if r.Has(caller("a", "3")) || r.Has(caller("b", "1")) {
			t.Errorf("%s ended a session that was not", name)
		}
	}
	one.Read(nil) // an old state of the board
	if !one.Has(caller("a", "1")) {
		t.Error("what was revoked here is forgotten when an old state is heard of")
	}
}

// TestWhoEndsASessionIsToldOfIt: news of the board that come after it are none any more.
func TestWhoEndsASessionIsToldOfIt(t *testing.T) {
	told := 0
	r := &Revocations{Board: &MemoryBoard{}, Clock: testclock.NewFakePassiveClock(noon), Tell: func() { told++ }}
	if err := r.Add(t.Context(), caller("a", "1")); err != nil {
		t.Fatal(err)
	}
	if told != 1 {
		t.Errorf("told %d times", told)
	}
}

func TestEndedSessionsAreForgottenInTheirTime(t *testing.T) {
	clock := testclock.NewFakePassiveClock(noon)
	board := &MemoryBoard{}
	r := &Revocations{Board: board, Clock: clock}
	for i := range 20 {
		if err := r.Add(t.Context(), caller("a", fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
		clock.SetTime(clock.Now().Add(time.Hour))
	}
	if len(board.data) > 3 {
		t.Errorf("%d entries are kept", len(board.data))
	}
}

// TestWhatWasEndedStaysEnded: however long a session would have lasted.
func TestWhatWasEndedStaysEnded(t *testing.T) {
	clock := testclock.NewFakePassiveClock(noon)
	r := &Revocations{Board: &MemoryBoard{}, Clock: clock}
	lasting := caller("b", "good")
	lasting.Expires = time.Time{}
	if err := r.Add(t.Context(), lasting); err != nil {
		t.Fatal(err)
	}
	for i := range maxOfOwner + 1 {
		if err := r.Add(t.Context(), caller("a", fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	clock.SetTime(noon.Add(400 * 24 * time.Hour))
	if err := r.Add(t.Context(), caller("c", "1")); err != nil { // what has passed is dropped
		t.Fatal(err)
	}
	if !r.Has(lasting) || !r.Has(caller("a", "0")) {
		t.Error("a session that was ended counts again")
	}
}

// TestTheBoardNeverOverflows: it stays below what an object may hold, and what was ended stays so.
func TestTheBoardNeverOverflows(t *testing.T) {
	clock := testclock.NewFakePassiveClock(noon)
	board := &MemoryBoard{}
	r := &Revocations{Board: board, Clock: clock}
	clock.SetTime(noon.Add(time.Second))
	for i := range maxOfOwner + 1 {
		if err := r.Add(t.Context(), caller("a", fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	if len(board.data) != 1 || !r.Has(caller("a", "0")) || !r.Has(caller("a", "another")) || r.Has(caller("b", "0")) {
		t.Errorf("whoever ends very many sessions ends all they have, and only theirs: %d entries", len(board.data))
	}
	next := caller("a", "next")
	next.Issued = noon.Add(2 * time.Second)
	if r.Has(next) {
		t.Error("a session begun afterwards does not count")
	}
	for i := range maxRevoked - len(board.data) {
		board.data[sessionKey(caller(fmt.Sprint("person", i), "x"))] = strconv.FormatInt(noon.Add(time.Hour).Unix(), 10)
	}
	if raw, err := json.Marshal(board.data); err != nil || len(raw) > 250<<10 {
		t.Fatalf("a full board has %d bytes, %v; an object holds 256 KiB", len(raw), err)
	}
	if err := r.Add(t.Context(), caller("b", "x")); err != nil {
		t.Fatal(err)
	}
	if len(board.data) != 1 || !r.Has(caller("person5", "x")) || !r.Has(caller("a", "0")) {
		t.Error("a session that was ended counts again")
	}
	if r.Has(Caller{Kind: APIKey, Subject: "ci", Issued: noon, TokenID: "k"}) {
		t.Error("tokens of programs were ended, too")
	}
}

// TestAllSessionsOfSomebodyEnd: those of one person, on every replica, until they would have ended by themselves.
func TestAllSessionsOfSomebodyEnd(t *testing.T) {
	clock, board := testclock.NewFakePassiveClock(noon.Add(500*time.Millisecond)), &MemoryBoard{}
	r, other := &Revocations{Board: board, Clock: clock}, &Revocations{Board: board, Clock: clock}
	if err := r.Add(t.Context(), caller("a", "1")); err != nil {
		t.Fatal(err)
	}
	since, err := r.AddAll(t.Context(), Issuer, "a", noon, 60*24*time.Hour)
	if err != nil || !since.Equal(noon.Add(time.Second)) || !r.Since(Issuer, "a").Equal(since) || !r.Since(Issuer, "b").IsZero() {
		t.Fatalf("since %v, %v", since, err)
	}
	other.Read(board.data)
	sso := caller("a", "2")
	sso.Kind, sso.Issuer = SSO, "https://login.example.com"
	key := caller("a", "3")
	key.Kind = APIKey
	next := caller("a", "4")
	next.Issued = since
	for name, r := range map[string]*Revocations{"this": r, "another": other} {
		if !r.Has(caller("a", "1")) || !r.Has(caller("a", "never seen")) {
			t.Errorf("on %s replica a session goes on", name)
		}
		if r.Has(caller("b", "1")) || r.Has(sso) || r.Has(key) || r.Has(next) {
			t.Errorf("on %s replica more than the sessions of that person ended", name)
		}
	}
	if again, err := r.AddAll(t.Context(), Issuer, "a", noon, time.Hour); err != nil || !again.After(since) || !r.Has(next) {
		t.Errorf("again: %v, %v", again, err)
	}
	if len(board.data) != 1 {
		t.Errorf("%d entries are kept", len(board.data))
	}
	clock.SetTime(noon.Add(29 * 24 * time.Hour))
	if err := r.Add(t.Context(), caller("b", "1")); err != nil || !r.Has(caller("a", "1")) {
		t.Errorf("a session counts again: %v", err)
	}
}

// TestWhoSignsInAfterASignOutEverywhereIsSignedIn, within the same second, too.
func TestWhoSignsInAfterASignOutEverywhereIsSignedIn(t *testing.T) {
	s := newScene()
	s.clock.SetTime(noon.Add(300 * time.Millisecond))
	before, err := s.Login(s.accounts[Admin], time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.RevokeAll(t.Context(), Issuer, Admin, time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Verify(before); err == nil {
		t.Error("the session from before goes on")
	}
	after, err := s.Login(s.accounts[Admin], time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Verify(after); err != nil {
		t.Errorf("the session from afterwards: %v", Cause(err))
	}
}
