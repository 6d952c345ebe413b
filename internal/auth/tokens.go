// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"k8s.io/utils/clock"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

// ErrExpired is in the tree of the error for a token that was valid once.
var ErrExpired = errors.New("it has expired")

// Tokens issues our own tokens and says whether one counts.
type Tokens struct {
	// Key is what they are signed with.
	Key func() fault.Secret
	// Accounts are the accounts of the moment.
	Accounts func() map[string]*Account
	// Project returns a project of the moment; nil if there is none of that name.
	Project func(name string) *v1alpha1.AppProject
	Revoked *Revocations
	Clock   clock.PassiveClock
}

// Login issues a token for a person who signed in by the password of an account. It ends after lifetime.
func (t *Tokens) Login(account *Account, lifetime time.Duration) (string, error) {
	issued := t.Clock.Now().Truncate(time.Second)
	for _, since := range []time.Time{account.Changed, t.Revoked.Since(Issuer, account.Name)} {
		if issued.Before(since) { // the password was changed, or all sessions were ended, within this second
			issued = since
		}
	}
	return t.issue(account.Name+":"+string(CanLogin), newID(), issued, lifetime)
}

// APIKey issues a token of an account for a program; lifetime 0 is forever. The token counts once the returned record is among
// the account's. id "" makes one.
func (t *Tokens) APIKey(account *Account, id string, lifetime time.Duration) (token string, record Token, err error) {
	if id == "" {
		id = newID()
	}
	issued := t.Clock.Now().Truncate(time.Second)
	if issued.Before(account.Changed) {
		issued = account.Changed
	}
	record = Token{ID: id, IssuedAt: issued.Unix()}
	if lifetime > 0 {
		record.ExpiresAt = issued.Add(lifetime).Unix()
	}
	token, err = t.issue(account.Name+":"+string(CanHaveKeys), id, issued, lifetime)
	return token, record, err
}

// Role issues a token of a project's role; lifetime 0 is forever. The token counts once the returned record is in the project's
// status. id "" makes one.
func (t *Tokens) Role(project, role, id string, lifetime time.Duration) (token string, record v1alpha1.JWTToken, err error) {
	if id == "" {
		id = newID()
	}
	issued := t.Clock.Now().Truncate(time.Second)
	record = v1alpha1.JWTToken{ID: id, IssuedAt: issued.Unix()}
	if lifetime > 0 {
		record.ExpiresAt = issued.Add(lifetime).Unix()
	}
	token, err = t.issue(roleSubject(project, role), id, issued, lifetime)
	return token, record, err
}

func (t *Tokens) issue(subject, id string, issued time.Time, lifetime time.Duration) (string, error) {
	c := &claims{Issuer: Issuer, Subject: subject, ID: id, IssuedAt: seconds(issued.Unix()), NotBefore: seconds(issued.Unix())}
	if lifetime > 0 {
		c.Expires = seconds(issued.Add(lifetime).Unix())
	}
	return sign(c, t.Key())
}

// Verify says who shows a token of ours. Why one does not count is in the error's tree (Cause), not in its text: whoever shows a
// forged token learns nothing.
func (t *Tokens) Verify(token string) (Caller, error) {
	c, err := read(token, t.Key(), t.Clock.Now())
	if err != nil {
		return Caller{}, Rejected(err)
	}
	who := Caller{Issuer: Issuer, TokenID: c.ID, Issued: c.IssuedAt.time(), Expires: c.Expires.time()}
	if project, role, ok := parseRoleSubject(c.Subject); ok {
		who.Kind, who.Subject = ProjectToken, roleSubject(project, role)
	} else if who.Subject, who.Kind, err = subject(c.Subject); err != nil {
		return Caller{}, Rejected(err)
	}
	who.Username = who.Subject
	return who, t.Valid(who)
}

// Valid reports whether what a caller showed still counts.
func (t *Tokens) Valid(who Caller) error {
	if err := t.valid(who); err != nil {
		return Rejected(err)
	}
	return nil
}

func (t *Tokens) valid(who Caller) error {
	switch {
	case !who.Expires.IsZero() && !t.Clock.Now().Before(who.Expires):
		return ErrExpired
	case t.Revoked.Has(who):
		return errors.New("it was revoked")
	}
	switch who.Kind {
	case Login, APIKey:
		return t.account(who)
	case ProjectToken:
		return t.role(who)
	case SSO:
		return nil
	}
	return fmt.Errorf("callers of kind %q show no token", who.Kind)
}

func (t *Tokens) account(who Caller) error {
	a := t.Accounts()[who.Subject]
	switch {
	case a == nil:
		return errors.New("there is no account " + who.Subject)
	case !a.Enabled:
		return errors.New("account " + who.Subject + " is disabled")
	case who.TokenID == "":
		return errors.New("it has no id")
	case who.Issued.Before(a.Changed):
		return errors.New("the password was changed since")
	case who.Kind == Login && !a.Can(CanLogin), who.Kind == APIKey && !a.Can(CanHaveKeys):
		return fmt.Errorf("account %s has not the capability", who.Subject)
	case who.Kind == APIKey && a.token(who.TokenID) < 0:
		return errors.New("it was deleted")
	}
	return nil
}

// role checks that the project knows the token, in its status or in its spec, where a project that is kept in Git names tokens: by
// its id, or, if it has none, by when it was issued.
func (t *Tokens) role(who Caller) error {
	name, role, _ := parseRoleSubject(who.Subject)
	p := t.Project(name)
	if p == nil {
		return errors.New("there is no project " + name)
	}
	known := slices.Clone(p.Status.JWTTokensByRole[role].Items)
	for _, r := range p.Spec.Roles {
		if r.Name == role {
			known = append(known, r.JWTTokens...)
		}
	}
	for _, known := range known {
		if who.TokenID != "" && known.ID == who.TokenID || (who.TokenID == "" || known.ID == "") && known.IssuedAt == who.Issued.Unix() {
			return nil
		}
	}
	return errors.New("the project knows no such token")
}

// Revoke ends what a caller showed, here and on all replicas, until it would have ended by itself. Tokens of programs are not
// revoked: they are deleted where they are listed.
func (t *Tokens) Revoke(ctx context.Context, who Caller) error {
	if who.Kind != Login && who.Kind != SSO {
		return nil
	}
	return t.Revoked.Add(ctx, who)
}

// RevokeAll ends all sessions of somebody, by issuer and subject, here and on all replicas, and returns from when on sessions
// count again. lifetime is how long a session lasts at most; 0 is for good. Tokens of programs are not ended.
func (t *Tokens) RevokeAll(ctx context.Context, issuer, subject string, lifetime time.Duration) (since time.Time, err error) {
	newest := t.Clock.Now()
	if a := t.Accounts()[subject]; issuer == Issuer && a != nil && newest.Before(a.Changed) {
		newest = a.Changed
	}
	return t.Revoked.AddAll(ctx, issuer, subject, newest, lifetime)
}
