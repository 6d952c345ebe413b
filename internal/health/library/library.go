// SPDX-License-Identifier: Apache-2.0

// Package library holds rules of health for custom resources, as data: the folders beside this file.
//
// The words of this room:
//
//   - Rule: how one kind, or a family of kinds, is judged. A file <group>/<Kind>.yaml; "_" in a name stands for
//     anything, the folder "core" for the group without a name. Beside it, in <Kind>.txtar, are examples with the verdict
//     that is expected of each.
//   - Case: tests of the object, or of the entries of a list in it, and a verdict. The first case that holds decides.
//   - Test: one sentence about the object, as test.go reads it, or an expression (CEL).
//   - Convention: what most controllers keep to in their status. Conventions are a rule like any other (_/_.yaml), for
//     kinds that have none of their own.
//
// The rules are written from the kinds' public API documentation. A rule is read when an object of its kind is first
// judged. docs/reference/health.md describes the form of the files and lists the kinds.
package library

import (
	"cmp"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

//go:embed all:*/*.yaml
var files embed.FS

const (
	wildcard    = "_"    // in a name: anything
	core        = "core" // the folder of the group without a name
	conventions = wildcard + "/" + wildcard
)

// Verdict is what a rule says of an object. Status is "" if it says nothing.
type Verdict struct {
	Status  v1alpha1.HealthStatusCode
	Message string
}

// Of returns the rule of a kind, or of the family that it belongs to, the narrowest one first. ok is false if it has none.
// Conventions are not asked. Safe for concurrent use.
func Of(gk schema.GroupKind) (rule *Rule, ok bool) {
	if found, ok := byKind.Load(gk); ok {
		rule := found.(*Rule)
		return rule, rule != nil
	}
	name := nameOf(gk)
	rule = ruleOf(name)
	byKind.Store(gk, rule)
	return rule, rule != nil
}

// Conventions returns the rule for kinds without one of their own.
func Conventions() *Rule { return index().rules[conventions] }

// byKind remembers the answers of Of: *Rule by schema.GroupKind, nil for kinds without one.
var byKind sync.Map

func nameOf(gk schema.GroupKind) string { return cmp.Or(gk.Group, core) + "/" + gk.Kind }

func ruleOf(name string) *Rule {
	idx := index()
	if rule := idx.rules[name]; rule != nil {
		return rule
	}
	for _, family := range idx.families {
		if family.holds(name) {
			return idx.rules[string(family)]
		}
	}
	return nil
}

// family is a name with wildcards.
type family string

func (f family) holds(name string) bool {
	group, kind, _ := strings.Cut(name, "/")
	groups, kinds, _ := strings.Cut(string(f), "/")
	return matches(groups, group) && matches(kinds, kind)
}

// matches reports whether a name is one of a pattern in which "_" stands for one or more characters. No pattern has more
// than one.
func matches(pattern, name string) bool {
	before, after, wild := strings.Cut(pattern, wildcard)
	if !wild {
		return pattern == name
	}
	return len(name) > len(before)+len(after) && strings.HasPrefix(name, before) && strings.HasSuffix(name, after)
}

type catalog struct {
	rules    map[string]*Rule // by name; nothing of them is read yet
	families []family         // the narrowest first
}

// index lists the files; it reads none.
var index = sync.OnceValue(func() catalog {
	out := catalog{rules: map[string]*Rule{}}
	names, err := fs.Glob(files, "*/*.yaml")
	if err != nil {
		panic(fmt.Sprintf("the library of health rules: %v", err)) // only a malformed pattern is an error
	}
	for _, file := range names {
		name := strings.TrimSuffix(file, ".yaml")
		out.rules[name] = &Rule{name: name}
		if strings.Contains(name, wildcard) && name != conventions {
			out.families = append(out.families, family(name))
		}
	}
	slices.SortFunc(out.families, func(a, b family) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	})
	return out
})
