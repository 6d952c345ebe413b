// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"slices"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/controller/application"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	server "github.com/bowline-cd/bowline/internal/server/application"
)

// Glance implements application.Looks. Of a cluster that does not answer nothing is told as if it were so now.
func (l *liveView) Glance(ctx context.Context, app *v1alpha1.Application) (server.Glimpse, error) {
	c, permits, err := l.site(ctx, app)
	if err != nil {
		return server.Glimpse{}, err
	}
	seek, err := l.seeker(ctx, app, permits)
	if err != nil {
		return server.Glimpse{}, err
	}
	out := server.Glimpse{Cut: !c.Connection().Connected}
	id := l.apps.IDOf(app)
	out.Tree, out.Unknown, out.Pending = look(c, id, app, seek, permits)
	out.Cut = out.Cut && out.Unknown != ""
	showLabels(out.Tree.Hosts, l.settings.Current().Settings.NodeLabels)
	rows, err := l.apps.Rows(ctx, id)
	if fault.Is(err, fault.Wait) { // another process compares, or nobody has yet
		return out, nil
	}
	if err != nil {
		return server.Glimpse{}, err
	}
	out.Compared, out.Standings = true, make([]server.Standing, 0, len(rows))
	for i := range rows {
		out.Standings = append(out.Standings, standingOf(&rows[i]))
	}
	return out, nil
}

// shownValue is how much of a value that differs is shown.
const shownValue = 4 << 10

// View implements application.Managed. It does not wait for a comparison to come: people who look are shown what there is.
func (l *liveView) View(ctx context.Context, app *v1alpha1.Application, key object.Key) (*server.Viewed, error) {
	id := l.apps.IDOf(app)
	apps, err := l.comparing(ctx, id)
	if err != nil { // the live object can be shown all the same
		return nil, fault.Wrap(fault.Wait, "compare", "application "+id, err, "")
	}
	rows, err := apps.Rows(ctx, id)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(rows, func(r application.RowView) bool { return r.Key == key })
	if at < 0 {
		return nil, nil //nolint:nilnil // it is an answer
	}
	m, missing := apps.Managed(ctx, id, key)
	if missing != nil && m.Input.Desired == nil {
		return nil, missing
	}
	if rows[at].Verdict == application.Apart {
		m.Answer = nil // it is not compared
	}
	m.Input.MaxShown = shownValue
	out, err := l.viewed(&m)
	if err != nil {
		return nil, err
	}
	if rows[at].Verdict == application.Unknown {
		out.Reason = rows[at].Reason
	}
	return out, missing
}

// comparing returns a controller that knows how the objects of an application compare: that of this process, or, where another
// process compares, one for this call that has just compared them.
func (l *liveView) comparing(ctx context.Context, id string) (*application.Controller, error) {
	if !l.idle && l.apps.Leading() {
		return l.apps, nil
	}
	apps := l.apps
	if !l.idle {
		apps = (&previews{roles: l.roles, home: l.home}).controller(l.sources)
	}
	var err error
	settled(ctx, func() bool {
		var whole bool
		_, whole, err = apps.Inspect(ctx, id, nil)
		return err == nil && !whole // what is known after a while is told all the same
	})
	return apps, err
}

// viewed returns the forms of an object, masked, and the fields that differ.
func (l *liveView) viewed(m *application.Managed) (*server.Viewed, error) {
	forms, err := diff.FormsOf(m.Input, m.Answer)
	if err != nil {
		return nil, fault.Wrap(fault.Wait, "compare", m.Row.Key.String(), err, "")
	}
	out := &server.Viewed{}
	if m.Row.Verdict == application.Apart {
		forms.NormalizedLive, forms.Predicted = nil, nil
	} else if m.Input.Desired != nil && m.Input.Live != nil {
		result := diff.Compare(m.Input)
		if result.NeedsConfirmation && m.Answer != nil {
			result = diff.Confirm(m.Input, m.Answer)
		}
		if result.Verdict == diff.Different {
			out.Changes = result.Changes
		}
	}
	sensitive := l.settings.Current().Settings.MaskAnnotations
	out.Forms = diff.Mask(forms, func(annotation string) bool { return slices.Contains(sensitive, annotation) })
	return out, nil
}

func standingOf(r *application.RowView) server.Standing {
	return server.Standing{
		Key: r.Key, Version: r.Version, Sync: r.Status, Health: r.Health, Images: r.Images, Reason: r.Reason, Differs: len(r.Changes),
		Hidden: r.Verdict == application.Refused, UID: string(r.UID), Revision: r.ResourceVersion,
		Hook: r.Hook, Prune: r.RequiresPruning, Confirm: r.RequiresDeletionConfirmation, SharedWith: r.SharedWith, Wave: r.SyncWave,
	}
}
