// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"fmt"
	"maps"
	"slices"

	"github.com/gobwas/glob"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/internal/fault"
)

// Filter says which kinds are not looked at: the settings resource.exclusions and resource.inclusions of argocd-cm.
// The zero Filter leaves out only the kinds that are always left out.
type Filter struct {
	exclusions, inclusions []filterRule
}

type filterRule struct{ groups, kinds, clusters []glob.Glob }

type filterEntry struct {
	APIGroups []string `json:"apiGroups"`
	Kinds     []string `json:"kinds"`
	Clusters  []string `json:"clusters"`
}

// alwaysExcluded are the kinds that change without end and are never deployed from Git, as in Argo CD
// (https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/#resource-exclusioninclusion).
var alwaysExcluded = mustRules([]filterEntry{
	{APIGroups: []string{"events.k8s.io", "metrics.k8s.io"}},
	{APIGroups: []string{""}, Kinds: []string{"Event"}},
	{APIGroups: []string{"coordination.k8s.io"}, Kinds: []string{"Lease"}},
})

// CompileFilter reads the two settings, each a YAML list of {apiGroups, kinds, clusters} with globs; a list that is
// left out matches everything. Errors are fault.Mistake and name the setting.
func CompileFilter(exclusions, inclusions string) (Filter, error) {
	excluded, err := compileSetting("resource.exclusions", exclusions)
	if err != nil {
		return Filter{}, err
	}
	included, err := compileSetting("resource.inclusions", inclusions)
	if err != nil {
		return Filter{}, err
	}
	return Filter{exclusions: excluded, inclusions: included}, nil
}

// Excluded reports whether the kind is left out on the cluster with this server address.
func (f Filter) Excluded(gk schema.GroupKind, server string) bool {
	if matchesAny(alwaysExcluded, gk, server) {
		return true
	}
	if len(f.inclusions) > 0 && !matchesAny(f.inclusions, gk, server) {
		return true
	}
	return matchesAny(f.exclusions, gk, server)
}

func compileSetting(key, text string) ([]filterRule, error) {
	var entries []filterEntry
	if err := yaml.Unmarshal([]byte(text), &entries); err != nil {
		return nil, fault.New(fault.Mistake, "read the setting", key, "argocd-cm", err.Error(), "write a YAML list of {apiGroups, kinds, clusters}")
	}
	rules, err := compileRules(entries)
	if err != nil {
		return nil, fault.New(fault.Mistake, "read the setting", key, "argocd-cm", err.Error(), "correct the pattern")
	}
	return rules, nil
}

func mustRules(entries []filterEntry) []filterRule {
	rules, err := compileRules(entries)
	if err != nil {
		panic(err)
	}
	return rules
}

func compileRules(entries []filterEntry) ([]filterRule, error) {
	rules := make([]filterRule, 0, len(entries))
	for _, entry := range entries {
		var rule filterRule
		for _, part := range []struct {
			patterns []string
			into     *[]glob.Glob
		}{{entry.APIGroups, &rule.groups}, {entry.Kinds, &rule.kinds}, {entry.Clusters, &rule.clusters}} {
			for _, pattern := range part.patterns {
				compiled, err := glob.Compile(pattern)
				if err != nil {
					return nil, fmt.Errorf("pattern %q: %w", pattern, err)
				}
				*part.into = append(*part.into, compiled)
			}
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

func matchesAny(rules []filterRule, gk schema.GroupKind, server string) bool {
	return slices.ContainsFunc(rules, func(r filterRule) bool {
		return matchesGlobs(r.groups, gk.Group) && matchesGlobs(r.kinds, gk.Kind) && matchesGlobs(r.clusters, server)
	})
}

func matchesGlobs(globs []glob.Glob, text string) bool {
	return len(globs) == 0 || slices.ContainsFunc(globs, func(g glob.Glob) bool { return g.Match(text) })
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
