// SPDX-License-Identifier: Apache-2.0

package access

import (
	"fmt"
	"regexp"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
)

// matcher is a compiled glob, regular expression or plain value.
type matcher interface{ Match(string) bool }

type literal string

func (l literal) Match(s string) bool { return s == string(l) }

type expression struct{ *regexp.Regexp }

func (e expression) Match(s string) bool { return e.MatchString(s) }

// pattern is an entry that has been compiled.
type pattern struct {
	text  string // as written
	deny  bool
	match matcher
	err   error
}

// compile reads an entry of a list in which "!" denies.
func compile(text string, separators ...rune) pattern {
	body, deny := strings.CutPrefix(text, "!")
	p := compileGlob(body, separators...)
	p.text, p.deny = text, deny
	return p
}

// compileGlob reads an entry of a list in which "!" means nothing. "*" alone is anything, separators or not.
func compileGlob(text string, separators ...rune) pattern {
	if text == "*" {
		separators = nil
	}
	g, err := object.CompileGlob(text, separators...)
	return pattern{text: text, match: g, err: err}
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
	return p.readable() && p.match.Match(value) != p.deny
}

// readable reports whether the entry is a valid pattern.
func (p pattern) readable() bool { return p.err == nil && p.match != nil }

// remark follows the text of an entry that is not a valid pattern, wherever a refusal shows it.
func (p pattern) remark() string {
	if p.err == nil {
		return ""
	}
	return " (not a valid pattern)"
}

func texts(patterns []pattern) []string {
	out := make([]string, 0, len(patterns))
	for _, p := range patterns {
		out = append(out, fmt.Sprintf("%q", p.text)+p.remark())
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
	for _, f := range []struct {
		name string
		pattern
	}{{"server", e.server}, {"name", e.name}, {"namespace", e.namespace}} {
		if f.text != "" {
			parts = append(parts, fmt.Sprintf("%s: %s%s", f.name, f.text, f.remark()))
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
	text := fmt.Sprintf("{group: %q%s, kind: %s%s", e.group.text, e.group.remark(), e.kind.text, e.kind.remark())
	if e.name.text != "" {
		text += ", name: " + e.name.text + e.name.remark()
	}
	return text + "}"
}

func (e *kindEntry) readable() bool {
	return e.group.readable() && e.kind.readable() && e.name.readable()
}

func (e *kindEntry) matches(gk schema.GroupKind, name string) bool {
	return e.group.matches(gk.Group) && e.kind.matches(gk.Kind) && (e.name.text == "" || e.name.matches(name))
}

// permitting returns the entry of a whitelist that lets the object in, or nil.
func permitting(entries []kindEntry, gk schema.GroupKind, name string) *kindEntry {
	for i := range entries {
		if entries[i].matches(gk, name) {
			return &entries[i]
		}
	}
	return nil
}

// unreadable tells which entries of a whitelist are not valid patterns; "" if all are.
func unreadable(entries []kindEntry) string {
	var broken []string
	for i := range entries {
		if !entries[i].readable() {
			broken = append(broken, entries[i].String())
		}
	}
	if len(broken) == 0 {
		return ""
	}
	return listed(broken)
}

// denying returns the entry of a blacklist that keeps the object out, or nil. One that cannot be read keeps all out.
func denying(entries []kindEntry, gk schema.GroupKind, name string) *kindEntry {
	for i := range entries {
		if !entries[i].readable() || entries[i].matches(gk, name) {
			return &entries[i]
		}
	}
	return nil
}
