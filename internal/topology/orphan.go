// SPDX-License-Identifier: Apache-2.0

package topology

import (
	"errors"
	"fmt"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
)

// OrphanRules are what a project says of objects that belong to nobody.
type OrphanRules struct {
	// Warn: applications of the project are to say so.
	Warn   bool
	ignore []orphanPattern
}

type orphanPattern struct{ group, kind, name object.Glob }

// CompileOrphanRules reads spec.orphanedResources of an AppProject. Without one nobody asks for orphans, and the answer is
// nil. A pattern that cannot be read ignores nothing; the error names each.
func CompileOrphanRules(spec *v1alpha1.OrphanedResourcesMonitorSettings) (*OrphanRules, error) {
	if spec == nil {
		return nil, nil
	}
	rules := &OrphanRules{Warn: spec.Warn == nil || *spec.Warn}
	var problems []error
	for i, item := range spec.Ignore {
		pattern, err := compileOrphanPattern(item)
		if err != nil {
			problems = append(problems, fmt.Errorf("spec.orphanedResources.ignore[%d]: %w", i, err))
			continue
		}
		rules.ignore = append(rules.ignore, pattern)
	}
	return rules, errors.Join(problems...)
}

// compileOrphanPattern: a kind or a name that is left out stands for all, a group that is left out for the core group.
func compileOrphanPattern(item v1alpha1.OrphanedResourceKey) (out orphanPattern, err error) {
	for _, field := range []struct {
		name, text, otherwise string
		into                  *object.Glob
	}{{"group", item.Group, "", &out.group}, {"kind", item.Kind, "*", &out.kind}, {"name", item.Name, "*", &out.name}} {
		text := field.text
		if text == "" {
			text = field.otherwise
		}
		if *field.into, err = object.CompileGlob(text); err != nil {
			return out, fmt.Errorf("%s %q is not a pattern: %w", field.name, field.text, err)
		}
	}
	return out, nil
}

// Counts reports whether an object without an owner is an orphan: it is not ignored, and none of those that the control
// plane itself puts into namespaces.
func (r *OrphanRules) Counts(key object.Key) bool {
	if ofControlPlane(key) {
		return false
	}
	for _, p := range r.ignore {
		if p.group.Match(key.Group) && p.kind.Match(key.Kind) && p.name.Match(key.Name) {
			return false
		}
	}
	return true
}

// ofControlPlane are objects that every cluster has: the Service of the API server itself, and what each namespace is born
// with.
func ofControlPlane(key object.Key) bool {
	if key.Group != "" {
		return false
	}
	switch key.Kind {
	case "Service":
		return key.Namespace == "default" && key.Name == "kubernetes"
	case "ServiceAccount":
		return key.Name == "default"
	case "ConfigMap":
		return key.Name == "kube-root-ca.crt"
	}
	return false
}
