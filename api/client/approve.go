// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

// shortestDigest is how much of a digest is enough to name it.
const shortestDigest = 8

// Approve implements Applications. It writes what Argo CD's clients write to confirm deletions; what is new is that
// it does so only if the deletions that wait are those of the digest.
func (d *Direct) Approve(ctx context.Context, name, digest string) (*v1alpha1.Application, error) {
	return d.update(ctx, name, "approve deletions of", func(app *v1alpha1.Application) (Change, error) {
		return ApproveChange(app, digest, d.now())
	})
}

// ApproveChange is what the approval of a digest writes.
func ApproveChange(app *v1alpha1.Application, digest string, now time.Time) (Change, error) {
	refuse := refusal("approve deletions of", app)
	waiting, since := WaitingPlan(app)
	switch {
	case waiting == "":
		return nil, refuse(fault.Mistake, "none waits for an approval", "see `bowline app get`")
	case len(digest) < shortestDigest && digest != waiting:
		return nil, refuse(fault.Mistake, fmt.Sprintf("%q is too short for a digest", digest), "name the plan by the digest that `bowline app plan` prints")
	case digest != waiting && !strings.HasPrefix(hexOf(waiting), strings.ToLower(digest)):
		return nil, refuse(fault.Mistake, fmt.Sprintf("what waits is %s by now, and not %s", ShortDigest(waiting), digest),
			"look at what waits with `bowline app plan`, then approve that")
	}
	if !now.After(since) {
		now = since.Add(time.Millisecond) // its clock is ahead of ours
	}
	return annotate(v1alpha1.AnnotationDeletionApproved, now.UTC().Format(time.RFC3339Nano)), nil
}

// WaitingPlan returns the digest of the deletions of an application that wait for an approval, as the controller noted it,
// and since when; "" if none waits.
func WaitingPlan(app *v1alpha1.Application) (digest string, since time.Time) {
	digest, at, ok := strings.Cut(app.Annotations[v1alpha1.AnnotationDeletionPlan], " ")
	if !ok {
		return "", time.Time{}
	}
	since, err := time.Parse(time.RFC3339Nano, at)
	if err != nil {
		return "", time.Time{}
	}
	return digest, since
}

// ShortDigest returns enough of a digest to name what it stands for, in hexadecimal digits.
func ShortDigest(digest string) string {
	text := hexOf(digest)
	return text[:min(len(text), 12)]
}

// hexOf writes a digest in hexadecimal digits; what is none stays as it is.
func hexOf(digest string) string {
	raw, err := base64.RawURLEncoding.DecodeString(digest)
	if err != nil {
		return digest
	}
	return hex.EncodeToString(raw)
}
