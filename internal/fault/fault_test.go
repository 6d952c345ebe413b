// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

func TestErrorText(t *testing.T) {
	cause := errors.New("no such branch")
	for _, c := range []struct {
		err  *Error
		want string
	}{
		{New(Mistake, "read", "the branch", "spec.source.targetRevision", "no such branch", "name one that exists"),
			"cannot read the branch at spec.source.targetRevision: no such branch; name one that exists"},
		{&Error{Op: "read", Thing: "the branch", Err: cause}, "cannot read the branch: no such branch"},
		{&Error{Op: "start", Err: cause}, "cannot start: no such branch"},
		{&Error{Thing: "repository x", Err: cause}, "repository x: no such branch"},
		{&Error{Where: "a.yaml:3", Err: cause}, "a.yaml:3: no such branch"},
		{&Error{Err: cause}, "no such branch"},
		{&Error{Err: cause, Fix: "wait"}, "no such branch; wait"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestWrap(t *testing.T) {
	if err := Wrap(Stalled, "read", "x", nil, "y"); err != nil {
		t.Errorf("no cause gives %v", err)
	}
	if err := Wrap(Stalled, "read", "x", context.Canceled, "y"); !errors.Is(err, context.Canceled) || !Is(err, Stalled) || Is(err, Retry) {
		t.Errorf("%v", err)
	}
	if Is(nil, Retry) {
		t.Error("no error has a kind")
	}
}

func TestKindOf(t *testing.T) {
	of := func(k Kind) error { return New(k, "do", "it", "", "because", "") }
	foreign := errors.New("connection reset")
	for _, c := range []struct {
		name string
		err  error
		want Kind
	}{
		{"nobody judged it", foreign, Retry},
		{"one", of(Stalled), Stalled},
		{"wrapped by others", fmt.Errorf("a: %w", fmt.Errorf("b: %w", of(Mistake))), Mistake},
		{"the outermost judges", Wrap(Retry, "do", "it", of(Mistake), ""), Retry},
		{"joined mistakes", errors.Join(of(Mistake), of(Mistake)), Mistake},
		{"joined with an unjudged one", errors.Join(foreign, of(Mistake)), Mistake},
		{"in either order", errors.Join(of(Mistake), foreign), Mistake},
		{"the furthest from passing", errors.Join(of(Wait), of(Retry), of(Stalled)), Stalled},
		{"forbidden beats mistaken", errors.Join(of(Forbidden), of(Mistake)), Forbidden},
		{"a bug beats all", errors.Join(of(Forbidden), fmt.Errorf("x: %w", errors.Join(foreign, of(Bug)))), Bug},
		{"several causes in one text", fmt.Errorf("%w and %w", foreign, of(Wait)), Wait},
		{"a join judged as a whole", Wrap(Stalled, "do", "it", errors.Join(of(Bug), foreign), ""), Stalled},
		{"no error", nil, Retry},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := KindOf(c.err); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// Doors rely on these numbers: they are part of the command line's and the API's contract.
func TestTranslation(t *testing.T) {
	for _, c := range []struct {
		err       error
		name      string
		condition v1alpha1.ApplicationConditionType
		status    int
		code      int
	}{
		{New(Retry, "", "", "", "x", ""), "retry", v1alpha1.ApplicationConditionComparisonError, http.StatusServiceUnavailable, 1},
		{New(Wait, "", "", "", "x", ""), "wait", v1alpha1.ApplicationConditionComparisonError, http.StatusConflict, 3},
		{New(Stalled, "", "", "", "x", ""), "stalled", v1alpha1.ApplicationConditionComparisonError, http.StatusConflict, 3},
		{New(Mistake, "", "", "", "x", ""), "mistake", v1alpha1.ApplicationConditionComparisonError, http.StatusBadRequest, 2},
		{New(Forbidden, "", "", "", "x", ""), "forbidden", v1alpha1.ApplicationConditionInvalidSpecError, http.StatusForbidden, 4},
		{New(Bug, "", "", "", "x", ""), "bug", v1alpha1.ApplicationConditionUnknownError, http.StatusInternalServerError, 20},
		{errors.New("x"), "retry", v1alpha1.ApplicationConditionComparisonError, http.StatusServiceUnavailable, 1},
	} {
		if KindOf(c.err).String() != c.name || ConditionType(c.err) != c.condition || HTTPStatus(c.err) != c.status || ExitCode(c.err) != c.code {
			t.Errorf("%s: %s, %s, %d, %d", c.name, KindOf(c.err), ConditionType(c.err), HTTPStatus(c.err), ExitCode(c.err))
		}
	}
	if HTTPStatus(nil) != http.StatusOK || ExitCode(nil) != 0 {
		t.Error("no error is not a success")
	}
	if got := Kind(99).String(); got != "unknown" {
		t.Errorf("an undefined kind is %q", got)
	}
}
