// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"testing"
	"time"

	"github.com/bowline-cd/bowline/internal/object"
)

func TestApproved(t *testing.T) {
	noted := time.Date(2026, 3, 1, 12, 0, 0, 500_000_000, time.UTC)
	note := Note{Digest: "d1", At: noted}
	now := noted.Add(time.Hour)
	at := func(d time.Duration) string { return noted.Add(d).Format(time.RFC3339) }
	tests := []struct {
		reason   string
		note     Note
		digest   object.Digest
		approval string
		want     bool
	}{
		{"later than the note", note, "d1", at(time.Minute), true},
		{"with a fraction and white space", note, "d1", " " + noted.Add(time.Second).Format(time.RFC3339Nano) + "\n", true},
		{"in another zone", note, "d1", noted.Add(time.Minute).In(time.FixedZone("", 3600)).Format(time.RFC3339), true},
		{"earlier than the note: it was given to another plan", note, "d1", at(-time.Minute), false},
		{"at the second of the note", note, "d1", at(0), false},
		{"of another plan", note, "d2", at(time.Minute), false},
		{"nothing noted", Note{}, "d1", at(time.Minute), false},
		{"nothing waits", Note{}, "", at(time.Minute), false},
		{"nothing approved", note, "d1", "", false},
		{"not a time", note, "d1", "yes", false},
		{"a clock a little ahead", note, "d1", now.Add(time.Minute).Format(time.RFC3339), true},
		{"the far future would approve everything to come", note, "d1", "2099-01-01T00:00:00Z", false},
	}
	for _, tt := range tests {
		if got := Approved(tt.note, tt.digest, tt.approval, now); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.reason, got, tt.want)
		}
	}
}

func TestNoteRoundTrip(t *testing.T) {
	note := Note{Digest: "abc-_9", At: time.Date(2026, 3, 1, 12, 0, 0, 5, time.UTC)}
	if got, ok := ParseNote(note.String()); !ok || got.Digest != note.Digest || !got.At.Equal(note.At) {
		t.Errorf("%q: got %+v, %v", note, got, ok)
	}
	for _, bad := range []string{"", "abc", " 2026-03-01T12:00:00Z", "abc soon", "abc 2026-03-01"} {
		if got, ok := ParseNote(bad); ok {
			t.Errorf("%q is read as %+v", bad, got)
		}
	}
}

func TestWaitingDigestNamesObjectsByUID(t *testing.T) {
	digest := func(items ...testItem) object.Digest {
		c := testCase{Prune: true, Items: items}
		p, err := c.build()
		if err != nil {
			t.Fatal(err)
		}
		return p.WaitingDigest()
	}
	confirm := map[string]string{"argocd.argoproj.io/sync-options": "Prune=confirm"}
	a := testItem{Kind: "ConfigMap", NS: "x", Name: "a", Live: true, Annotations: confirm}
	b := testItem{Kind: "ConfigMap", NS: "x", Name: "b", Live: true, Annotations: confirm}
	change := testItem{Kind: "ConfigMap", NS: "x", Name: "c", Desired: true}
	if digest(change) != "" {
		t.Error("a plan without waiting prunes has a digest to approve")
	}
	if digest(a, b) == digest(a) {
		t.Error("another object more has the same digest")
	}
	if digest(a) != digest(change, a) {
		t.Error("what is applied beside changes what was approved")
	}
}
