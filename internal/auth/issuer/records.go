// SPDX-License-Identifier: Apache-2.0

package issuer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/bowline-cd/bowline/internal/auth/connector"
	"github.com/bowline-cd/bowline/internal/auth/seal"
	"github.com/bowline-cd/bowline/internal/fault"
)

// What is sealed, and for what.
const (
	purposeRequest = "request"
	purposeLogin   = "login"
	purposeAccess  = "access"
	purposeRefresh = "refresh"
)

// request is what a client asked for.
type request struct {
	Client    string   `json:"c"`
	Redirect  string   `json:"r"`
	Scopes    []string `json:"s"`
	State     string   `json:"st,omitempty"`
	Nonce     string   `json:"n,omitempty"`
	Challenge string   `json:"ch,omitempty"` // of PKCE
	Method    string   `json:"cm,omitempty"`
	Mode      string   `json:"m,omitempty"`
}

// login is a request with who made it.
type login struct {
	Request   request            `json:"request"`
	Connector string             `json:"connector"`
	Identity  connector.Identity `json:"identity"`
	At        time.Time          `json:"at"`
}

// session is the record of a refresh token: which of its forms is the newest.
type session struct {
	// Count is the number of the newest refresh token; each may be used once.
	Count int `json:"n"`
	// Used is when it was issued.
	Used time.Time `json:"used"`
	// Ends is when there are no more.
	Ends time.Time `json:"ends"`
}

// refresh is what a refresh token carries, sealed.
type refresh struct {
	Session string `json:"sid"`
	Count   int    `json:"n"`
	Login   login  `json:"login"`
}

const (
	loginPrefix   = "login."
	codePrefix    = "code."
	sessionPrefix = "session."
	// maxRecords bounds the Vault, which is one Secret of at most 1 MiB.
	maxRecords   = 4000
	maxVaultSize = 900 << 10
)

func loginKey(id string) string  { return loginPrefix + digest(id) }
func codeKey(code string) string { return codePrefix + digest(code) }

// digest makes a name of the Vault out of what a browser shows: who reads the Vault cannot use it.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}

var errFull = fault.New(fault.Retry, "sign in", "", "", "too many people are signing in at this moment", "try again in some minutes")

// keep stores a login sealed, and forgets everything that has expired.
func (i *Issuer) keep(ctx context.Context, key string, l login) error {
	text, err := i.keys.box.Seal(purposeLogin, l, i.opts.Clock.Now().Add(loginLifetime))
	if err != nil {
		return err
	}
	return i.opts.Vault.Change(ctx, func(records map[string][]byte) error {
		i.sweep(records)
		records[key] = []byte(text)
		if len(records) > maxRecords || size(records) > maxVaultSize {
			return errFull
		}
		return nil
	})
}

// take returns a login and removes it: nothing can be taken twice, on no replica. With move it is kept under another key.
func (i *Issuer) take(ctx context.Context, key, move string) (login, error) {
	var l login
	err := i.opts.Vault.Change(ctx, func(records map[string][]byte) error {
		text, ok := records[key]
		if !ok {
			return errors.New("it was used already, or has expired")
		}
		delete(records, key)
		if err := i.keys.box.Open(purposeLogin, string(text), i.opts.Clock.Now(), &l); err != nil {
			return err
		}
		if move != "" {
			records[move] = text
		}
		return nil
	})
	return l, err
}

// sweep removes what has expired.
func (i *Issuer) sweep(records map[string][]byte) {
	now := i.opts.Clock.Now()
	for key, value := range records {
		switch {
		case strings.HasPrefix(key, loginPrefix), strings.HasPrefix(key, codePrefix):
			var l login
			if i.keys.box.Open(purposeLogin, string(value), now, &l) != nil {
				delete(records, key)
			}
		case strings.HasPrefix(key, sessionPrefix):
			var s session
			if json.Unmarshal(value, &s) != nil || i.over(s, now) {
				delete(records, key)
			}
		}
	}
}

func size(records map[string][]byte) int {
	n := 0
	for key, value := range records {
		n += len(key) + len(value)*4/3
	}
	return n
}

// over reports whether a session has ended by itself.
func (i *Issuer) over(s session, now time.Time) bool {
	idle := connector.Lasting(i.opts.Expiry.RefreshTokens.ValidIfNotUsedFor, sessionIdle)
	return !now.Before(s.Ends) || now.Sub(s.Used) > idle
}

// start begins a session and returns its first refresh token.
func (i *Issuer) start(ctx context.Context, l login) (string, error) {
	now := i.opts.Clock.Now()
	id := digest(seal.Random())
	s := session{Count: 1, Used: now, Ends: now.Add(connector.Lasting(i.opts.Expiry.RefreshTokens.AbsoluteLifetime, sessionLifetime))}
	err := i.opts.Vault.Change(ctx, func(records map[string][]byte) error {
		i.sweep(records)
		data, err := json.Marshal(s)
		if err != nil {
			return err
		}
		records[sessionPrefix+id] = data
		if len(records) > maxRecords {
			return errFull
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	return i.keys.box.Seal(purposeRefresh, refresh{Session: id, Count: s.Count, Login: l}, s.Ends)
}

// look opens a refresh token and says whether it may be used: its session has to live and it has to be the newest, or the one
// before that a moment ago (an answer that got lost is asked for again). An older one was stolen, from whom or by whom cannot be
// told: the session ends (RFC 9700, section 4.14.2).
func (i *Issuer) look(ctx context.Context, token string) (refresh, error) {
	var r refresh
	now := i.opts.Clock.Now()
	if err := i.keys.box.Open(purposeRefresh, token, now, &r); err != nil {
		return r, err
	}
	err := i.opts.Vault.Change(ctx, func(records map[string][]byte) error {
		return i.check(records, r, now)
	})
	if err == nil && !i.lives(ctx, r.Session) {
		err = errors.New("the session has ended")
	}
	return r, err
}

// check removes the session of a refresh token that is used a second time.
func (i *Issuer) check(records map[string][]byte, r refresh, now time.Time) error {
	var s session
	data, ok := records[sessionPrefix+r.Session]
	if !ok || json.Unmarshal(data, &s) != nil || i.over(s, now) {
		return errors.New("the session has ended")
	}
	if r.Count == s.Count || r.Count == s.Count-1 && now.Sub(s.Used) <= refreshTolerance {
		return nil
	}
	delete(records, sessionPrefix+r.Session)
	i.opts.Log.Warn("a refresh token was used twice: its session has ended", "user", r.Login.Identity.UserID, "connector", r.Login.Connector)
	return nil
}

func (i *Issuer) lives(ctx context.Context, id string) bool {
	records, err := i.opts.Vault.Read(ctx)
	return err == nil && records[sessionPrefix+id] != nil
}

// next replaces a refresh token by a new one.
func (i *Issuer) next(ctx context.Context, r refresh) (string, error) {
	now := i.opts.Clock.Now()
	var s session
	err := i.opts.Vault.Change(ctx, func(records map[string][]byte) error {
		if err := json.Unmarshal(records[sessionPrefix+r.Session], &s); err != nil {
			return errors.New("the session has ended")
		}
		s.Count, s.Used = max(s.Count, r.Count+1), now
		data, err := json.Marshal(s)
		records[sessionPrefix+r.Session] = data
		return err
	})
	if err != nil {
		return "", err
	}
	r.Count = s.Count
	return i.keys.box.Seal(purposeRefresh, r, s.Ends)
}

// end ends the session of a refresh token.
func (i *Issuer) end(ctx context.Context, r refresh) error {
	return i.opts.Vault.Change(ctx, func(records map[string][]byte) error {
		delete(records, sessionPrefix+r.Session)
		return nil
	})
}
