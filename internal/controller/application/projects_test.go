// SPDX-License-Identifier: Apache-2.0

package application

import (
	"slices"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/settings"
)

// TestGlobalProjects: what a project inherits counts from the next question on, whichever of the two projects, their labels and the
// settings changes.
func TestGlobalProjects(t *testing.T) {
	s, problems := settings.Defaults().With(map[string]string{"globalProjects": "- projectName: base\n  labelSelector: {matchLabels: {team: a}}"}, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	base := projectWith(v1alpha1.AppProjectSpec{SourceRepos: []string{"https://a.example/*"}, SyncWindows: v1alpha1.SyncWindows{
		{Kind: v1alpha1.SyncWindowKindDeny, Schedule: "* * * * *", Duration: "1h", Applications: []string{"*"}}}})
	base.Name = "base"
	team := projectWith(v1alpha1.AppProjectSpec{})
	c := hubWith(t, &s, base, team)
	versions := []string{}
	ask := func(url string, want bool) {
		t.Helper()
		project, version, err := c.projects.get(t.Context(), "team")
		if err != nil {
			t.Fatal(err)
		}
		if err := project.Source(url); (err == nil) != want {
			t.Errorf("%s: got %v", url, err)
		}
		if slices.Contains(versions, version) {
			t.Error("the version did not change with the rules")
		}
		versions = append(versions, version)
	}
	change := func(p *v1alpha1.AppProject, how func()) {
		t.Helper()
		if err := c.Client.Get(t.Context(), client.ObjectKeyFromObject(p), p); err != nil {
			t.Fatal(err)
		}
		how()
		if err := c.Client.Update(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	ask("https://a.example/x", false)
	change(team, func() { team.Labels = map[string]string{"team": "a"} })
	ask("https://a.example/x", true)
	spec, err := c.ProjectSpec(t.Context(), "team")
	if err != nil || len(spec.SyncWindows) != 1 {
		t.Errorf("got %+v, %v, want the window of the global project", spec, err)
	}
	change(base, func() { base.Spec.SourceRepos = []string{"https://b.example/*"} })
	ask("https://b.example/x", true)
	if heirs, err := c.projects.heirs(t.Context(), "base"); err != nil || !slices.Equal(heirs, []string{"team"}) {
		t.Errorf("heirs of base: got %v, %v", heirs, err)
	}
	if heirs, err := c.projects.heirs(t.Context(), "team"); err != nil || len(heirs) > 0 {
		t.Errorf("heirs of team: got %v, %v", heirs, err)
	}
	if err := c.Client.Delete(t.Context(), base); err != nil {
		t.Fatal(err)
	}
	project, _, err := c.projects.get(t.Context(), "team")
	if err != nil || project.Source("https://b.example/x") == nil {
		t.Errorf("after the global project was deleted: got %v, want its rules gone", err)
	}
}
