// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/settings"
)

// overrides are the customizations of kinds in the form in which Argo CD's clients compare and judge with them: by
// <group>/<Kind>, or <Kind> of the group without a name.
func overrides(s *settings.Settings) map[string]*v1alpha1.ResourceOverride {
	out := map[string]*v1alpha1.ResourceOverride{}
	of := func(group, kind string) *v1alpha1.ResourceOverride {
		key := kind
		if group != "" {
			key = group + "/" + kind
		}
		if out[key] == nil {
			out[key] = &v1alpha1.ResourceOverride{}
		}
		return out[key]
	}
	for _, c := range s.Customizations {
		customize(of(c.Group, c.Kind), c)
	}
	for _, rule := range s.IgnoreDifferences {
		if rule.Name == "" && rule.Namespace == "" {
			add(&of(rule.Group, rule.Kind).IgnoreDifferences, rule)
		}
	}
	status := v1alpha1.ResourceIgnoreDifferences{JSONPointers: []string{"/status"}}
	switch s.Compare.IgnoreStatus {
	case settings.IgnoreStatusAll:
		add(&of("*", "*").IgnoreDifferences, status)
	case settings.IgnoreStatusCRD:
		add(&of("apiextensions.k8s.io", "CustomResourceDefinition").IgnoreDifferences, status)
	}
	return out
}

func customize(o *v1alpha1.ResourceOverride, c settings.Customization) {
	if c.HealthLua != "" {
		o.HealthLua = c.HealthLua
	}
	if c.OpenLibs != nil {
		o.UseOpenLibs = *c.OpenLibs
	}
	if c.Actions != "" {
		o.Actions = c.Actions
	}
	for _, known := range c.KnownTypes {
		o.KnownTypeFields = append(o.KnownTypeFields, v1alpha1.KnownTypeField{Field: known.Field, Type: known.Type})
	}
	if c.IgnoreUpdates != nil {
		add(&o.IgnoreResourceUpdates, *c.IgnoreUpdates)
	}
}

func add(to *v1alpha1.OverrideIgnoreDiff, rule v1alpha1.ResourceIgnoreDifferences) {
	to.JSONPointers = append(to.JSONPointers, rule.JSONPointers...)
	to.JQPathExpressions = append(to.JQPathExpressions, rule.JQPathExpressions...)
	to.ManagedFieldsManagers = append(to.ManagedFieldsManagers, rule.ManagedFieldsManagers...)
}
