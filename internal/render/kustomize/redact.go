// SPDX-License-Identifier: Apache-2.0

package kustomize

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/internal/object"
)

const (
	redacted = "[redacted]"
	// minSecret is the length from which a value is looked for in a text.
	minSecret = 4
	// maxSecrets and maxQuoted bound the search; a text beyond them is left out altogether.
	maxSecrets = 20_000
	maxQuoted  = 1 << 20
)

// redact removes every value of a Secret, and everything that a generator of Secrets reads, from a text. It looks for them
// only now that there is an error: as text, encoded, and as the numbers of its bytes, as the library prints them.
func (s *scout) redact(text string) string {
	var values []string
	for _, n := range s.nodes {
		values = append(values, s.secretsOf(n)...)
	}
	for _, content := range s.files.contents {
		values = append(values, secretsIn(content)...)
	}
	if len(values) > maxSecrets || len(text) > maxQuoted {
		return "it fails; what Kustomize says of it is left out, because it may quote values of Secrets"
	}
	slices.SortFunc(values, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	for _, value := range slices.Compact(values) {
		if len(value) < minSecret {
			break
		}
		for _, form := range []string{value, strings.Trim(fmt.Sprint([]byte(value)), "[]"), base64.StdEncoding.EncodeToString([]byte(value))} {
			text = strings.ReplaceAll(text, form, redacted)
		}
	}
	return text
}

// secretsOf returns what a kustomization puts into Secrets.
func (s *scout) secretsOf(n *node) []string {
	var values []string
	for _, g := range n.k.SecretGenerator {
		for _, literal := range g.LiteralSources {
			values = append(values, behind(literal))
		}
		for _, file := range slices.Concat(g.FileSources, g.EnvSources, []string{g.EnvSource}) {
			values = append(values, lines(s.content(n, behind(file)))...)
		}
	}
	for _, p := range slices.Concat(n.k.Patches, n.k.PatchesJson6902) {
		patch := []byte(p.Patch)
		if p.Path != "" {
			patch = s.content(n, p.Path)
		}
		values = append(values, secretsIn(patch)...)
		if mayBeSecret(p.Target) {
			values = append(values, scalars(patch)...)
		}
	}
	for _, p := range n.k.PatchesStrategicMerge {
		values = append(values, secretsIn([]byte(p))...)
	}
	for _, r := range n.k.Replacements {
		if r.SourceValue != nil {
			values = append(values, *r.SourceValue)
		}
	}
	return values
}

// behind returns what stands behind the key of key=value, or all of it.
func behind(text string) string {
	if _, value, ok := strings.Cut(text, "="); ok {
		return value
	}
	return text
}

// mayBeSecret reports whether a patch may concern Secrets. The kind of a target is a regular expression.
func mayBeSecret(target *types.Selector) bool {
	if target == nil || target.Kind == "" {
		return target != nil
	}
	matches, err := regexp.MatchString("^(?:"+target.Kind+")$", "Secret")
	return matches || err != nil
}

// content returns what was read of a file that a kustomization names; nothing if it was not.
func (s *scout) content(n *node, p string) []byte {
	return s.files.contents[s.files.resolve(filepath.Join(n.dir, p)).at]
}

// scalars returns all texts of a YAML text, but for what names things; all of its lines if it does not parse.
func scalars(content []byte) []string {
	var doc any
	if yaml.Unmarshal(content, &doc) != nil {
		return lines(content)
	}
	var out []string
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, element := range v {
				if !slices.Contains([]string{"op", "path", "from", "kind", "apiVersion", "name", "namespace"}, key) {
					walk(element)
				}
			}
		case []any:
			for _, element := range v {
				walk(element)
			}
		case string:
			out = append(append(out, v), lines([]byte(v))...)
		}
	}
	walk(doc)
	return out
}

// lines returns a text, each of its lines, and what stands behind the first "=" and ":" of each.
func lines(content []byte) []string {
	out := []string{string(content)}
	for _, line := range strings.Split(string(content), "\n") {
		_, value, _ := strings.Cut(line, ":")
		for _, part := range []string{line, behind(line), value} {
			out = append(out, strings.Trim(strings.TrimSpace(part), `"'`))
		}
	}
	return out
}

// secretsIn returns the values of the Secrets of a YAML text. If it does not parse, and a Secret may be in it, that is all
// of its lines.
func secretsIn(content []byte) []string {
	if !strings.Contains(string(content), "Secret") {
		return nil
	}
	docs, err := object.ParseYAML("", content)
	if err != nil {
		return lines(content)
	}
	var out []string
	for _, doc := range docs {
		if doc.Data["kind"] != "Secret" {
			continue
		}
		for _, field := range []string{"data", "stringData"} {
			values, _ := doc.Data[field].(map[string]any)
			for _, value := range values {
				if text, ok := value.(string); ok {
					out = append(append(out, text), lines([]byte(text))...)
				}
			}
		}
	}
	return out
}
