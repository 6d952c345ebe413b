// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"testing"
	"unicode/utf8"
)

func FuzzAnswers(f *testing.F) {
	f.Add([]byte("\x0a\x03a: 1\x12\x00"))
	f.Add([]byte("\x08\x01\x10\x01"))
	f.Add([]byte("\x0a\x0d\x0a\x01n\x4a\x08\x0a\x01k\x12\x03val"))
	f.Fuzz(func(t *testing.T, message []byte) {
		texts, err := parseManifests(message, 10)
		if len(texts) > 10 {
			t.Errorf("%d manifests", len(texts))
		}
		for _, text := range texts {
			if err == nil && !utf8.ValidString(text) {
				t.Errorf("%q", text)
			}
		}
		if out, _ := parseAnnouncements(message); len(out) > maxAnnounced {
			t.Errorf("%d announcements", len(out))
		}
		_, _ = parseConfiguration(message)
		_, _ = parseMatch(message)
	})
}

func FuzzReadable(f *testing.F) {
	f.Add("error: \x1b[31mred\n")
	f.Fuzz(func(t *testing.T, text string) {
		got := readable(text)
		if len(got) > keptHead+keptTail+len(" … ") || !utf8.ValidString(got) {
			t.Errorf("%d bytes: %q", len(got), got)
		}
	})
}
