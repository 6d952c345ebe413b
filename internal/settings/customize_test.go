// SPDX-License-Identifier: Apache-2.0

package settings_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/settings"
)

func read(t *testing.T, cm map[string]string) settings.Settings {
	t.Helper()
	got, errs := settings.Defaults().With(cm, nil)
	if len(errs) != 0 {
		t.Fatal(errs)
	}
	return got
}

func TestCustomizationsOfBothForms(t *testing.T) {
	yes := true
	both := map[string]map[string]string{
		"split keys": {
			"resource.customizations.health.example.com_Thing":                "return {}",
			"bowline.health.cel.Thing":                                        "self.ok",
			"resource.customizations.useOpenLibs.example.com_Thing":           "true",
			"resource.customizations.actions.example.com_Thing":               "definitions: []",
			"resource.customizations.knownTypeFields.example.com_Thing":       "[{field: spec.pod, type: core/v1/PodSpec}]",
			"resource.customizations.ignoreResourceUpdates.example.com_Thing": "jsonPointers: [/status]",
			"resource.customizations.ignoreResourceUpdates.all":               "jqPathExpressions: [.x]",
			"resource.customizations.ignoreDifferences.example.com_Thing":     "jsonPointers: [/spec]",
		},
		"the combined key": {"resource.customizations": `
example.com/Thing:
  health.lua: return {}
  health.lua.useOpenLibs: true
  actions: |
    definitions: []
  knownTypeFields:
  - {field: spec.pod, type: core/v1/PodSpec}
  ignoreResourceUpdates: |
    jsonPointers: [/status]
  ignoreDifferences: |
    jsonPointers: [/spec]
  something.new: of a later version
Thing: {health.cel: self.ok, actions: null}
"*/*": {ignoreResourceUpdates: {jqPathExpressions: [.x]}}
`},
	}
	thing := func(set func(*settings.Customization)) settings.Customization {
		c := settings.Customization{Group: "example.com", Kind: "Thing"}
		set(&c)
		return c
	}
	want := []settings.Customization{
		thing(func(c *settings.Customization) { c.Actions = "definitions: []" }),
		thing(func(c *settings.Customization) { c.HealthLua, c.OpenLibs = "return {}", &yes }),
		thing(func(c *settings.Customization) {
			c.IgnoreUpdates = &v1alpha1.ResourceIgnoreDifferences{Group: "example.com", Kind: "Thing", JSONPointers: []string{"/status"}}
		}),
		thing(func(c *settings.Customization) {
			c.KnownTypes = []settings.KnownType{{Field: "spec.pod", Type: "core/v1/PodSpec"}}
		}),
		{Kind: "Thing", HealthCEL: "self.ok"},
		{Group: "*", Kind: "*", IgnoreUpdates: &v1alpha1.ResourceIgnoreDifferences{Group: "*", Kind: "*", JQPathExpressions: []string{".x"}}},
	}
	for name, cm := range both {
		t.Run(name, func(t *testing.T) {
			got := read(t, cm)
			trim := cmp.Transformer("trim", strings.TrimSpace)
			if diff := cmp.Diff(want, got.Customizations, cmpopts.IgnoreFields(settings.Customization{}, "Where"), trim); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(v1alpha1.IgnoreDifferences{{Group: "example.com", Kind: "Thing", JSONPointers: []string{"/spec"}}}, got.IgnoreDifferences); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The order is what decides which of several checks counts.
func TestTheMostExactCustomizationComesFirst(t *testing.T) {
	got := read(t, map[string]string{
		"resource.customizations.health.apps_Deployment": "split",
		"bowline.health.cel.apps_Deployment":             "cel",
		"resource.customizations": `
"*": {health.lua: everything}
"*/*": {health.lua: any}
"apps/*": {health.lua: group}
"apps/Deploy*": {health.lua: nearly}
apps/Deployment: {health.lua: combined}
`,
	})
	var order []string
	for _, c := range got.Customizations {
		matches, err := c.Matcher()
		if err != nil || !matches("apps", "Deployment") {
			t.Errorf("%+v does not match: %v", c, err)
		}
		order = append(order, c.HealthLua+c.HealthCEL)
	}
	if diff := cmp.Diff([]string{"cel", "split", "combined", "nearly", "group", "any", "everything"}, order); diff != "" {
		t.Error(diff)
	}
}

func TestOpenLibsBelongToTheSamePattern(t *testing.T) {
	got := read(t, map[string]string{
		"resource.customizations.health.a_B":      "return 1",
		"resource.customizations.useOpenLibs.a_B": "false",
		"resource.customizations": `
a/B: {health.lua.useOpenLibs: true, health.lua: return 2}
"*/*": {health.lua: return 3, health.lua.useOpenLibs: true}
c/D: {health.lua: return 4}
`,
	})
	open := map[string]string{}
	for _, c := range got.Customizations {
		open[c.HealthLua] = "nothing"
		if c.OpenLibs != nil {
			open[c.HealthLua] = map[bool]string{true: "yes", false: "no"}[*c.OpenLibs]
		}
	}
	want := map[string]string{"return 1": "no", "return 2": "no", "return 3": "yes", "return 4": "nothing"}
	if diff := cmp.Diff(want, open); diff != "" {
		t.Error(diff)
	}
}

func TestABrokenCustomizationKeepsItsFormerValueAndNoOtherChanges(t *testing.T) {
	before := read(t, map[string]string{
		"resource.customizations.knownTypeFields.a_B": "[{field: x, type: core/Quantity}]",
		"resource.customizations":                     "a/B: {health.lua: former, ignoreDifferences: 'jsonPointers: [/x]'}",
	})
	after, errs := before.With(map[string]string{
		"resource.customizations.knownTypeFields.a_B": "[{",
		"resource.customizations":                     "a/B: {health.lua: new, health.lua.useOpenLibs: perhaps}",
		"resource.customizations.health.c_D":          "new",
	}, nil)
	if len(errs) != 2 {
		t.Errorf("want two errors, got %v", errs)
	}
	var lua []string
	types := 0
	for _, c := range after.Customizations {
		if c.HealthLua != "" {
			lua = append(lua, c.HealthLua)
		}
		types += len(c.KnownTypes)
	}
	if diff := cmp.Diff([]string{"new", "new"}, lua); diff != "" || types != 1 || len(after.IgnoreDifferences) != 0 {
		t.Errorf("known types %d, differences %v, %s", types, after.IgnoreDifferences, diff)
	}
}

// A typo in one entry must not show the differences that another one ignores: self-heal would put them back.
func TestABrokenEntryOfTheCombinedKeyTakesNoOtherDown(t *testing.T) {
	const good = `
a/B: {ignoreDifferences: 'jsonPointers: [/x]'}
c/D: {ignoreDifferences: 'jsonPointers: [/y]', health.lua: former}
`
	check := func(rule v1alpha1.ResourceIgnoreDifferences) error {
		if len(rule.JQPathExpressions) > 0 {
			return errors.New("no such expression")
		}
		return nil
	}
	before, errs := settings.Defaults().With(map[string]string{"resource.customizations": good}, nil)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	for name, tt := range map[string]struct {
		from, broken string
		settings     settings.Settings
		pointers     []string
	}{
		"a rule, after a restart":           {"c/D", "c/D: {ignoreDifferences: 'jqPathExpressions: [.y]'}", settings.Defaults(), []string{"/x"}},
		"YAML in YAML, after a restart":     {"c/D", "c/D: {ignoreDifferences: '[{'}", settings.Defaults(), []string{"/x"}},
		"a rule about updates":              {"c/D", "c/D: {ignoreResourceUpdates: 'jqPathExpressions: [.y]', ignoreDifferences: 'jsonPointers: [/y]'}", before, []string{"/x", "/y"}},
		"a script's actions, after it":      {"c/D", "c/D: {actions: '[{'}", settings.Defaults(), []string{"/x"}},
		"no map, after a restart":           {"c/D", "c/D: 3", settings.Defaults(), []string{"/x"}},
		"a rule":                            {"c/D", "c/D: {ignoreDifferences: 'jqPathExpressions: [.y]'}", before, []string{"/x", "/y"}},
		"no map":                            {"c/D", "c/D: [x]", before, []string{"/x", "/y"}},
		"nothing that could be taken apart": {"resource.customizations", "{", before, []string{"/x", "/y"}},
	} {
		t.Run(name, func(t *testing.T) {
			after, errs := tt.settings.Checking(check).With(map[string]string{"resource.customizations": "\na/B: {ignoreDifferences: 'jsonPointers: [/x]'}\n" + tt.broken}, nil)
			if len(errs) != 1 || !strings.Contains(errs[0].Error(), tt.from) {
				t.Errorf("errors %v", errs)
			}
			for _, c := range after.Customizations {
				if c.IgnoreUpdates != nil {
					t.Errorf("%s is in force", c.Where)
				}
			}
			var pointers []string
			for _, rule := range after.IgnoreDifferences {
				pointers = append(pointers, rule.JSONPointers...)
			}
			if diff := cmp.Diff(tt.pointers, pointers); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What a new argocd-cm holds must be in force as it stands.
func TestTheUpdatesThatAreIgnoredByDefaultAreRead(t *testing.T) {
	got := read(t, settings.DefaultIgnoredUpdates())
	all := 0
	for _, c := range got.Customizations {
		if c.IgnoreUpdates == nil || len(c.IgnoreUpdates.JSONPointers)+len(c.IgnoreUpdates.JQPathExpressions) == 0 {
			t.Errorf("%s says nothing", c.Where)
		}
		if c.Group == "*" && c.Kind == "*" {
			all++
		}
	}
	if len(got.Customizations) != len(settings.DefaultIgnoredUpdates()) || all != 1 {
		t.Errorf("%d customizations, %d for all kinds", len(got.Customizations), all)
	}
}
