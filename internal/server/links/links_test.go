// SPDX-License-Identifier: Apache-2.0

package links_test

import (
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/internal/server/links"
	"github.com/bowline-cd/bowline/internal/settings"
)

var things = map[string]any{
	"app": map[string]any{
		"metadata": map[string]any{"name": "web", "labels": map[string]any{"team": "shop", "example.com/tier": "front"}},
		"spec":     map[string]any{"project": "default", "sources": []any{map[string]any{"chart": "nginx"}}},
		"status":   map[string]any{"replicas": int64(3)},
	},
	"resource": map[string]any{"kind": "Pod", "metadata": map[string]any{"namespace": "shop"}},
}

func TestConditions(t *testing.T) {
	for text, want := range map[string]bool{
		`app.spec.project == "default"`:                                       true,
		`app.spec.project != 'default' or resource.kind == "Pod"`:             true,
		`app.spec.project == "default" and not (resource.kind == "Pod")`:      false,
		`!(resource.kind in ["Deployment", "Pod"])`:                           false,
		`resource.kind not in ["Deployment"]`:                                 true,
		`app.metadata.labels["example.com/tier"] == "front"`:                  true,
		`app.metadata.labels.missing == nil && app.nothing.at.all == nil`:     true,
		`app.metadata.annotations?.owner ?? "nobody" == "nobody"`:             true,
		`"team" in app.metadata.labels`:                                       true,
		`app.metadata.name matches "^w.b$" && app.metadata.name contains "e"`: true,
		`app.metadata.name startsWith "w" and app.metadata.name endsWith "x"`: false,
		`app.metadata.annotations.owner contains "x"`:                         false,
		`app.status.replicas >= 3 && len(app.spec.sources) == 1`:              true,
		`app.spec.sources[0].chart == "nginx" and app.spec.sources[7] == nil`: true,
		`cluster.name == "in-cluster"`:                                        false,
		"app.metadata.name == `web` ":                                         true,
	} {
		if got, err := links.Condition(text, things); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}

func TestConditionsThatCannotBeEvaluatedSayWhy(t *testing.T) {
	for text, want := range map[string]string{
		``: "too early", `app.spec.project ==`: "too early", `nobody.name == "x"`: `no "nobody"`, `(app`: `")" is missing`,
		`app.metadata.name matches "("`: "missing closing", `app.metadata.name < 3`: "two numbers or two texts", `"open`: "",
		`app app`: "not expected", strings.Repeat("(", 100): "too deeply", strings.Repeat("x", 5000): "longer", `app.metadata and true`: "neither",
	} {
		if got, err := links.Condition(text, things); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}

func TestLinks(t *testing.T) {
	shown, wrong := links.Evaluate([]settings.Link{
		{Title: "logs", URL: `https://logs.example.com/?q={{ .app.metadata.name | upper }}`, IconClass: "fa-file"},
		{Title: "pods only", URL: "/pods", If: `resource.kind == "Pod"`},
		{Title: "not shown", URL: "/jobs", If: `resource.kind == "Job"`},
		{Title: "script", URL: `{{ "javascript:alert(1)" }}`},
		{Title: "data", URL: " data:text/html,x"},
		{Title: "no such function", URL: `{{ env "HOME" }}`},
		{Title: "no verdict", URL: "/x", If: "resource.kind"},
		{Title: "endless", URL: `https://x/{{ repeat 100000 "a" }}`},
	}, things)
	if len(shown) != 2 || shown[0].URL != "https://logs.example.com/?q=WEB" || shown[0].IconClass != "fa-file" || shown[1].Title != "pods only" {
		t.Errorf("%+v", shown)
	}
	if len(wrong) != 5 {
		t.Errorf("%d are wrong: %v", len(wrong), wrong)
	}
}

func FuzzCondition(f *testing.F) {
	for _, seed := range []string{`app.spec.project == "default"`, `!(a in ['x', 1.5])`, `len(app) ?? nil`, "app[`x`]?.y"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if value, err := links.Condition(text, things); err != nil && value != nil {
			t.Error("a value and an error")
		}
	})
}
