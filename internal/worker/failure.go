// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"errors"
	"strings"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/tree"
)

// failure is an error as it goes over the socket. One of the fields that say what it is is set.
type failure struct {
	Text   string    `json:"text,omitempty"` // what the error says, with its causes
	Causes []failure `json:"causes,omitempty"`
	// Known is the number of an error that the caller's process keeps: one of a call.
	Known int `json:"known,omitempty"`
	// Means is a word for an error that both sides know by identity.
	Means  string            `json:"means,omitempty"`
	Fault  *faultFailure     `json:"fault,omitempty"`
	Escape *tree.EscapeError `json:"escape,omitempty"`
	Path   string            `json:"path,omitempty"` // of a file that was not fetched
}

// faultFailure is a fault.Error; its cause is the first of Causes.
type faultFailure struct {
	Kind                  fault.Kind
	Op, Thing, Where, Fix string
}

// meanings are the errors that are told by a word.
var meanings = map[string]error{"absent": tree.ErrAbsent, "too large": tree.ErrTooLarge, "links": tree.ErrLinks}

// The bounds of a failure: more is cut off.
const (
	maxFailureDepth = 24
	maxFailureText  = 32 << 10
	maxFailureJoins = 64
)

// callError is an error of a call, in the process that called: what tools see. The caller's process has the original, whose
// number it carries.
type callError struct {
	number int
	text   string
	means  error // what it is to those who ask: tree.ErrTooLarge, a *tree.EscapeError …; nil for none of them
}

func (e *callError) Error() string { return e.text }

func (e *callError) Unwrap() error { return e.means }

// missingError is what a callError means when a file was not fetched.
type missingError struct{ path string }

func (e missingError) Error() string { return e.path + " was not fetched" }

// MissingPath names the file.
func (e missingError) MissingPath() string { return e.path }

// toCallFailure describes an error of a call that is kept under a number.
func toCallFailure(err error, number int) failure {
	f := failure{Text: clip(err.Error()), Known: number}
	for word, known := range meanings {
		if errors.Is(err, known) {
			f.Means = word
		}
	}
	var escape *tree.EscapeError
	if errors.As(err, &escape) {
		f.Escape = escape
	}
	var missing interface{ MissingPath() string }
	if errors.As(err, &missing) {
		f.Path = missing.MissingPath()
	}
	return f
}

// toCallError is its other end.
func toCallError(f failure) error {
	e := &callError{number: f.Known, text: f.Text, means: meanings[f.Means]}
	switch {
	case f.Escape != nil:
		e.means = f.Escape
	case f.Path != "":
		e.means = missingError{f.Path}
	}
	return e
}

// toFailure brings an error of a render into the form that is sent.
func toFailure(err error) *failure {
	if err == nil {
		return nil
	}
	f := describe(err, maxFailureDepth)
	return &f
}

func describe(err error, depth int) failure {
	f := failure{Text: clip(err.Error())}
	if depth == 0 {
		return f
	}
	for word, known := range meanings {
		if err == known { //nolint:errorlint // what wraps it is described on its own
			f.Means = word
			return f
		}
	}
	switch e := err.(type) { //nolint:errorlint // this is the walk through the error itself
	case *callError:
		f.Known = e.number
	case *tree.EscapeError:
		f.Escape = e
	case *fault.Error:
		f.Fault = &faultFailure{e.Kind, clip(e.Op), clip(e.Thing), clip(e.Where), clip(e.Fix)}
		if e.Err != nil {
			f.Causes = []failure{describe(e.Err, depth-1)}
		}
	case interface{ Unwrap() error }:
		if cause := e.Unwrap(); cause != nil {
			f.Causes = []failure{describe(cause, depth-1)}
		}
	case interface{ Unwrap() []error }:
		for i, cause := range e.Unwrap() {
			if i == maxFailureJoins {
				break
			}
			f.Causes = append(f.Causes, describe(cause, depth-1))
		}
	}
	return f
}

func clip(s string) string { return clipTo(s, maxFailureText) }

func clipTo(s string, most int) string {
	if len(s) > most {
		s = s[:most] + " …"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// toldError is an error that another process told of.
type toldError struct {
	text   string
	causes []error
}

func (e *toldError) Error() string { return e.text }

func (e *toldError) Unwrap() []error { return e.causes }

// toError turns a failure of a process into an error: of the same kinds, and with the very errors of its calls in it.
func toError(f *failure, kept []error) error {
	if f == nil {
		return nil
	}
	return rebuild(*f, kept, maxFailureDepth)
}

func rebuild(f failure, kept []error, depth int) error {
	if err, ok := meanings[f.Means]; ok {
		return err
	}
	switch {
	case f.Known > 0 && f.Known <= len(kept):
		return kept[f.Known-1]
	case f.Escape != nil:
		return &tree.EscapeError{Link: clip(f.Escape.Link), Target: clip(f.Escape.Target)}
	case depth == 0:
		return errors.New(clip(f.Text))
	}
	var causes []error
	for i, cause := range f.Causes {
		if i == maxFailureJoins {
			break
		}
		causes = append(causes, rebuild(cause, kept, depth-1))
	}
	if f.Fault == nil {
		return &toldError{clip(f.Text), causes}
	}
	return f.Fault.rebuild(causes)
}

func (f faultFailure) rebuild(causes []error) error {
	kind := f.Kind
	if kind < fault.Retry || kind > fault.Bug {
		kind = fault.Bug
	}
	var cause error
	if len(causes) > 0 {
		cause = causes[0]
	}
	return &fault.Error{Kind: kind, Op: clip(f.Op), Thing: clip(f.Thing), Where: clip(f.Where), Fix: clip(f.Fix), Err: cause}
}
