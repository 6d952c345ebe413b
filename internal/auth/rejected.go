// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"errors"
	"strings"

	"github.com/bowline-cd/bowline/internal/fault"
)

// rejection has the same text for all causes: what is wrong with a token helps only whoever forges one.
type rejection struct{ cause error }

func (r rejection) Error() string { return "no valid session" }

func (r rejection) Unwrap() error { return r.cause }

// Rejected is the answer for what a caller showed that does not count: fault.Unauthenticated.
func Rejected(cause error) error {
	return &fault.Error{Kind: fault.Forbidden, Code: fault.Unauthenticated, Err: rejection{cause}, Fix: "sign in"}
}

// Cause says for our own log why something was rejected.
func Cause(err error) error {
	if r := (rejection{}); errors.As(err, &r) {
		return r.cause
	}
	return err
}

func roleSubject(project, role string) string { return "proj:" + project + ":" + role }

func parseRoleSubject(subject string) (project, role string, ok bool) {
	parts := strings.Split(subject, ":")
	if len(parts) != 3 || parts[0] != "proj" || parts[1] == "" || parts[2] == "" {
		return "", "", false
	}
	return parts[1], parts[2], true
}
