// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"fmt"

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
