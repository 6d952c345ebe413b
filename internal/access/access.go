// SPDX-License-Identifier: Apache-2.0

// Package access decides what a project permits.
//
// The words of this room:
//
//   - Project: the rules of an AppProject, compiled once. It is immutable; a changed AppProject is compiled anew.
//   - Entry: one element of a list of rules. It is a glob; one that begins with "!" is a denial.
//   - Destination: a cluster, by URL and by name, and a namespace on it.
//   - Account: the service account that objects are sent as, where that is asked for.
//   - Scoped: said of a repository or cluster whose Secret names this project as its own.
//
// The rules are Argo CD's. Every refusal is a fault.Forbidden that names the project, the field, the entry that decided
// and what to change. An entry that is not a valid glob permits nothing, and as a denial denies everything: a rule
// that cannot be read must not open a door. Validate names such entries.
package access

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
)

// Destination is where objects go. A caller that knows both Server and Name of the cluster gives both: entries match
// by either.
type Destination struct {
	Server, Name, Namespace string
}

func (d Destination) String() string {
	cluster := d.Server
	if cluster == "" {
		cluster = d.Name
	}
	return fmt.Sprintf("namespace %q on cluster %s", d.Namespace, cluster)
}

// Scoped are the repositories and clusters whose Secrets name the project: they are permitted to it without an entry.
type Scoped struct {
	Repositories []string
	Clusters     []Cluster
}

// Cluster is a cluster by its two names.
type Cluster struct {
	Server, Name string
}

// Project is a compiled AppProject.
type Project struct {
	name             string
	sources          []pattern
	destinations     []destinationEntry
	scopedOnly       bool
	clusters         []Cluster
	sourceNamespaces []pattern
	accounts         []accountEntry

	clusterAllowed, clusterDenied     []kindEntry
	namespaceAllowed, namespaceDenied []kindEntry
	namespaceOpen                     bool // namespaceResourceWhitelist is nil: all kinds

	problems []error
}

// Compile reads the rules of an AppProject. It does not fail: what is wrong is told by Validate, and is closed until
// it is put right.
func Compile(p *v1alpha1.AppProject, scoped Scoped) *Project {
	spec := &p.Spec
	out := &Project{
		name:          p.Name,
		scopedOnly:    spec.PermitOnlyProjectScopedClusters,
		clusters:      scoped.Clusters,
		namespaceOpen: spec.NamespaceResourceWhitelist == nil,
	}
	for _, url := range spec.SourceRepos {
		out.sources = append(out.sources, compileSource(url))
	}
	for _, url := range scoped.Repositories {
		out.sources = append(out.sources, exact(object.NormaliseRepoURL(url)))
	}
	for _, d := range spec.Destinations {
		out.destinations = append(out.destinations, compileDestination(d))
	}
	for _, c := range scoped.Clusters {
		out.destinations = append(out.destinations, destinationEntry{exact(c.Server), exact(c.Name), compile("*")})
	}
	for _, ns := range spec.SourceNamespaces {
		out.sourceNamespaces = append(out.sourceNamespaces, compileNamespace(ns))
	}
	for _, a := range spec.DestinationServiceAccounts {
		out.accounts = append(out.accounts, compileAccount(a))
	}
	out.clusterAllowed = compileNamed(spec.ClusterResourceWhitelist)
	out.clusterDenied = compileNamed(spec.ClusterResourceBlacklist)
	out.namespaceAllowed = compileKinds(spec.NamespaceResourceWhitelist)
	out.namespaceDenied = compileKinds(spec.NamespaceResourceBlacklist)
	out.problems = validate(p, out)
	return out
}

// Name returns the project's name.
func (p *Project) Name() string { return p.name }

// Validate returns what is wrong with the rules themselves: bare denials of everything, duplicates, entries that are
// no valid globs. Each is a fault.Mistake.
func (p *Project) Validate() []error { return p.problems }

// Source decides whether the project may use the repository. Both sides are normalised; "*" in an entry stops at "/",
// "**" does not, and "*" alone permits all. It is permitted if an entry matches and no denial does; a denial
// matches every repository that it does not name, so that a list of denials alone permits the rest.
func (p *Project) Source(repoURL string) error {
	url, plain := object.NormaliseRepoURL(repoURL), object.PlainRepoURL(repoURL)
	matched := false
	for _, entry := range p.sources {
		switch {
		case entry.matches(url) && (!entry.deny || entry.matches(plain)): // no spelling gets around a denial
			matched = true
		case entry.deny:
			return p.refuse("use", "repository "+fault.RedactURL(repoURL), "sourceRepos",
				fmt.Sprintf("the entry %q%s denies it", entry.text, entry.remark()), "take that entry out, or use another repository")
		}
	}
	if matched {
		return nil
	}
	return p.refuse("use", "repository "+fault.RedactURL(repoURL), "sourceRepos",
		"no entry matches it"+listed(texts(p.sources)), fmt.Sprintf("add %q, or use another repository", fault.RedactURL(repoURL)))
}

// Destination decides whether the project may put objects there.
func (p *Project) Destination(d Destination) error {
	matched := false
	for _, entry := range p.destinations {
		switch verdict, field := entry.judge(d); verdict {
		case permits:
			matched = true
		case denies:
			return p.refuse("use", "destination "+d.String(), "destinations",
				fmt.Sprintf("the entry %s denies it by its %s", entry, field), "take that entry out, or use another destination")
		}
	}
	if !matched {
		return p.refuse("use", "destination "+d.String(), "destinations", "no entry matches it"+listed(p.destinationTexts()),
			fmt.Sprintf("add {server: %q, namespace: %q}, or use another destination", d.Server, d.Namespace))
	}
	if p.scopedOnly && !p.isScoped(d) {
		return p.refuse("use", "destination "+d.String(), "permitOnlyProjectScopedClusters",
			"it is true and this cluster does not belong to the project",
			fmt.Sprintf("set `project: %s` in the cluster's Secret, or set the field to false", p.name))
	}
	return nil
}

func (p *Project) isScoped(d Destination) bool {
	for _, c := range p.clusters {
		if d.Server != "" && c.Server == d.Server || d.Name != "" && c.Name == d.Name {
			return true
		}
	}
	return false
}

// Resource decides whether the project may hold objects of the kind, and for cluster-scoped kinds this object. A
// cluster-scoped kind has to be listed; a namespaced one is permitted when there is no list (nil), while an empty
// list permits none. Blacklists win.
func (p *Project) Resource(gk schema.GroupKind, namespaced bool, name string) error {
	if namespaced {
		return p.namespacedKind(gk, name)
	}
	return p.clusterKind(gk, name)
}

func (p *Project) namespacedKind(gk schema.GroupKind, name string) error {
	thing := thingOf(gk, name)
	if entry := denying(p.namespaceDenied, gk, name); entry != nil {
		return p.refuse("hold", thing, "namespaceResourceBlacklist", fmt.Sprintf("the entry %s denies it", entry),
			"take that entry out, or take the object out of the source")
	}
	if p.namespaceOpen || permitting(p.namespaceAllowed, gk, name) != nil {
		return nil
	}
	return p.refuse("hold", thing, "namespaceResourceWhitelist", "no entry matches its kind"+unreadable(p.namespaceAllowed),
		fmt.Sprintf("add {group: %q, kind: %s}, or take the object out of the source", gk.Group, gk.Kind))
}

func (p *Project) clusterKind(gk schema.GroupKind, name string) error {
	thing := "cluster-scoped " + thingOf(gk, name)
	if entry := denying(p.clusterDenied, gk, name); entry != nil {
		return p.refuse("hold", thing, "clusterResourceBlacklist", fmt.Sprintf("the entry %s denies it", entry),
			"take that entry out, or take the object out of the source")
	}
	if permitting(p.clusterAllowed, gk, name) != nil {
		return nil
	}
	return p.refuse("hold", thing, "clusterResourceWhitelist", "no entry matches it"+unreadable(p.clusterAllowed),
		fmt.Sprintf("add {group: %q, kind: %s}, or take the object out of the source", gk.Group, gk.Kind))
}

// Object decides whether the project may put this object on the cluster: its kind, and, if it is namespaced, its own
// namespace as a destination.
func (p *Project) Object(key object.Key, namespaced bool, cluster Cluster) error {
	if err := p.Resource(key.GroupKind(), namespaced, key.Name); err != nil {
		return err
	}
	if !namespaced {
		return nil
	}
	return p.Destination(Destination{Server: cluster.Server, Name: cluster.Name, Namespace: key.Namespace})
}

// ApplicationNamespace decides whether an Application of the project may live in the namespace. The control
// namespace always may be used; others need an entry of sourceNamespaces (a glob, or a regular expression between slashes).
func (p *Project) ApplicationNamespace(namespace, control string) error {
	if namespace == "" || namespace == control {
		return nil
	}
	for _, entry := range p.sourceNamespaces {
		if entry.matches(namespace) {
			return nil
		}
	}
	return p.refuse("serve", fmt.Sprintf("an Application in namespace %q", namespace), "sourceNamespaces",
		"no entry matches it"+listed(texts(p.sourceNamespaces)), fmt.Sprintf("add %q, or move the Application", namespace))
}

func (p *Project) refuse(op, thing, field, cause, fix string) error {
	return fault.New(fault.Forbidden, op, thing, fmt.Sprintf("spec.%s of AppProject %s", field, p.name), cause, fix)
}

func (p *Project) destinationTexts() []string {
	out := make([]string, 0, len(p.destinations))
	for _, d := range p.destinations {
		out = append(out, d.String())
	}
	return out
}

func thingOf(gk schema.GroupKind, name string) string {
	return object.Key{Group: gk.Group, Kind: gk.Kind, Name: name}.String()
}

// listed shows the first entries of a list, so that a message stays readable.
func listed(entries []string) string {
	const show = 5
	if len(entries) == 0 {
		return " (the list is empty)"
	}
	more := ""
	if len(entries) > show {
		entries, more = entries[:show], fmt.Sprintf(" and %d more", len(entries)-show)
	}
	return " (it has " + strings.Join(entries, ", ") + more + ")"
}

func groupKinds(items []metav1.GroupKind) []v1alpha1.ClusterResourceRestrictionItem {
	out := make([]v1alpha1.ClusterResourceRestrictionItem, 0, len(items))
	for _, i := range items {
		out = append(out, v1alpha1.ClusterResourceRestrictionItem{Group: i.Group, Kind: i.Kind})
	}
	return out
}
