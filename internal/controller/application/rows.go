// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
)

// RowView is one object of an application, as it was last looked at. Nothing in it is to be changed.
type RowView struct {
	Key     object.Key
	Version string // API version without the group
	Verdict Verdict
	Status  v1alpha1.SyncStatusCode
	Reason  string        // why it is not known, refused, or missing
	Changes []diff.Change // the fields that differ; values of Secrets do not show
	Health  *v1alpha1.HealthStatus
	Images  []string
	// RequiresPruning: it is ours and no longer desired. RequiresDeletionConfirmation: its deletion waits for a person.
	RequiresPruning, RequiresDeletionConfirmation bool
	// SharedWith is the application that has it instead of this one; "" for none.
	SharedWith string
	Hook       bool
	SyncWave   int64

	// The live object; empty if there is none.
	UID             types.UID
	ResourceVersion string
}

// Rows returns what is known of every object of an application, sorted by key. The error says so if that is not known yet.
func (c *Controller) Rows(_ context.Context, id string) ([]RowView, error) {
	st := c.states.peek(id)
	if st == nil {
		return nil, notCompared(id)
	}
	rows, ready := st.table.view()
	if !ready {
		return nil, notCompared(id)
	}
	slices.SortFunc(rows, func(a, b *row) int { return a.key.Compare(b.key) })
	out := make([]RowView, len(rows))
	for i, r := range rows {
		out[i] = viewOf(r)
	}
	return out, nil
}

func notCompared(id string) error {
	return fault.New(fault.Wait, "list", "the objects of application "+id, "", "it was not compared yet", "see its conditions, or try again in a moment")
}

func viewOf(r *row) RowView {
	v := RowView{
		Key: r.key, Version: r.version, Verdict: r.verdict, Status: r.code(), Reason: r.reason, Changes: r.changes, Images: r.images,
		RequiresPruning: r.verdict == Extra, RequiresDeletionConfirmation: r.keep, SharedWith: r.shared, Hook: r.hook,
		UID: r.live.uid, ResourceVersion: r.live.resourceVersion, Health: r.status(true).Health,
	}
	if r.desired != nil {
		v.SyncWave = int64(r.desired.Wave)
	}
	return v
}

// Managed is what the forms of one object are made of, for diff.FormsOf. It holds the values of Secrets.
type Managed struct {
	Row RowView
	// Input has desired and live; either is nil where there is no such object.
	Input diff.Input
	// Answer is what the API server would make of it; nil if that is plain without asking, or if Unanswered says why the
	// API server gave none.
	Answer     *unstructured.Unstructured
	Unanswered error
}

// Managed returns what is known of one object of an application, and asks the cluster about it. An object that is not the
// application's is an error, and so is one that its project does not permit, or whose live form is not known: of the last the
// desired form comes with the error.
func (c *Controller) Managed(ctx context.Context, id string, key object.Key) (Managed, error) {
	st := c.states.peek(id)
	if st == nil {
		return Managed{}, notCompared(id)
	}
	r, ready := st.table.viewOf(key)
	comparer := st.comparer.Load()
	switch {
	case !ready || comparer == nil:
		return Managed{}, notCompared(id)
	case r == nil:
		return Managed{}, fault.New(fault.Mistake, "show", key.String(), "", "it is no object of application "+id, "see which are: `bowline app resources "+id+"`")
	}
	return comparer.managed(ctx, r)
}

func (c *comparer) managed(ctx context.Context, r *row) (Managed, error) {
	if r.verdict == Refused { // that a source names an object must not show it to whoever wrote the source
		return Managed{}, fault.New(fault.Forbidden, "show", r.key.String(), "", r.reason, "")
	}
	out := Managed{Row: viewOf(r), Input: diff.Input{Adopt: c.adopt, Rules: c.rules}}
	live := c.live.Get(ctx, r.key, r.version)
	if live.Presence == cluster.Unknown {
		if r.desired != nil {
			out.Input.Desired = r.desired.Decode()
		}
		return out, fault.New(fault.Wait, "read", r.key.String(), "", live.Reason, "")
	}
	if r.desired == nil {
		out.Input.Live = live.Object
		return out, nil
	}
	in, err := c.input(ctx, r, live.Object)
	if err != nil {
		return Managed{}, err
	}
	out.Input = in
	if live.Object != nil {
		out.Input, out.Answer, out.Unanswered = c.answered(ctx, in)
	}
	return out, nil
}
