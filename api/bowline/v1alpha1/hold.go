// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 holds what Bowline itself writes into the cluster, apart from Argo CD's kinds.
//
// The words of this room:
//
//   - Hold: keeps automated sync from applying a desired state that a person took back. It is the value of the annotation
//     bowline.dev/hold of an Application.
package v1alpha1

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Hold says what automated sync is not to apply by itself, and why. Who sets it by hand need only write a reason.
type Hold struct {
	// Digest is that of the desired state which is held off. The controller fills it in.
	Digest string `json:"digest,omitempty"`
	// Revisions are the commits (or versions) it was seen at, one for each source.
	Revisions []string `json:"revisions,omitempty"`
	// Sources is the digest of the sources of the spec it was made from. The controller fills it in.
	Sources string `json:"sources,omitempty"`
	// History is the entry of the history that was brought back instead; nil if none was.
	History *int64 `json:"history,omitempty"`
	Reason  string `json:"reason,omitempty"`
	By      string `json:"by,omitempty"`
	// Since is when the hold began, Until when it ends by itself; zero means not by time.
	Since time.Time `json:"since,omitzero"`
	Until time.Time `json:"until,omitzero"`
}

// maxHold bounds what is read from an annotation.
const maxHold = 64 << 10

// ParseHold reads the value of the annotation. A value that is no JSON object is a reason. An error means that the hold
// is there and cannot be read.
func ParseHold(value string) (Hold, error) {
	value = strings.ToValidUTF8(strings.TrimSpace(value), "\uFFFD")
	if len(value) > maxHold {
		return Hold{}, fmt.Errorf("it is longer than %d bytes", maxHold)
	}
	if !strings.HasPrefix(value, "{") {
		return Hold{Reason: value}, nil
	}
	var h Hold
	d := json.NewDecoder(bytes.NewReader([]byte(value)))
	d.DisallowUnknownFields()
	if err := d.Decode(&h); err != nil {
		return Hold{}, err
	}
	if d.More() {
		return Hold{}, fmt.Errorf("something follows the JSON object")
	}
	return h, nil
}

// String returns the annotation's value.
func (h Hold) String() string {
	h.Since, h.Until = h.Since.UTC(), h.Until.UTC()
	text, err := json.Marshal(h)
	if err != nil { // a year that JSON cannot write
		h.Since, h.Until = time.Time{}, time.Time{}
		text, _ = json.Marshal(h)
	}
	return string(text)
}

// Text says in words who holds what, why, and until when.
func (h Hold) Text() string {
	text := "held"
	if !h.Since.IsZero() {
		text += " since " + h.Since.UTC().Format(time.RFC3339)
	}
	if h.By != "" {
		text += " by " + h.By
	}
	if !h.Until.IsZero() {
		text += " until " + h.Until.UTC().Format(time.RFC3339)
	}
	if h.Reason != "" {
		text += ": " + h.Reason
	}
	return text
}
