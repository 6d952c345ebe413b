// SPDX-License-Identifier: Apache-2.0

package application

import (
	"errors"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/fault"
)

func previewing(t *testing.T, rights ...string) (*doings, *outlooks) {
	t.Helper()
	saved := appIn("team", "web")
	saved.Labels = map[string]string{"was": "here"}
	d := newDoings(t, nil, saved)
	d.roles.set(rights...)
	o := &outlooks{plan: &bowline.Plan{Text: "creates 1"}, objects: map[string][]*unstructured.Unstructured{
		"web": {thingOf("Secret", "keys", map[string]any{"stringData": map[string]any{"key": canary}})},
	}}
	d.Unsaved = o
	return d, o
}

func TestPreview(t *testing.T) {
	d, o := previewing(t, "applications, create, team/*", "applications, get, team/*")
	got, err := d.Preview(d.ctx, &bowline.PreviewRequest{Application: *appIn("team", "new")})
	if err != nil || got.Exists || len(got.Problems) > 0 || got.Plan == nil || got.SourceTypes[0] != "Directory" {
		t.Errorf("got %+v, %v", got, err)
	}
	if text := strings.Join(got.Manifests, ""); strings.Contains(text, canary) || !strings.Contains(text, "keys") {
		t.Errorf("the manifests are %s", text)
	}
	missing := &v1alpha1.Application{}
	if err := d.Hub.Get(t.Context(), client.ObjectKey{Namespace: "argocd", Name: "new"}, missing); err == nil {
		t.Error("it was written")
	}
	d.roles.set("applications, get, team/*", "applications, update, team/*")
	changed := appIn("team", "web")
	changed.Spec.Source.TargetRevision = "next"
	if got, err = d.Preview(d.ctx, &bowline.PreviewRequest{Application: *changed}); err != nil || !got.Exists {
		t.Errorf("of one that exists: %+v, %v", got, err)
	}
	if last := o.asked[len(o.asked)-1]; last.UID == "" || last.Spec.Source.TargetRevision != "next" || len(last.Labels) > 0 {
		t.Errorf("it was taken as %+v", last)
	}
}

// Whoever may not save an application is not told what would become of it, and not whether there is one.
func TestPreviewNeedsTheRightToSave(t *testing.T) {
	tests := map[string]struct {
		rights        []string
		project, name string
		want          string
	}{
		"a new one":        {[]string{"applications, get, *"}, "team", "new", "permission denied: applications, create, team/new"},
		"a new one unseen": {[]string{"applications, create, team/*"}, "team", "new", "permission denied: applications, get, team/new"},
		"moved out of sight": {[]string{"applications, get, team/*", "applications, update, *", "applications, create, *"}, "other", "web",
			"permission denied: applications, get, other/web"},
		"in another project":      {[]string{"applications, create, team/*"}, "other", "new", "permission denied: applications, create, other/new"},
		"one that is there":       {[]string{"applications, get, *", "applications, create, *"}, "team", "web", "permission denied: applications, update, team/web"},
		"one that is not seen":    {nil, "team", "web", "permission denied: applications, create, team/web"},
		"moved elsewhere":         {[]string{"applications, get, *", "applications, update, team/*"}, "other", "web", "permission denied: applications, create, other/web"},
		"over one that is hidden": {[]string{"applications, create, other/*"}, "other", "web", "permission denied"},
	}
	for reason, tt := range tests {
		d, o := previewing(t, tt.rights...)
		_, err := d.Preview(d.ctx, &bowline.PreviewRequest{Application: *appIn(tt.project, tt.name)})
		if !fault.Is(err, fault.Forbidden) || !strings.HasPrefix(err.Error(), tt.want) || len(o.asked) > 0 {
			t.Errorf("%s: %v", reason, err)
		}
	}
}

func TestPreviewTellsWhatIsWrongByField(t *testing.T) {
	d, o := previewing(t, "applications, *")
	o.wrong = []Wrong{
		{"spec.destination", fault.New(fault.Mistake, "find", "cluster x", "spec.destination", "nobody has configured it", "add it")},
		{"spec.source.repoURL", errors.New("spec.source.repoURL is empty: set it")},
		{"spec.project", errors.New("it has no such project")},
	}
	app := appIn("team", "No Name")
	app.Spec.Sources = []v1alpha1.ApplicationSource{{Name: "a"}, {Name: "a"}}
	got, err := d.Preview(d.ctx, &bowline.PreviewRequest{Application: *app})
	if err != nil {
		t.Fatal(err)
	}
	want := []bowline.Problem{
		{Field: "metadata.name", Message: `no application can be named "No Name"`, Fix: "write lower case letters, digits and -"},
		{Field: "spec.sources[1].name", Message: "another source is named a too", Fix: "name it differently"},
		{Field: "spec.destination", Message: "nobody has configured it", Fix: "add it"},
		{Field: "spec.source.repoURL", Message: "is empty: set it"},
		{Field: "spec.project", Message: "it has no such project"},
	}
	for i, w := range want {
		if i >= len(got.Problems) || got.Problems[i] != w {
			t.Errorf("problem %d: want %+v of %+v", i, w, got.Problems)
		}
	}
	if got.Plan != nil || len(o.asked) > 0 {
		t.Error("it was planned all the same")
	}
	o.wrong, o.plan = nil, nil
	o.err = fault.New(fault.Mistake, "render", "the chart", "spec.source.path", "there is no such folder", "check the path")
	got, err = d.Preview(d.ctx, &bowline.PreviewRequest{Application: *appIn("team", "new")})
	if err != nil || len(got.Problems) != 1 || got.Problems[0] != (bowline.Problem{Field: "spec.source.path", Message: "there is no such folder", Fix: "check the path"}) {
		t.Errorf("what cannot be rendered is told as %+v, %v", got, err)
	}
}
