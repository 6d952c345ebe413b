// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/fault"
)

// outlooks is what a test says that applications ask for, by the path of their first source.
type outlooks struct {
	wrong   []Wrong
	objects map[string][]*unstructured.Unstructured
	err     error
	plan    *bowline.Plan
	asked   []*v1alpha1.Application
}

func (o *outlooks) Wrong(context.Context, *v1alpha1.Application) []Wrong { return o.wrong }

func (o *outlooks) Outlook(ctx context.Context, app *v1alpha1.Application) (Rendered, *bowline.Plan, error) {
	out, err := o.Asked(ctx, app, nil)
	return out, o.plan, err
}

func (o *outlooks) Asked(_ context.Context, app *v1alpha1.Application, revisions []string) (Rendered, error) {
	o.asked = append(o.asked, app)
	if o.err != nil {
		return Rendered{}, o.err
	}
	return Rendered{Objects: o.objects[sourcesOf(app)[0].Path], Revisions: revisions, SourceTypes: []string{"Directory"}}, nil
}

func thingOf(kind, name string, content map[string]any) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: content}
	u.SetAPIVersion("v1")
	u.SetKind(kind)
	u.SetName(name)
	u.SetNamespace("shop")
	return u
}

// historical is a service whose application web was deployed from two folders.
func historical(t *testing.T) (*reading, *outlooks) {
	t.Helper()
	old, young := "old", "young"
	r := read(t, []string{"applications, get, shop/*"}, readable("shop", "web", 1, func(app *v1alpha1.Application) {
		app.Spec.Source.Path = young
		app.Status.History = []v1alpha1.RevisionHistory{
			{ID: 3, Revision: "abc", Source: v1alpha1.ApplicationSource{RepoURL: app.Spec.Source.RepoURL, Path: old}},
			{ID: 4, Revisions: []string{"def"}, Sources: v1alpha1.ApplicationSources{{RepoURL: app.Spec.Source.RepoURL, Path: young}}},
		}
	}))
	o := &outlooks{objects: map[string][]*unstructured.Unstructured{
		old: {
			thingOf("ConfigMap", "same", map[string]any{}), thingOf("ConfigMap", "gone", map[string]any{}),
			thingOf("Secret", "keys", map[string]any{"stringData": map[string]any{"key": canary}}),
		},
		young: {
			thingOf("Secret", "keys", map[string]any{"stringData": map[string]any{"key": canary + "-2"}}),
			thingOf("ConfigMap", "same", map[string]any{}), thingOf("ConfigMap", "new", map[string]any{}),
		},
	}}
	r.Unsaved = o
	return r, o
}

func TestCompare(t *testing.T) {
	r, _ := historical(t)
	for name, to := range map[string]*int64{"the next": ptr.To[int64](4), "what it says now": nil} {
		got, err := r.Compare(r.ctx, &bowline.CompareQuery{Name: "web", From: 3, To: to})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var told []string
		for _, o := range got.Objects {
			told = append(told, o.Kind+" "+o.Name+" "+o.Change)
			for _, d := range o.Differences {
				told = append(told, d.Path+" "+d.Live+" "+d.Desired)
			}
		}
		text := strings.Join(told, "; ")
		if want := "ConfigMap gone removed; ConfigMap new added; Secret keys changed; data.key ++++++++ ++++++++ (changed)"; text != want || got.Same != 1 {
			t.Errorf("%s: %s and %d the same, want %s", name, text, got.Same, want)
		}
		if len(got.Sources) != 1 || got.Sources[0].Path != "spec.source.path" || got.Sources[0].Desired != `"young"` {
			t.Errorf("%s: the sources differ in %+v", name, got.Sources)
		}
	}
}

func TestCompareSaysWhatItCannot(t *testing.T) {
	r, o := historical(t)
	_, err := r.Compare(r.ctx, &bowline.CompareQuery{Name: "web", From: 9})
	if fault.CodeOf(err) != fault.NotFound {
		t.Errorf("no such deployment: %v", err)
	}
	o.err = fault.New(fault.Mistake, "read", "the revision abc", "", "the repository does not have it any more", "")
	_, err = r.Compare(r.ctx, &bowline.CompareQuery{Name: "web", From: 3})
	if !fault.Is(err, fault.Mistake) || !strings.Contains(err.Error(), "deployment 3 of") || !strings.Contains(err.Error(), "does not have it any more") {
		t.Errorf("a revision that is gone: %v", err)
	}
	r.roles.set()
	_, forbidden := r.Compare(r.ctx, &bowline.CompareQuery{Name: "web", From: 3})
	_, missing := r.Compare(r.ctx, &bowline.CompareQuery{Name: "nothing", From: 3})
	if !fault.Is(forbidden, fault.Forbidden) || forbidden.Error() != missing.Error() {
		t.Errorf("forbidden %v, missing %v", forbidden, missing)
	}
}
