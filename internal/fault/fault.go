// SPDX-License-Identifier: Apache-2.0

// Package fault gives every error a kind that says what happens next, and keeps secrets out of texts.
//
// The words of this room:
//
//   - Kind: what to do about an error. Retry: the same call may succeed later. Wait: something else has to
//     happen first. Stalled: a setting, a right or a cluster has to change. Mistake: what a user wrote has to
//     change. Forbidden: a rule of a project or a role says no. Bug: Bowline itself is wrong.
//   - Error: what was being done (Op), to which thing (Thing), where (Where: file and line, or field),
//     why it failed (Err) and what to do (Fix).
//   - Secret: a value that prints as [redacted] wherever it ends up.
//
// Doors translate kinds once: to a condition (ConditionType), an HTTP status, an exit code.
package fault

import (
	"errors"
	"strings"
)

// Kind says what happens next after an error.
type Kind int

// The kinds, from "try again" to "Bowline is wrong".
const (
	// Retry: the same call may succeed later (network, overload, conflict). It is the kind of foreign errors.
	Retry Kind = iota
	// Wait: something else has to happen first (a sweep to finish, a CRD to appear).
	Wait
	// Stalled: retrying is pointless until a setting, a credential, a right or a cluster changes.
	Stalled
	// Mistake: what a user wrote (manifest, spec, revision) has to change.
	Mistake
	// Forbidden: a rule of a project or a role says no.
	Forbidden
	// Bug: an invariant of Bowline is broken.
	Bug
)

var kindNames = [...]string{"retry", "wait", "stalled", "mistake", "forbidden", "bug"}

func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return "unknown"
	}
	return kindNames[k]
}

// Code says more closely than a Kind what is the matter, where doors have an answer of its own for it.
type Code string

// The codes. "" is whatever the kind says.
const (
	// Unauthenticated: nobody knows who is calling, or what they showed is not valid any more. It goes with Forbidden.
	Unauthenticated Code = "Unauthenticated"
	// NotFound: there is no such thing. It goes with Mistake.
	NotFound Code = "NotFound"
	// AlreadyExists: there is such a thing already, and it is another. It goes with Mistake.
	AlreadyExists Code = "AlreadyExists"
	// TooManyRequests: the caller has to slow down. It goes with Retry.
	TooManyRequests Code = "TooManyRequests"
	// TooLarge: the request is larger than what is read. It goes with Mistake.
	TooLarge Code = "TooLarge"
	// Unsupported: what is asked for is not offered here. It goes with Mistake.
	Unsupported Code = "Unsupported"
)

// Error is an error a user can act on.
type Error struct {
	Kind  Kind
	Code  Code
	Op    string // what was being done, as a verb phrase: "read the branch"
	Thing string // to which thing: "repository https://…", "Deployment shop/web"
	Where string // file and line, or field: "apps/web.yaml:12", "spec.source.path"
	Fix   string // what to do, as an imperative sentence without a full stop; may be empty
	Err   error  // the cause; never nil in an error built by New
}

// Error returns one line: "cannot OP THING at WHERE: CAUSE; FIX".
func (e *Error) Error() string {
	var b strings.Builder
	if e.Op != "" {
		b.WriteString("cannot " + e.Op)
	}
	if e.Thing != "" {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(e.Thing)
	}
	if e.Where != "" {
		if b.Len() > 0 {
			b.WriteString(" at ")
		}
		b.WriteString(e.Where)
	}
	if e.Err != nil {
		if b.Len() > 0 {
			b.WriteString(": ")
		}
		b.WriteString(e.Err.Error())
	}
	if e.Fix != "" {
		b.WriteString("; " + e.Fix)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// New builds an Error from a cause given as text.
func New(kind Kind, op, thing, where, cause, fix string) *Error {
	return &Error{Kind: kind, Op: op, Thing: thing, Where: where, Fix: fix, Err: errors.New(cause)}
}

// Wrap builds an Error around a cause. A nil cause gives nil.
func Wrap(kind Kind, op, thing string, cause error, fix string) error {
	if cause == nil {
		return nil
	}
	return &Error{Kind: kind, Op: op, Thing: thing, Fix: fix, Err: cause}
}

// KindOf returns the kind of the outermost Error in err's tree. Of several errors joined it is the kind that is furthest
// from passing by itself (the kinds' order): the whole cannot succeed before that one is dealt with. An error without any
// Error in it is Retry: what nobody judged is treated as passing, and retried with back-off.
func KindOf(err error) Kind {
	switch e := err.(type) { //nolint:errorlint // this is the walk through the tree itself
	case *Error:
		return e.Kind
	case interface{ Unwrap() error }:
		return KindOf(e.Unwrap())
	case interface{ Unwrap() []error }:
		kind := Retry
		for _, part := range e.Unwrap() {
			kind = max(kind, KindOf(part))
		}
		return kind
	default:
		return Retry
	}
}

// Is reports whether err is of the kind.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }

// CodeOf returns the code of the first Error in err's tree that has one; "" if none has.
func CodeOf(err error) Code {
	var e *Error
	for errors.As(err, &e) {
		if e.Code != "" {
			return e.Code
		}
		err = e.Err
	}
	return ""
}
