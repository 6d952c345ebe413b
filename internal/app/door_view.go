// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/controller/application"
	"github.com/bowline-cd/bowline/internal/fault"
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

func standingOf(r *application.RowView) server.Standing {
	return server.Standing{
		Key: r.Key, Version: r.Version, Sync: r.Status, Health: r.Health, Images: r.Images, Reason: r.Reason, Differs: len(r.Changes),
		Hidden: r.Verdict == application.Refused, UID: string(r.UID), Revision: r.ResourceVersion,
		Hook: r.Hook, Prune: r.RequiresPruning, Confirm: r.RequiresDeletionConfirmation, SharedWith: r.SharedWith, Wave: r.SyncWave,
	}
}
