// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"encoding/json"
	"testing"
)

// pruned is a selection made of decoded values: what apply has to come to without decoding them.
func pruned(s *selection, value any, at *branch) {
	switch v := value.(type) {
	case []any:
		for _, element := range v {
			pruned(s, element, at)
		}
	case map[string]any:
		for name, inner := range v {
			next := at.below[name]
			switch {
			case next == nil && !s.without, next != nil && next.whole && s.without:
				delete(v, name)
			case next != nil && !next.whole:
				pruned(s, inner, next)
			}
		}
	}
}

func FuzzFields(f *testing.F) {
	for _, text := range []string{
		`null`, `1.5`, `"a\"{b"`, `[]`, `{}`, `[[],{},[1,{"a":2}]]`, `{"a":{"b":[{"c":"}","d":[1,2]},{"c":null}],"e":true},"f\\":-1e9,"<g>":{"h":"\u2028"}}`,
	} {
		for _, fields := range []string{"", "a", "-a", "a.b.c", "-a.b.c", "a.e,f\\", "-<g>.h", "a.b.d,<g>", "a,a.b", "..", "-"} {
			f.Add(text, fields)
		}
	}
	f.Fuzz(func(t *testing.T, text, fields string) {
		var value any
		if json.Unmarshal([]byte(text), &value) != nil {
			return
		}
		sent, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		s := newSelection(fields)
		got := s.apply(sent)
		pruned(s, value, s.root)
		want, err := json.Marshal(value) // with its keys in order, as they are sent
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("%q of %s is %s, want %s", fields, sent, got, want)
		}
	})
}
