// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"fmt"
	"log/slog"
	"unique"
)

const redacted = "[redacted]"

// Secret holds a value that must not leave its boundary. It prints, logs and marshals as [redacted]; only Reveal gives
// the value. Secrets with equal values are equal.
//
// The value is behind a pointer: package fmt calls no methods on unexported fields of other structs, nor for %p, and
// prints their content; all it finds there is an address.
type Secret struct{ value unique.Handle[string] }

// NewSecret wraps a value.
func NewSecret(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{unique.Make(value)}
}

// Reveal returns the value, for the one call that needs it.
func (s Secret) Reveal() string {
	if s.Empty() {
		return ""
	}
	return s.value.Value()
}

// Empty reports whether there is no value.
func (s Secret) Empty() bool { return s == Secret{} }

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
