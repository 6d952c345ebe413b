// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

const (
	combinedKey = "resource.customizations"
	splitPrefix = combinedKey + "."
	celPrefix   = "bowline.health.cel."
)

// said is what one key, or one entry of the combined key, says of kinds.
type said struct {
	custom      []Customization
	differences v1alpha1.IgnoreDifferences
	openLibs    map[pattern]bool
}

// rules are those about fields, of differences and of updates.
func (w said) rules() v1alpha1.IgnoreDifferences {
	rules := slices.Clone(w.differences)
	for _, c := range w.custom {
		if c.IgnoreUpdates != nil {
			rules = append(rules, *c.IgnoreUpdates)
		}
	}
	return rules
}

// pattern is how a key names kinds: globs.
type pattern struct{ group, kind string }

// readCustomizations reads the keys that carry the kinds they are for, and the entries of the combined key, each by itself:
// a broken one keeps what it said before, and takes none beside it down.
func (s *Settings) readCustomizations(prev Settings, cm map[string]string) []error {
	var errs []error
	s.saidByKey = map[string]said{}
	note := func(name string, what said, err error) {
		if err == nil {
			err = prev.checkRules(what.rules())
		}
		if err != nil {
			what = prev.saidByKey[name]
			errs = append(errs, broken(v1alpha1.ConfigMapName, name, err))
		}
		s.saidByKey[name] = what
		s.IgnoreDifferences = append(s.IgnoreDifferences, what.differences...)
	}
	for _, name := range slices.Sorted(maps.Keys(cm)) {
		if strings.TrimSpace(cm[name]) == "" {
			continue
		}
		if name == combinedKey {
			combined(cm[name], note, func(entries string, err error) {
				errs = append(errs, broken(v1alpha1.ConfigMapName, entries, err))
				s.keepEntries(prev, entries)
			})
			continue
		}
		if read := customizing(name); read != nil {
			what, err := read(cm[name])
			note(name, what, err)
		}
	}
	s.Customizations = joined(s.saidByKey)
	return errs
}

// keepEntries keeps what the combined key, or one of its kinds, said before.
func (s *Settings) keepEntries(prev Settings, of string) {
	for _, name := range slices.Sorted(maps.Keys(prev.saidByKey)) {
		if isEntry(name) && strings.HasPrefix(name, of) {
			s.saidByKey[name] = prev.saidByKey[name]
			s.IgnoreDifferences = append(s.IgnoreDifferences, prev.saidByKey[name].differences...)
		}
	}
}

// isEntry reports whether a name is that of an entry of the combined key.
func isEntry(name string) bool { return strings.HasPrefix(name, combinedKey+"[") }

// customizing returns what reads the key, nil if it is not about kinds. A customization that this version does not know
// is left alone, as any unknown key is.
func customizing(name string) func(raw string) (said, error) {
	matter, suffix := "cel", ""
	if rest, ok := strings.CutPrefix(name, splitPrefix); ok {
		matter, suffix, _ = strings.Cut(rest, ".")
	} else if suffix, ok = strings.CutPrefix(name, celPrefix); !ok {
		return nil
	}
	tell, ok := matters[matter]
	if !ok {
		return nil
	}
	return func(raw string) (said, error) {
		p, err := suffixPattern(matter, suffix)
		if err != nil {
			return said{}, err
		}
		out := said{openLibs: map[pattern]bool{}}
		return out, tell(&out, p, name, raw)
	}
}

// suffixPattern reads the end of a split key: group_Kind, Kind for the core group, or all.
func suffixPattern(matter, suffix string) (pattern, error) {
	group, kind := "", suffix
	if i := strings.LastIndex(suffix, "_"); i >= 0 {
		group, kind = suffix[:i], suffix[i+1:]
	}
	if suffix == "all" {
		if matter != "ignoreDifferences" && matter != "ignoreResourceUpdates" {
			return pattern{}, hint{`"all" is no kind, and this setting has no form for all kinds`, "name a kind, or write the pattern '*/*' into " + combinedKey}
		}
		return pattern{"*", "*"}, nil
	}
	if kind == "" {
		return pattern{}, hint{"the key names no kind", "end it in group_Kind, or in Kind for the core group"}
	}
	return pattern{group, kind}, nil
}

// matters are the things that can be said of kinds, by what split keys call them. Each adds what raw says.
var matters = map[string]func(out *said, p pattern, where, raw string) error{
	"ignoreDifferences": func(out *said, p pattern, _, raw string) error {
		var in ignored
		if err := yaml.Unmarshal([]byte(raw), &in); err != nil {
			return notYAML(err)
		}
		out.differences = append(out.differences, in.rule(p.group, p.kind))
		return nil
	},
	"ignoreResourceUpdates": func(out *said, p pattern, where, raw string) error {
		var in ignored
		if err := yaml.Unmarshal([]byte(raw), &in); err != nil {
			return notYAML(err)
		}
		rule := in.rule(p.group, p.kind)
		return out.add(p, where, func(c *Customization) { c.IgnoreUpdates = &rule })
	},
	"health": func(out *said, p pattern, where, raw string) error {
		return out.add(p, where, func(c *Customization) { c.HealthLua = raw })
	},
	"cel": func(out *said, p pattern, where, raw string) error {
		return out.add(p, where, func(c *Customization) { c.HealthCEL = strings.TrimSpace(raw) })
	},
	"useOpenLibs": func(out *said, p pattern, _, raw string) error {
		open, err := boolean(strings.TrimSpace(raw))
		out.openLibs[p] = open
		return err
	},
	"actions": func(out *said, p pattern, where, raw string) error {
		var in struct {
			Definitions []map[string]any `json:"definitions"`
		}
		if err := yaml.Unmarshal([]byte(raw), &in); err != nil {
			return notYAML(err)
		}
		return out.add(p, where, func(c *Customization) { c.Actions = raw })
	},
	"knownTypeFields": func(out *said, p pattern, where, raw string) error {
		var in []KnownType
		if err := yaml.Unmarshal([]byte(raw), &in); err != nil {
			return notYAML(err)
		}
		if slices.ContainsFunc(in, func(k KnownType) bool { return k.Field == "" || k.Type == "" }) {
			return hint{"an entry lacks its field or its type", "write a list of {field, type}"}
		}
		return out.add(p, where, func(c *Customization) { c.KnownTypes = in })
	},
}

func (w *said) add(p pattern, where string, set func(*Customization)) error {
	c := Customization{Group: p.group, Kind: p.kind, Where: where}
	set(&c)
	if _, err := c.Matcher(); err != nil {
		return hint{fmt.Sprintf("%s/%s is no pattern: %v", p.group, p.kind, err), "mend the pattern"}
	}
	w.custom = append(w.custom, c)
	return nil
}

// combinedFields are the matters by what entries of the combined key call them.
var combinedFields = map[string]string{
	"health.lua": "health", "health.cel": "cel", "health.lua.useOpenLibs": "useOpenLibs", "actions": "actions",
	"ignoreDifferences": "ignoreDifferences", "ignoreResourceUpdates": "ignoreResourceUpdates", "knownTypeFields": "knownTypeFields",
}

// combined reads resource.customizations: a map from group/Kind, with wildcards, to what is said of those kinds. Its
// values are texts that are YAML themselves, or the YAML itself. It hands each to note, and to unread what cannot be taken
// apart: one kind, or the whole.
func combined(raw string, note func(name string, what said, err error), unread func(entries string, err error)) {
	var in map[string]json.RawMessage
	if err := yaml.Unmarshal([]byte(raw), &in); err != nil {
		unread(combinedKey, notYAML(err))
		return
	}
	for _, name := range slices.Sorted(maps.Keys(in)) {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(in[name], &fields); err != nil {
			unread(fmt.Sprintf("%s[%s]", combinedKey, name), hint{"it is no map of what is said of the kind", "mend the YAML"})
			continue
		}
		for _, field := range slices.Sorted(maps.Keys(fields)) {
			matter, ok := combinedFields[field]
			value := plainText(fields[field])
			if !ok || strings.TrimSpace(value) == "" {
				continue
			}
			where := fmt.Sprintf("%s[%s].%s", combinedKey, name, field)
			out := said{openLibs: map[pattern]bool{}}
			err := matters[matter](&out, entryPattern(name), where, value)
			note(where, out, err)
		}
	}
}

// entryPattern reads the name of an entry of the combined key. A bare star is every kind, as it matches every name there.
func entryPattern(name string) pattern {
	group, kind, ok := strings.Cut(name, "/")
	switch {
	case ok:
		return pattern{group, kind}
	case name == "*":
		return pattern{"*", "*"}
	}
	return pattern{"", name}
}

// plainText is the text a value is, or the value as text.
func plainText(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	if string(value) == "null" {
		return ""
	}
	return string(value)
}

// joined puts everything in the order in which it counts: what names a kind itself before patterns, of those a key of its
// own before the combined one, of patterns the one with more letters first, then by name.
func joined(byKey map[string]said) []Customization {
	var out []Customization
	open := map[pattern]*bool{}
	names := slices.SortedFunc(maps.Keys(byKey), func(a, b string) int { // split keys win
		return cmp.Or(compareBool(isEntry(a), isEntry(b)), cmp.Compare(b, a))
	})
	for _, name := range names {
		out = append(out, byKey[name].custom...)
		for p, value := range byKey[name].openLibs {
			if open[p] == nil {
				open[p] = &value
			}
		}
	}
	for i := range out {
		if out[i].HealthLua != "" {
			out[i].OpenLibs = open[pattern{out[i].Group, out[i].Kind}]
		}
	}
	slices.SortStableFunc(out, func(a, b Customization) int {
		return cmp.Or(
			cmp.Compare(vagueness(a), vagueness(b)),
			compareBool(isEntry(a.Where), isEntry(b.Where)),
			cmp.Compare(letters(b), letters(a)),
			cmp.Compare(a.Group+"/"+a.Kind, b.Group+"/"+b.Kind),
			cmp.Compare(a.Where, b.Where),
		)
	})
	return out
}

// vagueness is 0 for a customization of one kind and 1 for one of a pattern.
func vagueness(c Customization) int {
	if isPattern(c.Group) || isPattern(c.Kind) {
		return 1
	}
	return 0
}

func letters(c Customization) int {
	n := 0
	for _, r := range c.Group + c.Kind {
		if !strings.ContainsRune(`*?[]{}!,\`, r) {
			n++
		}
	}
	return n
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
