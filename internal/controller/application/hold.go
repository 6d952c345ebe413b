// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/v1alpha1"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
)

// holdOff returns why a hold keeps what is desired now from being applied by itself, "" if none does. It ends a hold whose
// time is over or whose digest is not desired any more, and says on the Application that there is one.
func (p *pass) holdOff(ctx context.Context) string {
	value, there := p.next.Annotations[v1alpha1.AnnotationHold]
	if !there {
		return ""
	}
	h, err := bowline.ParseHold(value)
	if err != nil {
		text := fmt.Sprintf("held by the annotation %s, which cannot be read (%v)", v1alpha1.AnnotationHold, err)
		p.found.add(v1alpha1.ApplicationConditionHoldWarning, text+"; "+howToEnd(p.app.Name))
		return text
	}
	asked := p.askedWhileHeld()
	verdict, why := plan.JudgeHold(h, p.holdInput(asked))
	if verdict == plan.HoldDoubtful && p.state != nil {
		verdict, why = p.resolveHold(ctx, &h)
	}
	if verdict == plan.HoldEnds {
		p.unheld, p.guard = why, true
		delete(p.next.Annotations, v1alpha1.AnnotationHold)
		p.log.Info("hold ended", "reason", why)
		return ""
	}
	p.keepHold(h, value)
	return h.Text()
}

// askedWhileHeld returns the digest of what a person asked for while there was a hold, if that is what just ended with a
// full sync that succeeded. It also notes that such a request is there now.
func (p *pass) askedWhileHeld() object.Digest {
	if p.app.Operation != nil {
		p.st.askedHeldAt = p.now
	}
	if p.took == nil {
		return ""
	}
	o := p.took.outcome
	if o.result.Phase != v1alpha1.OperationSucceeded || o.cause != nil || o.op.automated() || o.op.work.Partial || isDryRun(o.op.spec) ||
		!o.op.record.StartedAt.Equal(&p.st.askedHeldAt) {
		return ""
	}
	return o.op.state.Digest
}

func (p *pass) holdInput(asked object.Digest) plan.HoldInput {
	in := plan.HoldInput{Sources: sourcesDigest(p.app), Asked: asked, Standing: p.unreachable || p.state == nil, Now: p.Clock.Now()}
	if p.state != nil {
		in.Digest = p.state.Digest
	}
	return in
}

func sourcesDigest(app *v1alpha1.Application) object.Digest {
	return object.DigestOf(desired.SourcesOf(app))
}

// resolveHold finds out whether what the held revisions ask for, made by the means of today, is what is desired now: a newer
// Bowline or another setting changes digests and mends nothing. It completes h if so.
func (p *pass) resolveHold(ctx context.Context, h *bowline.Hold) (verdict plan.HoldVerdict, why string) {
	const news = "something else is rendered"
	now := commitIDs(p.state.Commits)
	switch {
	case slices.Equal(h.Revisions, now), h.Digest == "" && len(h.Revisions) != len(now):
		p.aboutNow(h)
		return plan.HoldStands, ""
	case len(h.Revisions) != len(now):
		return plan.HoldEnds, news
	}
	held, err := p.Engine.At(ctx, p.st.id, desired.ProjectOf(p.app), desired.SourcesOf(p.app), h.Revisions, p.target)
	switch {
	case err != nil && (fault.Is(err, fault.Retry) || errors.Is(err, desired.ErrUnreachable)):
		p.requeue(p.failures.next(p.st.id))
		return plan.HoldStands, ""
	case err == nil && held.Digest == p.state.Digest:
		p.aboutNow(h)
		return plan.HoldStands, ""
	default:
		return plan.HoldEnds, news
	}
}

// aboutNow makes a hold be about what is desired now.
func (p *pass) aboutNow(h *bowline.Hold) {
	h.Digest, h.Sources, h.Revisions = string(p.state.Digest), string(sourcesDigest(p.app)), commitIDs(p.state.Commits)
	if h.Since.IsZero() {
		h.Since = p.now.Time
	}
}

func commitIDs(commits []desired.Commit) []string {
	out := make([]string, 0, len(commits))
	for _, c := range commits {
		out = append(out, c.ID)
	}
	return out
}

// keepHold shows a hold that goes on, writes down what was found out about it, and has it looked at when its time is over.
func (p *pass) keepHold(h bowline.Hold, value string) {
	if text := h.String(); text != value && h.Digest != "" {
		p.next.Annotations[v1alpha1.AnnotationHold] = text
		p.guard = true
	}
	if !h.Until.IsZero() {
		p.requeue(h.Until.Sub(p.Clock.Now()))
	}
	what := "what is desired now"
	if len(h.Revisions) > 0 {
		short := make([]string, 0, len(h.Revisions))
		for _, r := range h.Revisions {
			short = append(short, shortCommit(r))
		}
		what = fmt.Sprintf("revision %s", strings.Join(short, ", "))
	}
	p.found.add(v1alpha1.ApplicationConditionHoldWarning, fmt.Sprintf("%s; automated sync does not apply %s, nor any other that renders the same; %s",
		h.Text(), what, howToEnd(p.app.Name)))
}

func howToEnd(name string) string {
	return fmt.Sprintf("end it with `bowline app hold %s --end`", name)
}
