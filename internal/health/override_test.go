// SPDX-License-Identifier: Apache-2.0

package health

import (
	"strings"
	"sync"
	"testing"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/settings"
)

// judgeOf is a judge with the settings of an argocd-cm.
func judgeOf(t *testing.T, cm map[string]string) (*Judge, []error) {
	t.Helper()
	s, errs := settings.Defaults().With(cm, nil)
	if len(errs) != 0 {
		t.Fatal(errs)
	}
	overrides, errs := CompileOverrides(s.Customizations)
	return NewJudge(overrides, s.HealthConventions), errs
}

// The check that Argo CD's documentation gives for applications of applications.
const applicationCheck = `
hs = {}
hs.status = "Progressing"
hs.message = ""
if obj.status ~= nil then
  if obj.status.health ~= nil then
    hs.status = obj.status.health.status
    if obj.status.health.message ~= nil then
      hs.message = obj.status.health.message
    end
  end
end
return hs
`

func TestApplicationsOfApplicationsWaitWithTheWellKnownCheck(t *testing.T) {
	judge, errs := judgeOf(t, map[string]string{"resource.customizations.health.argoproj.io_Application": applicationCheck})
	if len(errs) != 0 {
		t.Fatal(errs)
	}
	for object, want := range map[string]Status{
		`{apiVersion: argoproj.io/v1alpha1, kind: Application, metadata: {name: a}}`:                                                                        {"Progressing", ""},
		`{apiVersion: argoproj.io/v1alpha1, kind: Application, status: {health: {status: Degraded, message: no pods}, sync: {status: Synced}}}`:             {"Degraded", "no pods"},
		`{apiVersion: argoproj.io/v1alpha1, kind: Application, status: {health: {status: Healthy, lastTransitionTime: "2026-01-01T00:00:00Z"}}}`:            {"Healthy", ""},
		`{apiVersion: argoproj.io/v1alpha1, kind: Application, metadata: {deletionTimestamp: "2026-01-01T00:00:00Z"}, status: {health: {status: Healthy}}}`: {"Progressing", "Pending deletion"},
	} {
		if got, ok := judge.Of(parse(t, "object", object)); !ok || got != want {
			t.Errorf("%s: %v, want %v", object, got, want)
		}
	}
	if _, ok := NewJudge(nil, true).Of(parse(t, "object", `{apiVersion: argoproj.io/v1alpha1, kind: Application, status: {health: {status: Degraded}}}`)); ok {
		t.Error("without the check an Application has a health, which it has not in Argo CD")
	}
}

func TestOverridesByPatternAndOpenLibraries(t *testing.T) {
	judge, errs := judgeOf(t, map[string]string{
		"resource.customizations": `
"*.crossplane.io/*": {health.lua.useOpenLibs: true, health.lua: 'return {status = string.find(obj.metadata.name, "^good") and "Healthy" or "Degraded"}'}
"*.crossplane.io/X*": {health.cel: "self.metadata.name == 'good' ? 'Suspended' : 'Missing'"}
`,
		"resource.customizations.health.ConfigMap":          `return {status = "Healthy", message = obj.data.text}`,
		"resource.customizations.health.apps_Deployment":    `return {status = "Suspended", message = "by the override"}`,
		"resource.customizations.useOpenLibs.example.com_A": "false",
		"resource.customizations.health.example.com_A":      `return {status = string.lower("Healthy")}`,
	})
	if len(errs) != 0 {
		t.Fatal(errs)
	}
	for object, want := range map[string]Status{
		`{apiVersion: s3.crossplane.io/v1, kind: Bucket, metadata: {name: good}}`:  {"Healthy", ""},
		`{apiVersion: s3.crossplane.io/v1, kind: Bucket, metadata: {name: bad}}`:   {"Degraded", ""},
		`{apiVersion: s3.crossplane.io/v1, kind: XBucket, metadata: {name: good}}`: {"Suspended", ""},
		`{apiVersion: v1, kind: ConfigMap, data: {text: hello}}`:                   {"Healthy", "hello"},
		`{apiVersion: apps/v1, kind: Deployment}`:                                  {"Suspended", "by the override"},
	} {
		for range 2 { // the second time from memory
			if got, ok := judge.Of(parse(t, "object", object)); !ok || got != want {
				t.Errorf("%s: %v, want %v", object, got, want)
			}
		}
	}
	if got, _ := judge.Of(parse(t, "object", `{apiVersion: example.com/v1, kind: A}`)); got.Status != "Unknown" {
		t.Errorf("string is there without open libraries: %v", got)
	}
}

func TestABrokenOverrideBreaksOnlyItself(t *testing.T) {
	judge, errs := judgeOf(t, map[string]string{
		"resource.customizations.health.example.com_Broken":  "return {status = ",
		"bowline.health.cel.example.com_BrokenCEL":           "obj.",
		"resource.customizations.health.example.com_Fails":   "local x = 1\nreturn {status = obj.status.nothing.there}",
		"resource.customizations.health.example.com_Endless": "while true do end",
		"resource.customizations.health.example.com_Odd":     `return {status = "healthy"}`,
		"resource.customizations.health.example.com_Silent":  `local hs = {}`,
		"resource.customizations.health.example.com_Fine":    `return {status = "Healthy"}`,
	})
	if len(errs) != 2 {
		t.Errorf("want two errors, got %v", errs)
	}
	for _, err := range errs {
		if !fault.Is(err, fault.Mistake) || !strings.Contains(err.Error(), "example.com_Broken") || !strings.Contains(err.Error(), "line 1") {
			t.Errorf("%v", err)
		}
	}
	for kind, want := range map[string]string{
		"Broken": "resource.customizations.health.example.com_Broken, line 1", "BrokenCEL": "bowline.health.cel.example.com_BrokenCEL",
		"Fails": "line 2: attempt to index", "Endless": "it takes ", "Odd": `status "healthy" is none of`, "Silent": "it has no status",
	} {
		got, ok := judge.Of(parse(t, "object", "{apiVersion: example.com/v1, kind: "+kind+"}"))
		if !ok || got.Status != "Unknown" || !strings.Contains(got.Message, want) {
			t.Errorf("%s: %v, want it to say %q", kind, got, want)
		}
	}
	if got, _ := judge.Of(parse(t, "object", "{apiVersion: example.com/v1, kind: Fine}")); got.Status != "Healthy" {
		t.Errorf("%v", got)
	}
	if got, ok := judge.Of(parse(t, "object", "{apiVersion: batch/v1, kind: Job, status: {conditions: [{type: Failed, status: 'True'}]}}")); !ok || got.Status != "Degraded" {
		t.Errorf("a kind without an override: %v", got)
	}
}

func TestOverridesAreUsedByManyAtOnce(t *testing.T) {
	judge, _ := judgeOf(t, map[string]string{"resource.customizations": `"*/*": {health.lua: "count = (count or 0) + 1; return {status = count == 1 and 'Healthy' or 'Degraded'}"}`})
	obj := parse(t, "object", "{apiVersion: example.com/v1, kind: Thing, spec: {list: [1, 2]}}")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				if got, _ := judge.Of(obj); got.Status != "Healthy" {
					t.Errorf("%v", got)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestErrorsQuoteNoSecret(t *testing.T) {
	judge, errs := judgeOf(t, map[string]string{
		"bowline.health.cel.Secret":    "obj.data[obj.data.password] == '' ? 'Healthy' : 'Degraded'",
		"bowline.health.cel.ConfigMap": "obj.data[obj.data.password] == '' ? 'Healthy' : 'Degraded'",
	})
	if len(errs) != 0 {
		t.Fatal(errs)
	}
	if got, _ := judge.Of(parse(t, "object", `{apiVersion: v1, kind: ConfigMap, data: {password: hunter2}}`)); !strings.Contains(got.Message, "hunter2") {
		t.Errorf("the error of this test quotes nothing: %v", got)
	}
	if got, _ := judge.Of(parse(t, "object", `{apiVersion: v1, kind: Secret, data: {password: hunter2}}`)); got.Status != "Unknown" || strings.Contains(got.Message, "hunter2") {
		t.Errorf("got %v", got)
	}
}
