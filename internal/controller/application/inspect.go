// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
)

// Finding is what a comparison says of one object.
type Finding struct {
	Key     object.Key
	Verdict Verdict
	Reason  string // why it is not known
	Changes []diff.Change
}

// unreadable says why an application could not be read.
func unreadable(thing string, err error) error {
	if apierrors.IsNotFound(err) {
		return fault.New(fault.Mistake, "read", thing, "", "it does not exist", "see `bowline app list`")
	}
	return fault.Wrap(fault.Retry, "read", thing, err, "check that the API server can be reached, then try again")
}

// prospect finds out what an application asks for as a reconcile would. Revisions stand in for those of its sources.
func (c *Controller) prospect(ctx context.Context, id string, revisions []string) (*pass, error) {
	app := &v1alpha1.Application{}
	if err := c.Client.Get(ctx, c.nameOf(id), app); err != nil {
		return nil, unreadable("application "+c.nameOf(id).String(), err)
	}
	p := c.newPass(app)
	p.admit(ctx)
	if !p.permitted() {
		return nil, errors.New(p.found.text(v1alpha1.ApplicationConditionInvalidSpecError))
	}
	var err error
	if len(revisions) > 0 {
		p.state, err = c.Engine.At(ctx, p.st.id, desired.ProjectOf(app), desired.SourcesOf(app), revisions, p.target)
	} else {
		p.state, err = c.Engine.For(ctx, p.st.id, app, p.target)
	}
	return p, err
}

// Desired returns what an application asks for, for previews on the command line.
func (c *Controller) Desired(ctx context.Context, name string, revisions []string) (*desired.State, error) {
	p, err := c.prospect(ctx, name, revisions)
	if err != nil {
		return nil, err
	}
	return p.state, nil
}

// Inspect compares an application as a reconcile would and writes nothing: for previews on the command line. Revisions
// stand in for those of its sources. settled is false while something of the cluster is still being listed: then ask
// again after the next change of its feed.
func (c *Controller) Inspect(ctx context.Context, name string, revisions []string) (found []Finding, settled bool, err error) {
	p, err := c.prospect(ctx, name, revisions)
	if err != nil {
		return nil, false, err
	}
	p.awaitLists(ctx, p.kinds(), previewListTime)
	p.st.touch()
	p.compare(ctx)
	if text := p.found.text(v1alpha1.ApplicationConditionComparisonError); text != "" {
		return nil, false, errors.New(text)
	}
	for _, r := range p.st.table.inOrder() {
		if r.verdict == Apart {
			continue
		}
		found = append(found, Finding{Key: r.key, Verdict: r.verdict, Reason: r.reason, Changes: r.changes})
	}
	return found, p.waiting == "", nil
}
