// SPDX-License-Identifier: Apache-2.0

package access

import "strings"

// Namespaces are the namespaces that patterns of application.namespaces choose: names, globs, or regular expressions between
// slashes.
type Namespaces struct {
	patterns []pattern
}

// CompileNamespaces reads the patterns. One that cannot be read chooses nothing.
func CompileNamespaces(texts []string) Namespaces {
	var out Namespaces
	for _, text := range texts {
		out.patterns = append(out.patterns, compileNamespace(text))
	}
	return out
}

// Match reports whether a namespace is chosen.
func (n Namespaces) Match(namespace string) bool {
	for _, p := range n.patterns {
		if p.matches(namespace) {
			return true
		}
	}
	return false
}

// Names returns the namespaces, if all of them are given by name.
func (n Namespaces) Names() (names []string, all bool) {
	for _, p := range n.patterns {
		if strings.ContainsAny(p.text, "*?[{/!\\") {
			return nil, false
		}
		names = append(names, p.text)
	}
	return names, true
}

// Empty reports whether there is no pattern.
func (n Namespaces) Empty() bool { return len(n.patterns) == 0 }
