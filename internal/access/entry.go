// SPDX-License-Identifier: Apache-2.0

package access

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/gobwas/glob"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
)

// matcher is a compiled glob or regular expression.
type matcher interface{ Match(string) bool }

type anything struct{}

func (anything) Match(string) bool { return true }

type literal string

func (l literal) Match(s string) bool { return s == string(l) }

type expression struct{ *regexp.Regexp }

func (e expression) Match(s string) bool { return e.MatchString(s) }

// pattern is an entry that has been compiled.
type pattern struct {
	text  string // as written
	deny  bool
	match matcher // nil if err is set
	err   error
}

// compile reads an entry of a list in which "!" denies.
func compile(text string, separators ...rune) pattern {
	body, deny := strings.CutPrefix(text, "!")
	p := compileGlob(body, separators...)
	p.text, p.deny = text, deny
	return p
}

// compileGlob reads an entry of a list in which "!" means nothing.
func compileGlob(text string, separators ...rune) pattern {
	if text == "*" {
		return pattern{text: text, match: anything{}}
	}
	if err := balanced(text); err != nil {
		return pattern{text: text, err: err}
	}
	g, err := glob.Compile(text, separators...)
	return pattern{text: text, match: g, err: err}
}

// balanced refuses braces and brackets that do not close: the library takes them and panics when it matches.
func balanced(text string) error {
	braces, bracket := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
		case bracket:
			bracket = c != ']'
		case c == '[':
			bracket = true
		case c == '{':
			braces++
		case c == '}':
			braces--
		}
		if braces < 0 {
			return errors.New("a } without its {")
		}
	}
	if braces > 0 || bracket {
		return errors.New("a { or [ is not closed")
	}
	return nil
}

// exact returns a pattern for one value; "" matches nothing.
func exact(text string) pattern {
	if text == "" {
		return pattern{}
	}
	return pattern{text: text, match: literal(text)}
}

func compileSource(url string) pattern {
	body, deny := strings.CutPrefix(url, "!")
	body = object.NormaliseRepoURL(body)
	if deny {
		body = "!" + body
	}
	p := compile(body, '/')
	p.text = url
	return p
}

func compileNamespace(text string) pattern {
	if len(text) < 2 || text[0] != '/' || text[len(text)-1] != '/' {
		return compileGlob(text)
	}
	re, err := regexp.Compile(text[1 : len(text)-1])
	if err != nil {
		return pattern{text: text, err: err}
	}
	return pattern{text: text, match: expression{re}}
}

// matches reports whether the entry lets the value through: a denial lets through what it does not name.
func (p pattern) matches(value string) bool {
	matched, failed := p.try(value)
	return !failed && matched != p.deny
}

// try matches the value, without regard to denial. failed says that the pattern cannot be matched at all.
func (p pattern) try(value string) (matched, failed bool) {
	if p.err != nil || p.match == nil {
		return false, true
	}
	defer func() {
		// The library has been seen to panic on patterns that it compiled. Such a pattern cannot be read.
		if recover() != nil {
			matched, failed = false, true
		}
	}()
	return p.match.Match(value), false
}

func texts(patterns []pattern) []string {
	out := make([]string, 0, len(patterns))
	for _, p := range patterns {
		out = append(out, fmt.Sprintf("%q", p.text))
	}
	return out
}

// destinationEntry is one entry of spec.destinations.
type destinationEntry struct {
	server, name, namespace pattern
}

func compileDestination(d v1alpha1.ApplicationDestination) destinationEntry {
	return destinationEntry{compile(d.Server), compile(d.Name), compile(d.Namespace)}
}

func (e destinationEntry) String() string {
	var parts []string
	for _, f := range []struct{ name, text string }{{"server", e.server.text}, {"name", e.name.text}, {"namespace", e.namespace.text}} {
		if f.text != "" {
			parts = append(parts, fmt.Sprintf("%s: %s", f.name, f.text))
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

type verdict int

const (
	passes verdict = iota
	permits
	denies
)

// judge returns what the entry says about a destination and, if it denies, by which field. A denial of a cluster
// counts where the entry's namespace matches, a denial of a namespace where the entry's server does.
func (e destinationEntry) judge(d Destination) (verdict, string) {
	server := d.Server != "" && e.server.matches(d.Server)
	name := d.Name != "" && e.name.matches(d.Name)
	namespace := e.namespace.matches(d.Namespace)
	switch {
	case (server || name) && namespace:
		return permits, ""
	case namespace && e.server.deny && !server:
		return denies, "server"
	case namespace && e.name.deny && !name:
		return denies, "name"
	case server && e.namespace.deny && !namespace:
		return denies, "namespace"
	}
	return passes, ""
}

// kindEntry is one entry of a list of kinds.
type kindEntry struct {
	group, kind, name pattern // name.text == "": any name
}

func compileNamed(items []v1alpha1.ClusterResourceRestrictionItem) []kindEntry {
	out := make([]kindEntry, 0, len(items))
	for _, i := range items {
		out = append(out, kindEntry{compileGlob(i.Group), compileGlob(i.Kind), compileGlob(i.Name)})
	}
	return out
}

func compileKinds(items []metav1.GroupKind) []kindEntry { return compileNamed(groupKinds(items)) }

func (e *kindEntry) String() string {
	text := fmt.Sprintf("{group: %q, kind: %s", e.group.text, e.kind.text)
	if e.name.text != "" {
		text += ", name: " + e.name.text
	}
	return text + "}"
}

// try matches an object. failed says that a part of the entry cannot be read.
func (e *kindEntry) try(gk schema.GroupKind, name string) (matched, failed bool) {
	group, groupBad := e.group.try(gk.Group)
	kind, kindBad := e.kind.try(gk.Kind)
	named, nameBad := true, false
	if e.name.text != "" {
		named, nameBad = e.name.try(name)
	}
	return group && kind && named, groupBad || kindBad || nameBad
}

// permitting returns the entry of a whitelist that lets the object in, or nil.
func permitting(entries []kindEntry, gk schema.GroupKind, name string) *kindEntry {
	for i := range entries {
		if matched, _ := entries[i].try(gk, name); matched {
			return &entries[i]
		}
	}
	return nil
}

// denying returns the entry of a blacklist that keeps the object out, or nil. One that cannot be read keeps all out.
func denying(entries []kindEntry, gk schema.GroupKind, name string) *kindEntry {
	for i := range entries {
		if matched, failed := entries[i].try(gk, name); matched || failed {
			return &entries[i]
		}
	}
	return nil
}
