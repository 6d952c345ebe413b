// SPDX-License-Identifier: Apache-2.0

package client

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

// RollbackRequest is what to go back to. Its zero value goes back to what was deployed before what is there now.
type RollbackRequest struct {
	// ID is that of an entry of the history; nil chooses one, see RollbackTarget.
	ID     *int64
	Prune  bool
	DryRun bool
	// Reason goes into the record of the operation and into the hold.
	Reason string
	// Until is when the hold ends by itself; zero means not by time.
	Until time.Time
	// OverrideWindow says why closed sync windows are passed; "" passes none.
	OverrideWindow string
	// Username is who asks, as far as the caller knows; "" asks the API server.
	Username string
}

// Rollback implements Applications. Like Argo CD's it applies the entry's sources and revisions without hooks.
func (d *Direct) Rollback(ctx context.Context, name string, request RollbackRequest) (*v1alpha1.Application, error) {
	request.Username = cmp.Or(request.Username, d.whoami(ctx))
	return d.update(ctx, name, "roll back", func(app *v1alpha1.Application) (Change, error) {
		return request.Change(app, d.now())
	})
}

// Change is all that a rollback writes, in one: so that nothing can apply again in between what is taken back.
func (r RollbackRequest) Change(app *v1alpha1.Application, now time.Time) (Change, error) {
	refuse := refusal("roll back", app)
	state := app.Status.OperationState
	running := state != nil && !state.Phase.Completed()
	switch {
	case app.DeletionTimestamp != nil:
		return nil, refuse(fault.Mistake, "it is being deleted", "")
	case app.Operation != nil || running && (!state.Operation.InitiatedBy.Automated || r.DryRun):
		return nil, refuse(fault.Wait, "another operation is already in progress", "end it with `bowline app terminate`, or wait for it with `bowline app wait --operation`")
	}
	entry, err := RollbackTarget(app, r.ID)
	if err != nil {
		return nil, err
	}
	out := Change{"operation": r.operation(app, entry)}
	if automated(app) && !r.DryRun {
		hold := bowline.Hold{Revisions: revisionsOf(app.Status.Sync.Revision, app.Status.Sync.Revisions), History: &entry.ID,
			Reason: r.Reason, By: r.Username, Since: now.UTC().Truncate(time.Second), Until: r.Until}
		out["metadata"] = annotate(v1alpha1.AnnotationHold, hold.String())["metadata"]
	}
	if running { // what is to be taken back is still being applied
		out["status"] = Change{"operationState": Change{"phase": v1alpha1.OperationTerminating}}
	}
	return out, nil
}

func (r RollbackRequest) operation(app *v1alpha1.Application, entry v1alpha1.RevisionHistory) *v1alpha1.Operation {
	op := SyncRequest{Prune: r.Prune, DryRun: r.DryRun, Strategy: StrategyApply, Username: r.Username}.operation(app)
	op.Sync.Revision, op.Sync.Revisions, op.Sync.Sources = entry.Revision, entry.Revisions, entry.Sources
	if len(entry.Sources) == 0 {
		op.Sync.Source = entry.Source.DeepCopy()
	}
	op.Info = append(op.Info, &v1alpha1.Info{Name: "Rollback", Value: fmt.Sprintf("to entry %d of the history", entry.ID)})
	if r.Reason != "" {
		op.Info = append(op.Info, &v1alpha1.Info{Name: "Reason", Value: r.Reason})
	}
	if r.OverrideWindow != "" {
		op.Info = append(op.Info, &v1alpha1.Info{Name: v1alpha1.InfoOverrideWindow, Value: r.OverrideWindow})
	}
	return op
}

// RollbackTarget returns the entry of the history with an id. Without one it chooses what was deployed before what is there
// now: the newest entry that is neither of the revision deployed last nor of the one that is held off; or the last entry
// itself, if a newer revision was begun and did not succeed.
func RollbackTarget(app *v1alpha1.Application, id *int64) (v1alpha1.RevisionHistory, error) {
	history := app.Status.History
	refuse := refusal("roll back", app)
	if id != nil {
		i := slices.IndexFunc(history, func(h v1alpha1.RevisionHistory) bool { return h.ID == *id })
		if i < 0 {
			return v1alpha1.RevisionHistory{}, refuse(fault.Mistake, fmt.Sprintf("its history has no entry %d", *id), "choose one of `bowline app history`")
		}
		return history[i], nil
	}
	if len(history) == 0 {
		return v1alpha1.RevisionHistory{}, refuse(fault.Mistake, "its history is empty: no full sync of it succeeded yet", "mend what is in the source")
	}
	last := history[len(history)-1]
	if failedAfter(app.Status.OperationState, last) {
		return last, nil
	}
	unwanted := []string{deployed(last)}
	if hold, err := bowline.ParseHold(app.Annotations[v1alpha1.AnnotationHold]); err == nil && len(hold.Revisions) > 0 {
		unwanted = append(unwanted, strings.Join(hold.Revisions, " "))
	}
	for _, h := range slices.Backward(history[:len(history)-1]) {
		if !slices.Contains(unwanted, deployed(h)) && !slices.Contains(unwanted, revisionText(h)) {
			return h, nil
		}
	}
	return v1alpha1.RevisionHistory{}, refuse(fault.Mistake, "its history has nothing that was deployed before", "name an entry of `bowline app history`, or mend what is in the source")
}

// failedAfter reports whether the last operation is about another revision than the last entry, for the whole of the
// application, and has not succeeded.
func failedAfter(state *v1alpha1.OperationState, last v1alpha1.RevisionHistory) bool {
	if state == nil || state.SyncResult == nil || state.Phase == v1alpha1.OperationSucceeded || state.Operation.Sync == nil ||
		state.Operation.Sync.DryRun || len(state.Operation.Sync.Resources) > 0 {
		return false
	}
	tried := strings.Join(revisionsOf(state.SyncResult.Revision, state.SyncResult.Revisions), " ")
	return tried != "" && tried != revisionText(last)
}

func revisionText(h v1alpha1.RevisionHistory) string {
	return strings.Join(revisionsOf(h.Revision, h.Revisions), " ")
}

// deployed names what an entry deployed: the revisions, and the sources that made objects of them.
func deployed(h v1alpha1.RevisionHistory) string {
	sources, err := json.Marshal([]any{h.Source, h.Sources})
	if err != nil {
		return revisionText(h)
	}
	return revisionText(h) + " " + string(sources)
}

func revisionsOf(one string, several []string) []string {
	if len(several) > 0 {
		return several
	}
	if one == "" {
		return nil
	}
	return []string{one}
}

func refusal(verb string, app *v1alpha1.Application) func(fault.Kind, string, string) error {
	return func(kind fault.Kind, cause, fix string) error {
		return fault.New(kind, verb, "application "+app.Namespace+"/"+app.Name, "", cause, fix)
	}
}
