// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
)

// Against is Managed for another desired form than the application's own: one of another revision, or of a folder of the
// caller. What is live is only looked at if the object is the application's; the form of any other is that of a new object.
func (c *Controller) Against(ctx context.Context, id string, want *unstructured.Unstructured) (Managed, error) {
	gvk := want.GroupVersionKind()
	key := object.Key{Group: gvk.Group, Kind: gvk.Kind, Namespace: want.GetNamespace(), Name: want.GetName()}
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
		r = &row{key: key, version: gvk.Version, verdict: Missing}
	case r.verdict == Refused:
		return Managed{}, fault.New(fault.Forbidden, "compare", key.String(), "", r.reason, "")
	}
	return comparer.against(ctx, r, want)
}

func (c *comparer) against(ctx context.Context, r *row, want *unstructured.Unstructured) (Managed, error) {
	sch, err := c.schema(ctx, want.GroupVersionKind())
	if err != nil {
		return Managed{}, err
	}
	options, _ := c.options.For(want)
	out := Managed{Row: viewOf(r), Input: diff.Input{
		Desired: want, DesiredDigest: object.DigestOf(want.Object), Tracker: c.migrates,
		How: howOf(options), Adopt: c.adopt, Schema: sch, Rules: c.rules, Mutations: c.optionsOf(want).IncludeMutationWebhook,
	}}
	if !r.live.present {
		return out, nil
	}
	live := c.live.Get(ctx, r.key, want.GroupVersionKind().Version)
	if live.Presence == cluster.Unknown {
		return Managed{}, fault.New(fault.Wait, "read", r.key.String(), "", live.Reason, "")
	}
	if out.Input.Live = live.Object; live.Object != nil {
		out.Input, out.Answer, out.Unanswered = c.answered(ctx, out.Input)
	}
	return out, nil
}
