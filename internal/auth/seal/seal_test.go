// SPDX-License-Identifier: Apache-2.0

package seal_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/bowline-cd/bowline/internal/auth/seal"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func box(t testing.TB, b byte) *seal.Box {
	t.Helper()
	out, err := seal.New(bytes.Repeat([]byte{b}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestOnlyWeOpenWhatWeSealedAndOnlyForWhatItWas(t *testing.T) {
	b := box(t, 1)
	want := strings.Repeat("who it is and which groups ", 100)
	text, err := b.Seal("login", want, noon.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	var got string
	if err := b.Open("login", text, noon, &got); err != nil || got != want {
		t.Errorf("opened it is %.40q, %v", got, err)
	}
	if strings.Contains(text, "groups") || strings.ContainsAny(text, "+/=%") {
		t.Errorf("the text is readable, or no text for addresses: %.80s", text)
	}
	if again, err := b.Seal("login", want, noon.Add(time.Minute)); err != nil || again == text {
		t.Errorf("the same twice gives the same text, %v", err)
	}
	changed := []byte(text)
	changed[len(changed)/2] ^= 1
	for name, open := range map[string]func() error{
		"another purpose": func() error { return b.Open("code", text, noon, &got) },
		"another key":     func() error { return box(t, 2).Open("login", text, noon, &got) },
		"changed":         func() error { return b.Open("login", string(changed), noon, &got) },
		"cut":             func() error { return b.Open("login", text[:20], noon, &got) },
		"nothing":         func() error { return b.Open("login", "", noon, &got) },
		"another type":    func() error { var n int; return b.Open("login", text, noon, &n) },
	} {
		if err := open(); !errors.Is(err, seal.ErrForeign) {
			t.Errorf("%s: %v, want ErrForeign", name, err)
		}
	}
	if err := b.Open("login", text, noon.Add(time.Minute), &got); !errors.Is(err, seal.ErrLate) {
		t.Errorf("at its end it gives %v, want ErrLate", err)
	}
	if _, err := seal.New(make([]byte, 31)); err == nil {
		t.Error("a short key is accepted")
	}
}

func FuzzOpen(f *testing.F) {
	b := box(f, 1)
	text, _ := b.Seal("login", map[string]string{"a": "b"}, noon.Add(time.Minute))
	f.Add(text)
	f.Add("")
	f.Fuzz(func(t *testing.T, changed string) {
		var v any
		if err := b.Open("login", changed, noon, &v); err == nil && changed != text {
			t.Errorf("%q was not sealed and is opened", changed)
		}
	})
}
