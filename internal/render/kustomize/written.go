// SPDX-License-Identifier: Apache-2.0

package kustomize

import (
	"path"
	"regexp"
	"strings"

	"github.com/bowline-cd/bowline/internal/object"
)

// written finds where objects were written. The library forgets it, unless annotations are asked of it that change what
// patches do; so it is found again by kind and name.
type written struct {
	byKind map[string][]definition
	// otherwise is where everything is said to come from that is not found.
	otherwise object.Origin
}

type definition struct {
	name string
	at   object.Origin
}

// written reads the heads of all objects of the pre-pass.
func (s *scout) written() written {
	w := written{byKind: map[string][]definition{}}
	w.otherwise = object.Origin{File: s.display(s.nodes[s.root].file), Source: s.in.Index}
	for _, n := range s.nodes {
		for _, e := range n.objects {
			if e.plugins {
				continue
			}
			if content, ok := s.files.contents[s.files.resolve(path.Clean(e.at)).at]; ok {
				w.add(object.Origin{File: s.display(e.at), Source: s.in.Index}, string(content))
			}
		}
	}
	return w
}

var (
	inlineName = regexp.MustCompile(`[{,]\s*name:\s*([^,}\s]+)`)
	nested     = regexp.MustCompile(`\{[^{}]*\}`)
	ownName    = regexp.MustCompile(`^\s+name:\s*(\S+)`)
	indent     = regexp.MustCompile(`^\s*`)
)

// add notes the objects of a file. It looks at lines only: a second parse of everything would cost as much as the render.
func (w *written) add(at object.Origin, content string) {
	var kind, name string
	begin, within, depth := 0, false, -1
	flush := func() {
		if kind != "" && name != "" {
			at.Line = begin
			w.byKind[kind] = append(w.byKind[kind], definition{name: name, at: at})
		}
		kind, name, begin, within, depth = "", "", 0, false, -1
	}
	for i, line := range strings.Split(content, "\n") {
		text := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "---"):
			flush()
			continue
		case text == "" || text[0] == '#':
			continue
		case begin == 0:
			begin = i + 1
		}
		if line[0] != ' ' && line[0] != '\t' {
			within = text == "metadata:"
			if value, ok := strings.CutPrefix(line, "kind:"); ok {
				kind = unquoted(value)
			} else if value, ok := strings.CutPrefix(line, "metadata:"); ok && !within {
				name = nameOf(value)
			}
			continue
		}
		here := len(indent.FindString(line))
		if within && depth < 0 {
			depth = here
		}
		if m := ownName.FindStringSubmatch(line); within && here == depth && m != nil {
			name = unquoted(m[1])
		}
	}
	flush()
}

// nameOf returns the name of metadata that is written on one line.
func nameOf(metadata string) string {
	inner := strings.TrimSuffix(strings.TrimSpace(metadata), "}")
	if m := inlineName.FindStringSubmatch(nested.ReplaceAllString(inner, "")); m != nil {
		return unquoted(m[1])
	}
	return ""
}

func unquoted(text string) string { return strings.Trim(strings.TrimSpace(text), `"'`) }

// of returns where an object was written: under its name, or under one that prefixes and suffixes were put around.
func (w *written) of(kind, name string) object.Origin {
	var best []definition
	for _, d := range w.byKind[kind] {
		switch {
		case !strings.Contains(name, d.name):
		case len(best) == 0 || len(d.name) > len(best[0].name):
			best = []definition{d}
		case len(d.name) == len(best[0].name):
			best = append(best, d)
		}
	}
	if len(best) != 1 {
		return w.otherwise
	}
	return best[0].at
}
