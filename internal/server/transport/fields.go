// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"bytes"
	"encoding/json"
	"strings"
)

// selection are fields of an answer: items.metadata.name,items.spec keeps those, and with "-" before the first everything else is
// kept (https://argo-cd.readthedocs.io/en/stable/developer-guide/api-docs). Lists are walked through without a name of
// their own.
type selection struct {
	without bool
	root    *branch
}

// branch is a part of the paths. A path ends at it if whole.
type branch struct {
	whole bool
	below map[string]*branch
}

func newSelection(fields string) *selection {
	s := &selection{root: &branch{}}
	fields, s.without = strings.CutPrefix(fields, "-")
	for field := range strings.SplitSeq(fields, ",") {
		at := s.root
		for name := range strings.SplitSeq(strings.TrimPrefix(strings.TrimSpace(field), "-"), ".") {
			if at.below == nil {
				at.below = map[string]*branch{}
			}
			if at.below[name] == nil {
				at.below[name] = &branch{}
			}
			at = at.below[name]
		}
		at.whole = true
	}
	return s
}

// apply returns the JSON text with the fields that are selected.
func (s *selection) apply(text []byte) ([]byte, error) {
	var value any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	s.prune(value, s.root)
	return json.Marshal(value)
}

func (s *selection) prune(value any, at *branch) {
	switch v := value.(type) {
	case []any:
		for _, element := range v {
			s.prune(element, at)
		}
	case map[string]any:
		for name, inner := range v {
			next := at.below[name]
			switch {
			case next == nil && !s.without, next != nil && next.whole && s.without:
				delete(v, name)
			case next != nil && !next.whole:
				s.prune(inner, next)
			}
		}
	}
}
