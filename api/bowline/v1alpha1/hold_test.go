// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bowline-cd/bowline/api/bowline/v1alpha1"
)

func TestHoldIsReadAsItWasWritten(t *testing.T) {
	id := int64(4)
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for name, h := range map[string]v1alpha1.Hold{
		"nothing": {},
		"all":     {Digest: "d", Revisions: []string{"a", "b"}, Sources: "s", History: &id, Reason: "it \"fails\"", By: "ann", Since: at, Until: at.Add(time.Hour)},
	} {
		got, err := v1alpha1.ParseHold(h.String())
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(h, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestParseHold(t *testing.T) {
	for value, want := range map[string]string{
		"":                          "held",
		"release 7 is broken":       "held: release 7 is broken",
		`{"reason":"r","by":"ann"}`: "held by ann: r",
		`{"since":"2026-03-04T05:06:07Z","until":"2026-03-04T07:06:07+02:00"}`: "held since 2026-03-04T05:06:07Z until 2026-03-04T05:06:07Z",
	} {
		h, err := v1alpha1.ParseHold(value)
		if err != nil || h.Text() != want {
			t.Errorf("%q is %q, %v; want %q", value, h.Text(), err, want)
		}
	}
	for _, value := range []string{`{"reason":`, `{"raeson":"r"}`, `{} {}`, `{"until":"tomorrow"}`, strings.Repeat("x", 70<<10)} {
		if h, err := v1alpha1.ParseHold(value); err == nil {
			t.Errorf("%.40q was read as %v", value, h)
		}
	}
}

func FuzzParseHold(f *testing.F) {
	f.Add("broken")
	f.Add(`{"digest":"d","revisions":["a"],"history":3,"until":"2026-03-04T05:06:07Z"}`)
	f.Add(`{"since":"9999-12-31T23:59:59-14:00"}`)
	f.Fuzz(func(t *testing.T, value string) {
		h, err := v1alpha1.ParseHold(value)
		if err != nil {
			return
		}
		again, err := v1alpha1.ParseHold(h.String())
		if err != nil {
			t.Fatalf("%q was written as %q, which does not read: %v", value, h, err)
		}
		if h.String() != again.String() {
			t.Fatalf("%q changes to %q when it is written once more", h, again)
		}
	})
}
