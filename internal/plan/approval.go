// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"
	"strings"
	"time"

	"github.com/bowline-cd/bowline/internal/object"
)

// clockSkew is how far the clock of whoever approves may run ahead of ours.
const clockSkew = 5 * time.Minute

// Note remembers which deletions wait and since when. It is the value of the annotation bowline.dev/deletion-plan of
// the Application: "<digest> <time>".
type Note struct {
	Digest object.Digest
	At     time.Time
}

// String returns the annotation's value.
func (n Note) String() string { return string(n.Digest) + " " + n.At.UTC().Format(time.RFC3339Nano) }

// ParseNote reads an annotation's value; ok is false if it is not that of a note.
func ParseNote(value string) (n Note, ok bool) {
	digest, at, ok := strings.Cut(value, " ")
	if !ok || digest == "" {
		return Note{}, false
	}
	t, err := time.Parse(time.RFC3339Nano, at)
	return Note{Digest: object.Digest(digest), At: t}, err == nil
}

// WaitingDigest names the deletions that wait: the objects by uid, so that the same name used again is another plan. It
// is "" if none waits.
func (p *Plan) WaitingDigest() object.Digest {
	waiting := p.Waiting()
	if len(waiting) == 0 {
		return ""
	}
	lines := make([]string, 0, len(waiting))
	for _, s := range waiting {
		lines = append(lines, s.Key.String()+" "+string(liveUID(s.Live)))
	}
	slices.Sort(lines)
	return object.DigestOf(lines)
}

// Approved reports whether an approval (the value of argocd.argoproj.io/deletion-approved) counts for the deletions of
// this digest: they are the ones that were noted, and the approval is later than the note. An approval in the future
// does not count, or it would approve every plan to come.
func Approved(note Note, waiting object.Digest, approval string, now time.Time) bool {
	at, err := time.Parse(time.RFC3339, strings.TrimSpace(approval))
	if err != nil || waiting == "" || note.Digest != waiting {
		return false
	}
	return at.After(note.At) && !at.After(now.Add(clockSkew))
}
