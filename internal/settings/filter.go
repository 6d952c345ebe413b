// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"fmt"
	"slices"

	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/internal/object"
)

// DefaultResourceExclusions is the value of resource.exclusions in a newly created argocd-cm: kinds that change often,
// are made by controllers and are not kept in Git. It is the list that Argo CD is shipped with since 3.0.
const DefaultResourceExclusions = `# Written by the control plane for each Service.
- apiGroups: ['', discovery.k8s.io]
  kinds: [Endpoints, EndpointSlice]
# Renewed every few seconds.
- apiGroups: [coordination.k8s.io]
  kinds: [Lease]
# Questions to the API server, never stored.
- apiGroups: [authentication.k8s.io, authorization.k8s.io]
  kinds: [SelfSubjectReview, TokenReview, LocalSubjectAccessReview, SelfSubjectAccessReview, SelfSubjectRulesReview, SubjectAccessReview]
# Steps on the way to a certificate.
- apiGroups: [certificates.k8s.io]
  kinds: [CertificateSigningRequest]
- apiGroups: [cert-manager.io]
  kinds: [CertificateRequest]
# Cilium's own records.
- apiGroups: [cilium.io]
  kinds: [CiliumIdentity, CiliumEndpoint, CiliumEndpointSlice]
# Reports of policy engines.
- apiGroups: [kyverno.io, reports.kyverno.io, wgpolicyk8s.io]
  kinds: [PolicyReport, ClusterPolicyReport, EphemeralReport, ClusterEphemeralReport, AdmissionReport, ClusterAdmissionReport, BackgroundScanReport, ClusterBackgroundScanReport, UpdateRequest]
`

// FilterRule chooses kinds: APIGroups and Clusters (server URLs) are globs, Kinds are names or "*". An empty list
// matches everything.
type FilterRule struct {
	APIGroups []string `json:"apiGroups,omitempty"`
	Kinds     []string `json:"kinds,omitempty"`
	Clusters  []string `json:"clusters,omitempty"`
}

// never are kinds that no setting brings back, as in Argo CD's code: records that change without end and that nobody
// keeps in Git.
var never = []FilterRule{
	{APIGroups: []string{"events.k8s.io", "metrics.k8s.io"}},
	{APIGroups: []string{""}, Kinds: []string{"Event"}},
	{APIGroups: []string{"coordination.k8s.io"}, Kinds: []string{"Lease"}},
}

// Filter says which kinds are out of Bowline's sight. The zero value is a filter without settings.
type Filter struct {
	exclude, include []compiledRule
}

type compiledRule struct {
	groups, clusters []object.Glob
	kinds            []string
}

var neverCompiled = compileAll(never)

// Excluded reports whether objects of the kind are out of sight on the cluster with this server URL: an exclusion
// matches, or there are inclusions for the cluster and none of them matches.
func (f Filter) Excluded(group, kind, cluster string) bool {
	matches := func(r compiledRule) bool { return r.matches(group, kind, cluster) }
	if slices.ContainsFunc(neverCompiled, matches) || slices.ContainsFunc(f.exclude, matches) {
		return true
	}
	restricted := slices.ContainsFunc(f.include, func(r compiledRule) bool { return matchesAny(r.clusters, cluster) })
	return restricted && !slices.ContainsFunc(f.include, matches)
}

func (r compiledRule) matches(group, kind, cluster string) bool {
	return matchesAny(r.groups, group) && matchesAny(r.clusters, cluster) &&
		(len(r.kinds) == 0 || slices.Contains(r.kinds, "*") || slices.Contains(r.kinds, kind))
}

func matchesAny(globs []object.Glob, value string) bool {
	return len(globs) == 0 || slices.ContainsFunc(globs, func(g object.Glob) bool { return g.Match(value) })
}

// filterRules reads the value of resource.exclusions or resource.inclusions. Its globs are known to compile.
func filterRules(raw string) ([]FilterRule, error) {
	var rules []FilterRule
	if err := yaml.Unmarshal([]byte(raw), &rules); err != nil {
		return nil, notYAML(err)
	}
	for i, rule := range rules {
		if len(rule.APIGroups)+len(rule.Kinds)+len(rule.Clusters) == 0 {
			return nil, hint{fmt.Sprintf("entry %d names nothing and would match every kind", i+1), "give it apiGroups, kinds or clusters"}
		}
		if _, err := compile(rule); err != nil {
			return nil, hint{fmt.Sprintf("entry %d: %v", i+1, err), "mend the pattern"}
		}
	}
	return rules, nil
}

func newFilter(exclusions, inclusions []FilterRule) Filter {
	return Filter{exclude: compileAll(exclusions), include: compileAll(inclusions)}
}

// compileAll compiles rules that filterRules has let through.
func compileAll(rules []FilterRule) []compiledRule {
	out := make([]compiledRule, 0, len(rules))
	for _, rule := range rules {
		if compiled, err := compile(rule); err == nil {
			out = append(out, compiled)
		}
	}
	return out
}

func compile(rule FilterRule) (out compiledRule, err error) {
	out.kinds = rule.Kinds
	if out.groups, err = globs(rule.APIGroups); err != nil {
		return out, err
	}
	out.clusters, err = globs(rule.Clusters)
	return out, err
}

func globs(patterns []string) ([]object.Glob, error) {
	out := make([]object.Glob, 0, len(patterns))
	for _, pattern := range patterns {
		g, err := object.CompileGlob(pattern)
		if err != nil {
			return nil, fmt.Errorf("pattern %s: %w", quoted(pattern), err)
		}
		out = append(out, g)
	}
	return out, nil
}
