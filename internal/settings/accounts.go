// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"regexp"
	"time"
)

// Users are the settings of local accounts and sessions. The accounts themselves are read elsewhere (internal/auth).
type Users struct {
	// Anonymous lets callers in who show nothing (users.anonymous.enabled). They have the role of policy.default.
	Anonymous bool
	// Session is how long a person stays signed in (users.session.duration).
	Session time.Duration
	// Password is what new passwords have to match (passwordPattern).
	Password *regexp.Regexp
}

var defaultUsers = Users{Session: 24 * time.Hour, Password: regexp.MustCompile(`^.{8,32}$`)}

var userKeys = []reader{
	inCM("passwordPattern", func(s *Settings) **regexp.Regexp { return &s.Users.Password }, expression),
	inCM("users.anonymous.enabled", func(s *Settings) *bool { return &s.Users.Anonymous }, boolean),
	inCM("users.session.duration", func(s *Settings) *duration { return &s.Users.Session }, positiveSpan),
}

func expression(raw string) (*regexp.Regexp, error) {
	re, err := regexp.Compile(raw)
	if err != nil {
		return nil, hint{quoted(raw) + " is not a regular expression", "write one as Go's package regexp reads them"}
	}
	return re, nil
}
