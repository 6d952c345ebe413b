// SPDX-License-Identifier: Apache-2.0

// Package auth says who is calling: local accounts and their tokens, tokens of projects, and people whom an identity provider
// vouches for. What a caller may do is decided elsewhere (internal/access).
//
// The words of this room:
//
//   - Caller: who calls, as far as it was proved.
//   - Subject: the name by which roles are given to a caller.
//   - Session: what a person has after signing in: a token that ends by itself, or when it is revoked.
//   - Connector: a way to an identity provider, as a block of dex.config or as oidc.config describes it.
package auth

import (
	"context"
	"time"
)

// Kind says how a caller proved who they are.
type Kind string

// The kinds.
const (
	// Anonymous is a caller who showed nothing, where the settings let such callers in.
	Anonymous Kind = "anonymous"
	// Login is a person with a local account who signed in by password.
	Login Kind = "login"
	// APIKey is a program with a token of a local account.
	APIKey Kind = "apiKey"
	// ProjectToken is a program with a token of a project's role.
	ProjectToken Kind = "project"
	// SSO is a person whom an identity provider vouches for.
	SSO Kind = "sso"
	// Core is a person with their own rights to the cluster, on the command line without a server: the API server decides.
	Core Kind = "core"
)

// Caller is who calls.
type Caller struct {
	Kind Kind
	// Subject is the name that policies know: admin, the name of an account, proj:<project>:<role>, or the user id of the
	// identity provider. It is "" for Anonymous.
	Subject string
	// Groups are those that the scopes of argocd-rbac-cm choose from the claims.
	Groups []string
	// Username is what people are shown, and what operations and the audit record name: an e-mail address where there is one.
	Username string
	// Issuer is who issued the token.
	Issuer string
	// TokenID is the id of the token (jti).
	TokenID string
	// Issued is when the token was issued, Expires when it ends; zero is unknown, and never.
	Issued, Expires time.Time
}

// Name returns what records call the caller: the Username, or the Subject, or anonymous.
func (c Caller) Name() string {
	switch {
	case c.Username != "":
		return c.Username
	case c.Subject != "":
		return c.Subject
	}
	return string(Anonymous)
}

type callerKey struct{}

// With returns a context that carries the caller.
func With(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// From returns the caller of a request; false if nobody is known.
func From(ctx context.Context) (Caller, bool) {
	c, ok := ctx.Value(callerKey{}).(Caller)
	return c, ok
}
