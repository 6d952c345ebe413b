// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/maphash"
	"strconv"
	"strings"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/bowline-cd/bowline/internal/fault"
)

// maxNames is how many names are noted at once. When there are more, names that are new are refused; none is forgotten before its
// time, so that nobody can make us forget the failures of another name.
const maxNames = 3000

// stripes is how many names may be looked at at the same time, at most.
const stripes = 64

// Throttle bounds how many passwords may be tried. An attempt is noted as a failure before it is looked at, on a board that all
// replicas share, and taken back if it was none: however many are made at once, and wherever, no more than Max are looked at.
type Throttle struct {
	Board Board
	Clock clock.PassiveClock
	// Key makes what is noted unreadable.
	Key func() fault.Secret
	// Max is how many may fail one after the other, Window how long a name is refused then, from the last failure on.
	Max    int
	Window time.Duration
	// Known reports whether a name is one that may be let in at all; nil if nobody can say. Such names find a place among those that
	// are noted however many others were made up: else whoever makes up enough would keep everybody out.
	Known func(name string) bool
	// Busy bounds how many are looked at or wait at the same time; more are refused.
	Busy chan struct{}

	once  sync.Once
	seed  maphash.Seed
	locks [stripes]chan struct{}
}

// The values that Argo CD has.
const (
	DefaultMaxFailures = 5
	DefaultWindow      = 300 * time.Second
	DefaultBusy        = 50
)

// Attempt has a password checked. An error means that it was wrong, or was not looked at: the same one for both.
func (t *Throttle) Attempt(ctx context.Context, name string, check func() bool) error {
	select {
	case t.Busy <- struct{}{}:
		defer func() { <-t.Busy }()
	default:
		return &fault.Error{Kind: fault.Retry, Code: fault.TooManyRequests, Op: "sign in", Err: fmt.Errorf("%d others are signing in", cap(t.Busy)), Fix: "try again"}
	}
	unlock, err := t.lock(ctx, name)
	if err != nil {
		return err
	}
	defer unlock()
	entry := t.entry(name)
	known := t.Known != nil && t.Known(name)
	err = t.Board.Update(ctx, func(data map[string]string) error { return t.reserve(data, entry, known) })
	if errors.Is(err, errFull) && t.Known != nil {
		check() // in vain: it takes as long as for a name that is known
	}
	if err != nil {
		return err
	}
	if !check() {
		return errLogin(errWrong)
	}
	return t.Board.Update(ctx, func(data map[string]string) error { delete(data, entry); return nil })
}

// lock waits until no other attempt with the name is looked at here: what succeeds must not be taken for a failure by those
// beside it.
func (t *Throttle) lock(ctx context.Context, name string) (unlock func(), err error) {
	t.once.Do(func() {
		t.seed = maphash.MakeSeed()
		for i := range t.locks {
			t.locks[i] = make(chan struct{}, 1)
		}
	})
	stripe := t.locks[maphash.String(t.seed, name)%stripes]
	select {
	case stripe <- struct{}{}:
		return func() { <-stripe }, nil
	case <-ctx.Done():
		return nil, fault.Wrap(fault.Retry, "sign in", "", context.Cause(ctx), "try again")
	}
}

// entry is the key of a name on the board.
func (t *Throttle) entry(name string) string {
	mac := hmac.New(sha256.New, []byte(t.Key().Reveal()))
	mac.Write([]byte(name))
	return hex.EncodeToString(mac.Sum(nil)[:12])
}

// reserve notes a failure, if the name is not refused: "<how many> <when the last was>".
func (t *Throttle) reserve(data map[string]string, entry string, known bool) error {
	now := t.Clock.Now()
	for name, value := range data {
		if _, last := parseFailures(value); now.Sub(last) > t.Window || last.After(now.Add(t.Window)) {
			delete(data, name)
		}
	}
	count, _ := parseFailures(data[entry])
	switch {
	case count >= t.Max:
		return errLogin(ErrThrottled)
	case count == 0 && len(data) >= maxNames && !known:
		return errLogin(errFull)
	}
	data[entry] = fmt.Sprintf("%d %d", count+1, now.Unix())
	return nil
}

func parseFailures(value string) (count int, last time.Time) {
	first, second, _ := strings.Cut(value, " ")
	count, err := strconv.Atoi(first)
	at, wrong := strconv.ParseInt(second, 10, 64)
	if err != nil || wrong != nil {
		return 0, time.Time{}
	}
	return count, time.Unix(at, 0)
}
