// SPDX-License-Identifier: Apache-2.0

// Package gate is the one place where the server asks whether a caller may do what they ask.
//
// The words of this room:
//
//   - Gate: asks the roles for the caller of a request. Every service calls it, for each call and for each element of a list
//     or stream.
//   - Hidden: the refusal that a caller gets who may not know whether a thing exists. It is the same for a thing that is
//     missing and for one that is forbidden.
package gate

import (
	"context"
	"errors"

	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Roles decides, by argocd-rbac-cm and by the roles of projects.
type Roles interface {
	// Rule says whether the caller has the right.
	Rule(who auth.Caller, right access.Right) access.Ruling
	// Changed returns a channel that is closed once any right may have changed since the call: roles, projects, accounts,
	// revocations.
	Changed() <-chan struct{}
	// Valid reports whether what the caller showed still counts: not expired at the moment, not revoked, account enabled.
	Valid(who auth.Caller) error
}

// Gate asks Roles for the caller of a request.
type Gate struct {
	Roles Roles
	// Refused is told of each refusal that a caller is answered with, for the audit record; it may be nil.
	Refused func(ctx context.Context, right access.Right, ruling access.Ruling)
	// Granted is told of each right that a call was let through by; it may be nil.
	Granted func(ctx context.Context, right access.Right, ruling access.Ruling)
}

// Rule says whether the caller of ctx has the right, and why. A context without a caller has none.
func (g *Gate) Rule(ctx context.Context, right access.Right) access.Ruling {
	who, ok := auth.From(ctx)
	switch {
	case !ok:
		return access.Ruling{Reason: "nobody signed in"}
	case who.Kind == auth.Core:
		return access.Ruling{Allowed: true, Where: "the cluster", Reason: "the API server of the cluster decides"}
	}
	return g.Roles.Rule(who, right)
}

// Allows reports whether the caller of ctx has the right. It is for choosing what to show: nothing is recorded.
func (g *Gate) Allows(ctx context.Context, right access.Right) bool {
	return g.Rule(ctx, right).Allowed
}

// Enforce returns nil if the caller of ctx has the right, and else the refusal, with the rule that decided.
func (g *Gate) Enforce(ctx context.Context, right access.Right) error {
	ruling := g.Rule(ctx, right)
	if ruling.Allowed {
		if g.Granted != nil {
			g.Granted(ctx, right, ruling)
		}
		return nil
	}
	if g.Refused != nil {
		g.Refused(ctx, right, ruling)
	}
	return Refusal(right)
}

// Refusal is what a caller without a right is answered. Which rule said so is in the audit record, and for callers who may ask,
// in the answer of explain.
func Refusal(right access.Right) error {
	return &fault.Error{Kind: fault.Forbidden, Err: errors.New("permission denied: " + right.String()), Fix: "ask for a role that allows it"}
}

// Hidden is what a caller is answered about a thing that is missing or that they may not see: the same for both.
func Hidden() error {
	return &fault.Error{Kind: fault.Forbidden, Err: errors.New("permission denied")}
}

// Still returns a context that ends once the caller of ctx is not let in any more, be it that their session ends, or once right
// fails: it is called again each time that rights may have changed. The cause of the context is the refusal. It is for streams, logs and terminals.
func (g *Gate) Still(ctx context.Context, right func(context.Context) error) (context.Context, context.CancelFunc) {
	who, ok := auth.From(ctx)
	end := func() {}
	if ok && !who.Expires.IsZero() {
		ctx, end = context.WithDeadlineCause(ctx, who.Expires, auth.Rejected(auth.ErrExpired))
	}
	ctx, cancel := context.WithCancelCause(ctx)
	stop := func() { cancel(nil); end() }
	if !ok || who.Kind == auth.Core {
		return ctx, stop
	}
	go func() {
		for {
			changed := g.Roles.Changed()
			err := g.Roles.Valid(who)
			if err == nil {
				err = right(ctx)
			}
			if err != nil {
				cancel(err)
				return
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	}()
	return ctx, stop
}
