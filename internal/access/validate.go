// SPDX-License-Identifier: Apache-2.0

package access

import (
	"fmt"
	"slices"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
)

// checker collects what is wrong with the rules of one project.
type checker struct {
	project  string
	problems []error
}

func validate(p *v1alpha1.AppProject, compiled *Project) []error {
	c := &checker{project: p.Name}
	c.sources(p.Spec.SourceRepos, compiled.sources)
	c.destinations(p.Spec.Destinations, compiled.destinations)
	c.sourceNamespaces(compiled.sourceNamespaces)
	c.accounts(compiled.accounts)
	c.kinds("clusterResourceWhitelist", compiled.clusterAllowed)
	c.kinds("clusterResourceBlacklist", compiled.clusterDenied)
	c.kinds("namespaceResourceWhitelist", compiled.namespaceAllowed)
	c.kinds("namespaceResourceBlacklist", compiled.namespaceDenied)
	return c.problems
}

func (c *checker) add(field string, index int, cause, fix string) {
	c.problems = append(c.problems, fault.New(fault.Mistake, "read", "AppProject "+c.project,
		fmt.Sprintf("spec.%s[%d]", field, index), cause, fix))
}

const denyAll = `"!*" denies everything`

func (c *checker) sources(urls []string, compiled []pattern) {
	seen := map[string]bool{}
	for i, url := range urls {
		if url == "!*" {
			c.add("sourceRepos", i, denyAll, "take it out; what no entry names is denied already")
		}
		normal := object.NormaliseRepoURL(url)
		c.duplicate("sourceRepos", i, normal, seen)
		c.glob("sourceRepos", i, compiled[i])
	}
}

func (c *checker) destinations(items []v1alpha1.ApplicationDestination, compiled []destinationEntry) {
	seen := map[string]bool{}
	for i, d := range items {
		if slices.Contains([]string{d.Server, d.Name, d.Namespace}, "!*") {
			c.add("destinations", i, denyAll, "take it out; what no entry names is denied already")
		}
		c.duplicate("destinations", i, compiled[i].String(), seen)
		for _, p := range []pattern{compiled[i].server, compiled[i].name, compiled[i].namespace} {
			c.glob("destinations", i, p)
		}
	}
}

func (c *checker) sourceNamespaces(compiled []pattern) {
	seen := map[string]bool{}
	for i, p := range compiled {
		c.duplicate("sourceNamespaces", i, p.text, seen)
		c.glob("sourceNamespaces", i, p)
	}
}

func (c *checker) accounts(compiled []accountEntry) {
	seen := map[string]bool{}
	for i, e := range compiled {
		if e.err != nil {
			c.add("destinationServiceAccounts", i, e.err.Error(), "correct it; until then nothing is sent to what it or an entry after it is about")
		}
		at := fmt.Sprintf("{server: %s, namespace: %q}", e.server.text, e.namespace.text)
		if seen[at] {
			c.add("destinationServiceAccounts", i, at+" is listed twice", "take one out: the first counts")
		}
		seen[at] = true
	}
}

func (c *checker) kinds(field string, compiled []kindEntry) {
	for i, e := range compiled {
		for _, p := range []pattern{e.group, e.kind, e.name} {
			c.glob(field, i, p)
		}
	}
}

func (c *checker) duplicate(field string, index int, text string, seen map[string]bool) {
	if seen[text] {
		c.add(field, index, fmt.Sprintf("%s is listed twice", text), "take one out")
	}
	seen[text] = true
}

func (c *checker) glob(field string, index int, p pattern) {
	if p.err != nil {
		c.add(field, index, fmt.Sprintf("%q is not a valid pattern: %v", p.text, p.err), "correct it; until then it permits nothing")
	}
}
