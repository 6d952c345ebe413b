// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// compareOptions reads the value of resource.compareoptions.
func compareOptions(raw string) (Compare, error) {
	var in struct {
		// A string, or false when YAML reads a bare off as a boolean.
		IgnoreResourceStatusField          any   `json:"ignoreResourceStatusField"`
		IgnoreAggregatedRoles              bool  `json:"ignoreAggregatedRoles"`
		IgnoreDifferencesOnResourceUpdates *bool `json:"ignoreDifferencesOnResourceUpdates"`
	}
	if err := yaml.Unmarshal([]byte(raw), &in); err != nil {
		return Compare{}, notYAML(err)
	}
	out := Defaults().Compare
	out.IgnoreAggregatedRoles = in.IgnoreAggregatedRoles
	if in.IgnoreDifferencesOnResourceUpdates != nil {
		out.IgnoreDifferencesOnResourceUpdates = *in.IgnoreDifferencesOnResourceUpdates
	}
	switch value := fmt.Sprint(in.IgnoreResourceStatusField); value {
	case "<nil>", "", string(IgnoreStatusAll):
	case string(IgnoreStatusCRD):
		out.IgnoreStatus = IgnoreStatusCRD
	case string(IgnoreStatusNone), "off", "false":
		out.IgnoreStatus = IgnoreStatusNone
	default:
		return Compare{}, hint{"ignoreResourceStatusField is " + quoted(value), "write all, crd or none"}
	}
	return out, nil
}

// ignored is what a customisation says about differences.
type ignored struct {
	JSONPointers          []string `json:"jsonPointers"`
	JQPathExpressions     []string `json:"jqPathExpressions"`
	ManagedFieldsManagers []string `json:"managedFieldsManagers"`
}

func (i ignored) rule(group, kind string) v1alpha1.ResourceIgnoreDifferences {
	return v1alpha1.ResourceIgnoreDifferences{
		Group: group, Kind: kind,
		JSONPointers: i.JSONPointers, JQPathExpressions: i.JQPathExpressions, ManagedFieldsManagers: i.ManagedFieldsManagers,
	}
}

// splitKeyRule reads resource.customizations.ignoreDifferences.<suffix>. The suffix is group_Kind, Kind for the core
// group, or all.
func splitKeyRule(suffix, raw string) (v1alpha1.IgnoreDifferences, error) {
	group, kind := "", suffix
	if i := strings.LastIndex(suffix, "_"); i >= 0 {
		group, kind = suffix[:i], suffix[i+1:]
	}
	if suffix == "all" {
		group, kind = "*", "*"
	}
	if kind == "" {
		return nil, hint{"the key names no kind", "end it in group_Kind, in Kind for the core group, or in all"}
	}
	var in ignored
	if err := yaml.Unmarshal([]byte(raw), &in); err != nil {
		return nil, notYAML(err)
	}
	return v1alpha1.IgnoreDifferences{in.rule(group, kind)}, nil
}

// combinedRules reads what the old key resource.customizations says about differences: a map from group/Kind, with
// wildcards, to customisations, of which ignoreDifferences is a text that is YAML itself.
func combinedRules(raw string) (v1alpha1.IgnoreDifferences, error) {
	var in map[string]struct {
		IgnoreDifferences json.RawMessage `json:"ignoreDifferences"`
	}
	if err := yaml.Unmarshal([]byte(raw), &in); err != nil {
		return nil, notYAML(err)
	}
	var rules v1alpha1.IgnoreDifferences
	for name, entry := range in {
		value := entry.IgnoreDifferences
		if len(value) == 0 {
			continue
		}
		var inner string
		if json.Unmarshal(value, &inner) == nil {
			value = []byte(inner)
		}
		var what ignored
		if err := yaml.Unmarshal(value, &what); err != nil {
			return nil, notYAML(fmt.Errorf("%s: %w", name, err))
		}
		group, kind, ok := strings.Cut(name, "/")
		if !ok {
			group, kind = "", name
		}
		rules = append(rules, what.rule(group, kind))
	}
	slices.SortFunc(rules, func(a, b v1alpha1.ResourceIgnoreDifferences) int {
		return strings.Compare(a.Group+"/"+a.Kind, b.Group+"/"+b.Kind)
	})
	return rules, nil
}
