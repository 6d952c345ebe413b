// SPDX-License-Identifier: Apache-2.0

package install

import (
	"fmt"
	"io/fs"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1/crds"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Definition is a custom resource definition.
type Definition = apiextensionsv1.CustomResourceDefinition

// Definitions gives the definitions that Bowline needs, with its mark, as an API server would store them.
func Definitions() ([]*Definition, error) {
	names, err := fs.Glob(crds.Files, "*.yaml")
	if err != nil {
		return nil, fault.Wrap(fault.Bug, "list", "the built-in definitions", err, "")
	}
	out := make([]*Definition, 0, len(names))
	for _, name := range names {
		raw, err := crds.Files.ReadFile(name)
		if err != nil {
			return nil, fault.Wrap(fault.Bug, "read", name, err, "")
		}
		definition := &Definition{}
		if err := yaml.UnmarshalStrict(raw, definition); err != nil {
			return nil, fault.Wrap(fault.Bug, "decode", name, err, "")
		}
		definition.Labels = mark(definition.Labels)
		apiextensionsv1.SetObjectDefaults_CustomResourceDefinition(definition)
		out = append(out, definition)
	}
	return out, nil
}

// mark adds the mark to labels.
func mark(labels map[string]string) map[string]string {
	if labels == nil {
		labels = map[string]string{}
	}
	labels[v1alpha1.LabelKeyManagedBy] = v1alpha1.LabelValueManagedByBowline
	return labels
}

// Action is what is to be done about a definition.
type Action int

// The actions.
const (
	// Keep leaves it as it is.
	Keep Action = iota
	// Create makes it.
	Create
	// Update brings one of ours up to date.
	Update
)

// Decision is what is to be done about one definition, and what is known about it.
type Decision struct {
	Action Action
	// Reason says why a definition is kept although it differs, or is empty.
	Reason string
	// Missing says what the definition that stays lacks, one sentence each.
	Missing []string
}

// Decide says what is to be done about a definition: have is what is stored (nil when there is none), want is from
// Definitions.
func Decide(have, want *Definition) Decision {
	switch {
	case have == nil:
		return Decision{Action: Create}
	case have.Labels[v1alpha1.LabelKeyManagedBy] != v1alpha1.LabelValueManagedByBowline:
		return Decision{Reason: "it is not Bowline's", Missing: Verify(have, want)}
	case apiequality.Semantic.DeepEqual(have.Spec, want.Spec):
		return Decision{}
	}
	if losses := lostFrom(have, want); len(losses) > 0 {
		reason := "stored objects could lose something under the definition of this Bowline: " + list(losses)
		return Decision{Reason: reason, Missing: Verify(have, want)}
	}
	return Decision{Action: Update}
}

// lostFrom is what objects stored under have would lose under want, in any of the versions of have.
func lostFrom(have, want *Definition) []Loss {
	var losses []Loss
	for i := range have.Spec.Versions {
		version := &have.Spec.Versions[i]
		other := findVersion(want, version.Name)
		if other == nil {
			losses = append(losses, Loss{Path: "version " + version.Name, Why: "is not known"})
			continue
		}
		losses = append(losses, Lost(root(version), root(other))...)
	}
	return losses
}

// Verify compares a definition with what Bowline needs and gives what it lacks, one sentence each.
func Verify(have, want *Definition) []string {
	name := describe(want)
	need := &want.Spec.Versions[0]
	version := findVersion(have, need.Name)
	if version == nil || !version.Served {
		return []string{fmt.Sprintf("%s does not serve version %s", name, need.Name)}
	}
	var missing []string
	switch got, wanted := hasStatus(version), hasStatus(need); {
	case got && !wanted:
		missing = append(missing, name+" has a status subresource, so that a status written the usual way is dropped")
	case wanted && !got:
		missing = append(missing, name+" has no status subresource, so that its status cannot be written")
	}
	if losses := Lacks(root(need), root(version)); len(losses) > 0 {
		missing = append(missing, fmt.Sprintf("%s differs from what Bowline needs: %s", name, list(losses)))
		if requiresProject(losses) {
			missing = append(missing, name+" refuses an Application without spec.project: write project: "+v1alpha1.DefaultAppProjectName+" into each")
		}
	}
	return missing
}

func requiresProject(losses []Loss) bool {
	for _, l := range losses {
		if l == (Loss{Path: "spec.project", Why: "is required"}) {
			return true
		}
	}
	return false
}

func findVersion(definition *Definition, name string) *apiextensionsv1.CustomResourceDefinitionVersion {
	for i := range definition.Spec.Versions {
		if definition.Spec.Versions[i].Name == name {
			return &definition.Spec.Versions[i]
		}
	}
	return nil
}

// root is the schema of a version; a version without one keeps nothing.
func root(version *apiextensionsv1.CustomResourceDefinitionVersion) *schema {
	if version.Schema == nil || version.Schema.OpenAPIV3Schema == nil {
		return &schema{Type: "object"}
	}
	return version.Schema.OpenAPIV3Schema
}

func hasStatus(version *apiextensionsv1.CustomResourceDefinitionVersion) bool {
	return version.Subresources != nil && version.Subresources.Status != nil
}

func describe(definition *Definition) string { return "CustomResourceDefinition " + definition.Name }

// maxListed is how many losses one message names.
const maxListed = 20

func list(losses []Loss) string {
	var b strings.Builder
	for i, l := range losses {
		if i == maxListed {
			fmt.Fprintf(&b, " and %d more", len(losses)-i)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(l.String())
	}
	return b.String()
}
