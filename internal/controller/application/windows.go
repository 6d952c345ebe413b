// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/event"
	"github.com/bowline-cd/bowline/internal/plan"
)

// Windows are asked anew at every pass and before every wave, as the project and the time are then. Nothing is remembered of
// what was open or closed before: when a window opens a pass is due, and whatever waits goes.

// windowsOf returns the sync windows of the project that are about the application.
func (c *Controller) windowsOf(ctx context.Context, app *v1alpha1.Application) (plan.Windows, error) {
	windows, err := c.projects.windows(ctx, desired.ProjectOf(app))
	if err != nil {
		return plan.Windows{}, err
	}
	return windows.Of(app.Name, app.Spec.Destination), nil
}

// closedWindow returns why the sync windows of the project permit no sync by itself now, "" if they do, and has the next pass
// come when that may change. An operation that waits for a window is told to ask again.
func (p *pass) closedWindow(ctx context.Context) string {
	op := p.st.running
	if op != nil && op.windowClosed.Load() {
		p.st.nudge()
	}
	windows, err := p.windowsOf(ctx, p.app)
	if err != nil {
		return err.Error()
	}
	now := p.Clock.Now()
	state := windows.Ask(plan.Moment{Now: now})
	automated := plan.Automated(p.app.Spec.SyncPolicy)
	if automated || op != nil {
		p.requeue(state.Next.Sub(now)) // not at all if nothing ever changes
	}
	if !state.Open && automated && p.code == v1alpha1.SyncStatusCodeOutOfSync && op == nil {
		p.found.add(v1alpha1.ApplicationConditionSyncWindowWarning, "automated sync is blocked by sync window: "+state.Reason)
	}
	return state.Reason
}

// blockedPrefix begins what is said of an operation that waits for a window, as in Argo CD.
const blockedPrefix = "blocked by sync window: "

// blocks returns why windows do not permit an operation to begin or to go on, "" if they do, and when to ask again (zero: not
// before the project changes). A person may override windows, and says why; a dry run changes nothing and passes.
func (c *Controller) blocks(ctx context.Context, app *v1alpha1.Application, spec v1alpha1.Operation, started time.Time) (why string, next time.Time) {
	if isDryRun(spec) || overrides(spec) != "" {
		return "", next
	}
	windows, err := c.windowsOf(ctx, app)
	if err != nil {
		return blockedPrefix + "whether one is closed is not known: " + err.Error(), next
	}
	state := windows.Ask(plan.Moment{Now: c.Clock.Now(), Manual: !spec.InitiatedBy.Automated, Started: started})
	switch {
	case state.Open:
		return "", state.Next
	case spec.InitiatedBy.Automated:
		return blockedPrefix + state.Reason, state.Next
	default:
		return blockedPrefix + state.Reason + "; a sync with --override-window goes ahead all the same (what waits already is terminated first)", state.Next
	}
}

// waitsForWindow returns why an operation that does not run is not begun or gone on with yet, "" if it may be. It is planned
// when its window opens, from what is desired and live then.
func (p *pass) waitsForWindow(ctx context.Context, spec v1alpha1.Operation, started time.Time) string {
	if p.found.has(v1alpha1.ApplicationConditionInvalidSpecError) {
		return "" // it ends at once, with what is wrong about the application
	}
	why, next := p.blocks(ctx, p.app, spec, started)
	if why != "" {
		p.requeue(next.Sub(p.Clock.Now()))
	}
	return why
}

// blocked returns what tells a run, before each of its waves, why windows do not permit it to go on. It is called beside the
// reconciler.
func (p *pass) blocked(ctx context.Context, op *operation) func() string {
	app, ctx := p.app, context.WithoutCancel(ctx)
	return func() string {
		why, _ := p.blocks(ctx, app, op.spec, op.record.StartedAt.Time)
		op.windowClosed.Store(why != "")
		return why
	}
}

// nudge has the operation that runs ask anew for what it waits for.
func (s *appState) nudge() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signal()
}

// overrides returns why a person has an operation pass closed windows, "" if nobody does. Without a reason it does not count,
// and never for what nobody asked for.
func overrides(spec v1alpha1.Operation) string {
	if spec.InitiatedBy.Automated {
		return ""
	}
	for _, info := range spec.Info {
		if info != nil && info.Name == v1alpha1.InfoOverrideWindow {
			return strings.Join(strings.Fields(info.Value), " ")
		}
	}
	return ""
}

// overrideNotes are for the message of an operation that overrides windows: what was closed, and why it was to go ahead.
func (p *pass) overrideNotes(ctx context.Context, spec v1alpha1.Operation) []string {
	reason := overrides(spec)
	if reason == "" {
		return nil
	}
	note := "sync windows overridden: " + reason
	if windows, err := p.windowsOf(ctx, p.app); err == nil {
		if state := windows.Ask(plan.Moment{Now: p.Clock.Now(), Manual: true}); !state.Open {
			note += " (" + state.Reason + ")"
		}
	}
	return []string{note}
}

// tellOverride says in the log and as an Event that an operation that begins passes closed windows.
func (p *pass) tellOverride(ctx context.Context, op *operation) {
	for _, note := range p.overrideNotes(ctx, op.spec) {
		p.log.Warn("an operation overrides sync windows", "user", op.spec.InitiatedBy.Username, "note", note)
		p.publish(event.SyncWindowOverridden, true, fmt.Sprintf("%s, at %s", note, describeCommits(op.state.Commits)))
	}
}
