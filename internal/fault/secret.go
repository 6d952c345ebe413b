// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
)

const redacted = "[redacted]"

// Secret holds a value that must not leave its boundary. It prints, logs and marshals as [redacted];
// only Reveal gives the value.
type Secret struct{ value string }

// NewSecret wraps a value.
func NewSecret(value string) Secret { return Secret{value} }

// Reveal returns the value, for the one call that needs it.
func (s Secret) Reveal() string { return s.value }

// Empty reports whether there is no value.
func (s Secret) Empty() bool { return s.value == "" }

// String implements fmt.Stringer.
func (s Secret) String() string { return redacted }

// Format implements fmt.Formatter, so that no verb (%+v, %#v, %q, %x) reaches the value.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// MarshalJSON implements json.Marshaler.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText implements encoding.TextMarshaler.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// RedactURL returns raw without user info and query, which may hold credentials.
// What does not parse as a URL (scp form, for example) is returned with anything before "@" removed.
func RedactURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		if i := strings.LastIndex(raw, "@"); i >= 0 && !strings.HasPrefix(raw, "git@") {
			return raw[i+1:]
		}
		return raw
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

// invalidValue matches the place where the API server quotes a rejected value:
// field errors read `spec.x: Invalid value: "…": detail`.
var invalidValue = regexp.MustCompile(`(?s)((?:Invalid|Unsupported|Duplicate) value: )(".*?[^\\]"|""|\S+)`)

// RedactValues removes the values that an API server's message about a Secret quotes.
func RedactValues(message string) string {
	return invalidValue.ReplaceAllString(message, `${1}`+redacted)
}
