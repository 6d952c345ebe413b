// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
)

// compared is what a test says of how objects compare, by their names.
type compared struct {
	Managed
	of  map[string]*Viewed
	err error
}

func (c *compared) View(_ context.Context, _ *v1alpha1.Application, key object.Key) (*Viewed, error) {
	return c.of[key.Name], c.err
}

// glances are those of a cluster.
type glances struct{ Picture }

func (g glances) Glance(ctx context.Context, app *v1alpha1.Application) (Glimpse, error) {
	tree, err := g.Tree(ctx, app)
	return Glimpse{Tree: *tree}, err
}

func viewing(t *testing.T) (d *doings, c *compared, ns string) {
	t.Helper()
	d, _, ns = liveDoings(t)
	c = &compared{of: map[string]*Viewed{}}
	d.Reads.Managed, d.Looks = c, glances{d.Picture}
	return d, c, ns
}

func TestViewObjectOfWhatIsNotCompared(t *testing.T) {
	d, c, ns := viewing(t)
	d.settings.Doing.Terminal = true
	web := &bowline.ObjectQuery{Name: ns, Group: "apps", Kind: "Deployment", Namespace: ns, ResourceName: "web", Version: "v1"}
	tests := map[string]struct {
		rights, may []string
		restart     bool
	}{
		"reader":     {[]string{"applications, get, *"}, nil, false},
		"all":        {[]string{"applications, *", "logs, get, *", "exec, create, *"}, []string{"update", "delete", "logs", "exec"}, true},
		"of a kind":  {[]string{"applications, get, *", "applications, delete/apps/Deployment/" + ns + "/web, *"}, []string{"delete"}, false},
		"of an app":  {[]string{"applications, get, *", "applications, update, *", "logs, get, *"}, []string{"logs"}, false},
		"of restart": {[]string{"applications, get, *", "applications, action/apps/Deployment/restart, *"}, nil, true},
	}
	for who, tt := range tests {
		d.roles.set(tt.rights...)
		got, err := d.ViewObject(d.ctx, web)
		if err != nil {
			t.Fatalf("%s: %v", who, err)
		}
		restart := slices.ContainsFunc(got.Actions, func(a v1alpha1.ResourceAction) bool { return a.Name == "restart" && !a.Disabled })
		if !slices.Equal(got.May, tt.may) || restart != tt.restart || got.Live == nil || got.Desired != nil || got.Managed || got.Reason != "" {
			t.Errorf("%s may %v, restart %v: %+v", who, got.May, restart, got)
		}
		if strings.Contains(string(got.Live.Raw), "managedFields") || len(got.Owners) == 0 {
			t.Errorf("who wrote it is told as %v", got.Owners)
		}
	}
	secret, err := d.ViewObject(d.ctx, &bowline.ObjectQuery{Name: ns, Kind: "Secret", Namespace: ns, ResourceName: "keys", Version: "v1"})
	if err != nil || strings.Contains(string(secret.Live.Raw), canary) || !strings.Contains(string(secret.Live.Raw), "++++") {
		t.Errorf("a Secret: %+v, %v", secret, err)
	}
	_, err = d.ViewObject(d.ctx, &bowline.ObjectQuery{Name: ns, Kind: "Service", Namespace: ns, ResourceName: "loose", Version: "v1"})
	refusedFor(t, "what is none of its", err, fault.Mistake, "not found as part of application")
	c.err = fault.New(fault.Forbidden, "show", "it", "", "the project does not permit it", "")
	_, err = d.ViewObject(d.ctx, web)
	refusedFor(t, "what the project does not permit", err, fault.Forbidden, "does not permit")
}

// Of an object of which it is not known how it compares what is known is shown, and why it is not.
func TestViewObjectSaysWhatIsNotKnown(t *testing.T) {
	d, c, ns := viewing(t)
	d.roles.set("applications, *")
	c.err = fault.New(fault.Wait, "list", "the objects", "", "it was not compared yet", "")
	app := d.now(t, ns)
	app.Status.Resources = []v1alpha1.ResourceStatus{{Group: "apps", Kind: "Deployment", Namespace: ns, Name: "web"}}
	app.Status.Conditions = []v1alpha1.ApplicationCondition{{Type: v1alpha1.ApplicationConditionComparisonError, Message: "there is no such folder"}}
	if err := d.Hub.Update(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	web := &bowline.ObjectQuery{Name: ns, Group: "apps", Kind: "Deployment", Namespace: ns, ResourceName: "web"}
	got, err := d.ViewObject(d.ctx, web)
	if err != nil || !got.Managed || got.Reason != "there is no such folder" || got.Live == nil {
		t.Errorf("got %+v, %v", got, err)
	}
	c.of["web"] = &Viewed{Forms: diff.Forms{Desired: thingOf("Deployment", "web", map[string]any{})}, Reason: "a webhook refuses dry runs"}
	got, err = d.ViewObject(d.ctx, web)
	if err != nil || got.Reason != "a webhook refuses dry runs" || got.Live == nil || got.Desired == nil {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestFieldOwnersAreNewestFirst(t *testing.T) {
	got := fieldOwners([]diff.Owner{
		{Manager: v1alpha1.FieldManagerSync, Operation: "Apply", Time: "2026-05-04T12:00:00Z"},
		{Manager: "kubectl-edit", Operation: "Update", Time: "2026-05-05T12:00:00Z"},
	})
	if len(got) != 2 || got[0].Manager != "kubectl-edit" || got[0].Ours || !got[1].Ours || !got[1].Time.Equal(&metav1.Time{Time: got[1].Time.UTC()}) {
		t.Errorf("got %+v", got)
	}
}
