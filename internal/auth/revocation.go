// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// The limits of a board of revocations, so that it never grows past what an object may hold.
const (
	// maxOfOwner is how many sessions of one person are noted one by one. Whoever ends more ends all they have.
	maxOfOwner = 50
	// maxRevoked is how many entries there are at most. If there are more all sessions end.
	maxRevoked = 3000
	// longest is how long it is kept at least that all sessions of somebody ended.
	longest = 30 * 24 * time.Hour
)

// Revocations are the sessions that were ended before their time. A session is noted until it would have ended by itself.
type Revocations struct {
	Board Board
	Clock clock.PassiveClock
	// Tell is called when other sessions than before were ended, here or elsewhere; it may be nil and does not block. What is
	// ended here is known before the board tells of it: whoever waits for news of the board alone would wait for good.
	Tell func()

	mu   sync.RWMutex
	data map[string]string
	own  map[string]string // what was written from here: news of the board may be older
}

// The keys of the board: s/<owner>/<session>: seconds until which it is noted; o/<owner>: all that was issued before does not
// count, as issued and until; "all" likewise for everybody. Owners and sessions are hashes: keys of a fixed length.
const (
	sessionPrefix = "s/"
	ownerPrefix   = "o/"
	everybody     = "all"
)

func hashed(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:12])
}

func ownerKey(who Caller) string { return ownerPrefix + hashed(who.Issuer+"\n"+who.Subject) }

func sessionKey(who Caller) string {
	return sessionPrefix + hashed(who.Issuer+"\n"+who.Subject) + "/" + hashed(who.TokenID+"\n"+strconv.FormatInt(who.Issued.Unix(), 10))
}

// Has reports whether what a caller showed was ended.
func (r *Revocations) Has(who Caller) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if len(r.data) == 0 {
		return false
	}
	if _, ok := r.data[sessionKey(who)]; ok {
		return true
	}
	return beforeCut(who, r.data[ownerKey(who)]) || beforeCut(who, r.data[everybody])
}

// beforeCut reports whether a session is from before a cut, "<issued>,<until>".
func beforeCut(who Caller, cut string) bool {
	at, _, ok := strings.Cut(cut, ",")
	n, err := strconv.ParseInt(at, 10, 64)
	return ok && err == nil && (who.Kind == Login || who.Kind == SSO) && who.Issued.Unix() <= n
}

// Add ends the session of a caller. When it returns nil the session is ended here, and noted for all others.
func (r *Revocations) Add(ctx context.Context, who Caller) error {
	return r.write(ctx, func(data map[string]string) { r.note(data, who) })
}

// AddAll ends all sessions of somebody, by issuer and subject, and returns from when on sessions count again: the next whole
// second. newest is when the newest of them may have been issued, if that is later than now: see Tokens.Login. lifetime is how long
// a session lasts at most; 0 is for good. Tokens of programs go on.
func (r *Revocations) AddAll(ctx context.Context, issuer, subject string, newest time.Time, lifetime time.Duration) (since time.Time, err error) {
	who := Caller{Issuer: issuer, Subject: subject}
	err = r.write(ctx, func(data map[string]string) {
		now := r.Clock.Now()
		prune(data, now)
		forget(data, who)
		last := max(now.Unix(), newest.Unix())
		if before := cutOf(data[ownerKey(who)]); before >= last { // twice within a second: who signed in between is signed out, too
			last = before + 1
		}
		last = min(last, now.Add(ahead).Unix()-1) // past that a session would be from the future
		since = time.Unix(last+1, 0)
		until := now.Add(max(longest, lifetime))
		if lifetime <= 0 {
			until = now.Add(forGood)
		}
		data[ownerKey(who)] = strconv.FormatInt(last, 10) + "," + strconv.FormatInt(until.Unix(), 10)
	})
	return since, err
}

// forGood is how long is kept what ends sessions that do not end by themselves.
const forGood = 100 * 365 * 24 * time.Hour

// forget drops what is noted of single sessions of somebody.
func forget(data map[string]string, who Caller) {
	owned := sessionPrefix + strings.TrimPrefix(ownerKey(who), ownerPrefix) + "/"
	for k := range data {
		if strings.HasPrefix(k, owned) {
			delete(data, k)
		}
	}
}

// Since returns from when on sessions of somebody count; zero if all do that are not noted one by one.
func (r *Revocations) Since(issuer, subject string) time.Time {
	r.mu.RLock()
	defer r.mu.RUnlock()
	last := max(cutOf(r.data[ownerKey(Caller{Issuer: issuer, Subject: subject})]), cutOf(r.data[everybody]))
	if last == 0 {
		return time.Time{}
	}
	return time.Unix(last+1, 0)
}

// cutOf is the last second whose sessions a cut ends; 0 for none.
func cutOf(cut string) int64 {
	at, _, _ := strings.Cut(cut, ",")
	n, _ := strconv.ParseInt(at, 10, 64)
	return n
}

// write has the board changed, and knows at once what it says then.
func (r *Revocations) write(ctx context.Context, change func(data map[string]string)) error {
	var written map[string]string
	err := r.Board.Update(ctx, func(data map[string]string) error {
		change(data)
		written = data
		return nil
	})
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.own = maps.Clone(written)
	r.mu.Unlock()
	r.Read(written)
	return nil
}

func (r *Revocations) note(data map[string]string, who Caller) {
	now := r.Clock.Now()
	prune(data, now)
	until := who.Expires
	if until.IsZero() {
		until = now.Add(forGood)
	}
	key := sessionKey(who)
	owned := sessionPrefix + strings.TrimPrefix(ownerKey(who), ownerPrefix) + "/"
	n := 0
	for k := range data {
		if strings.HasPrefix(k, owned) {
			n++
		}
	}
	cut := strconv.FormatInt(now.Unix(), 10) + "," + strconv.FormatInt(now.Add(forGood).Unix(), 10) // how long the others last is not known
	switch {
	case len(data) >= maxRevoked:
		clear(data)
		data[everybody] = cut
	case n >= maxOfOwner:
		forget(data, who)
		data[ownerKey(who)] = cut
	default:
		data[key] = strconv.FormatInt(until.Unix(), 10)
	}
}

// prune drops what would have ended by itself.
func prune(data map[string]string, now time.Time) {
	for k, v := range data {
		if at := strings.LastIndexByte(v, ','); at >= 0 {
			v = v[at+1:]
		}
		if n, err := strconv.ParseInt(v, 10, 64); err != nil || n < now.Unix() {
			delete(data, k)
		}
	}
}

// Read takes over what the board says. It reports whether something changed.
func (r *Revocations) Read(data map[string]string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	prune(r.own, r.Clock.Now())
	next := maps.Clone(data)
	if next == nil {
		next = map[string]string{}
	}
	maps.Copy(next, r.own)
	changed := !maps.Equal(next, r.data)
	r.data = next
	if changed && r.Tell != nil {
		r.Tell()
	}
	return changed
}
