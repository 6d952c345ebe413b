// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	corev1 "k8s.io/api/core/v1"
)

// Change is one field in which live is not as desired, for people.
type Change struct {
	// Path is the field as people write it: spec.containers[name=web].image.
	Path string
	// Live and Desired are the values as short JSON; "" where there is none. Values of Secrets and of sensitive
	// annotations are masked as Mask does it.
	Live, Desired string
	// Reordered: the list has the same elements in another order; Live and Desired name them in theirs.
	Reordered bool
	// Owners are those who hold the field, or something in it, on the live object.
	Owners []Owner
}

// Managers names the field managers among the owners, each once.
func (c Change) Managers() []string {
	var names []string
	for _, o := range c.Owners {
		if !slices.Contains(names, o.Manager) {
			names = append(names, o.Manager)
		}
	}
	return names
}

// maxShown bounds a value in Changes where Input does not: they end up in status, log and terminal.
const maxShown = 160

func (c *comparison) changes(differences []found) []Change {
	out := make([]Change, 0, len(differences))
	for _, f := range differences {
		ch := Change{Path: pathText(f.path), Reordered: f.reordered, Owners: c.own.owners(f.path)}
		if f.inLive {
			ch.Live = c.shown(f.path, f.live, f.reordered)
		}
		if f.inDesired {
			ch.Desired = c.shown(f.path, f.desired, f.reordered)
		}
		if ch.Live == masked && ch.Desired == masked {
			ch.Desired = maskedChanged
		}
		out = append(out, ch)
	}
	return out
}

func (c *comparison) shown(path fieldpath.Path, v any, plain bool) string {
	if isSecret(c.in.Desired) && (isField(path, 0, "data") || isField(path, 0, "stringData")) {
		return masked
	}
	if text, ok := v.(string); ok && plain {
		return c.short(text)
	}
	v, all := c.mask(path, v)
	if all {
		return masked
	}
	text, err := json.Marshal(v)
	if err != nil {
		return masked
	}
	return c.short(string(text))
}

// mask hides the values of sensitive annotations in a value that is one, or holds some.
func (c *comparison) mask(path fieldpath.Path, v any) (shown any, all bool) {
	hidden := func(key string) bool {
		return key == corev1.LastAppliedConfigAnnotation || c.in.Rules.sensitive(key)
	}
	if !isField(path, 0, "metadata") {
		return v, false
	}
	m, isMap := v.(map[string]any)
	switch {
	case len(path) >= 3 && isField(path, 1, "annotations"):
		return v, hidden(*path[2].FieldName)
	case len(path) == 2 && isField(path, 1, "annotations") && isMap:
		return maskKeys(m, hidden), false
	case len(path) == 1 && isMap:
		annotations, ok := m["annotations"].(map[string]any)
		if !ok {
			return v, false
		}
		out := make(map[string]any, len(m))
		for k, e := range m {
			out[k] = e
		}
		out["annotations"] = maskKeys(annotations, hidden)
		return out, false
	}
	return v, false
}

func maskKeys(m map[string]any, hidden func(string) bool) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v
		if hidden(k) {
			out[k] = masked
		}
	}
	return out
}

func isField(path fieldpath.Path, i int, name string) bool {
	return len(path) > i && path[i].FieldName != nil && *path[i].FieldName == name
}

func (c *comparison) short(text string) string {
	cut := cmp.Or(c.in.MaxShown, maxShown)
	if len(text) <= cut {
		return text
	}
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

// pathText writes a field path as people do.
func pathText(path fieldpath.Path) string {
	var b strings.Builder
	for _, elem := range path {
		switch {
		case elem.FieldName != nil && strings.ContainsAny(*elem.FieldName, ".[]/\" "):
			b.WriteString("[" + strconv.Quote(*elem.FieldName) + "]")
		case elem.FieldName != nil:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(*elem.FieldName)
		case elem.Key != nil:
			b.WriteString("[" + keyText(elem) + "]")
		case elem.Value != nil:
			b.WriteString("[=" + scalarText((*elem.Value).Unstructured()) + "]")
		case elem.Index != nil:
			b.WriteString("[" + strconv.Itoa(*elem.Index) + "]")
		}
	}
	return b.String()
}

func keyText(elem fieldpath.PathElement) string {
	parts := make([]string, 0, len(*elem.Key))
	for _, field := range *elem.Key {
		parts = append(parts, field.Name+"="+scalarText(field.Value.Unstructured()))
	}
	return strings.Join(parts, ",")
}

func scalarText(v any) string {
	if s, ok := v.(string); ok && s != "" && !strings.ContainsAny(s, ",=[]\" ") {
		return s
	}
	text, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	return string(text)
}
