// SPDX-License-Identifier: Apache-2.0

package kustomize

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
)

const (
	redacted = "[redacted]"
	// maxCause bounds the library's text in an error.
	maxCause = 2000
	// minSecret is the length from which a value is looked for in a text.
	minSecret = 4
)

var (
	// accumulated is where the library names the folder of a kustomization in whose build something failed.
	accumulated = regexp.MustCompile(`(?:accumulation of|for|merging from) path '([^']+)'`)
	// fromFile is where it names a file with objects.
	fromFile = regexp.MustCompile(`(?:accumulating|merging) resources from '([^']+)'`)
)

// failed turns an error of the library into one that names the innermost kustomization, and the file if it is one. The
// library quotes what it works on, so values of Secrets are removed.
func (s *scout) failed(err error) error {
	text := s.redact(err.Error())
	at := s.root
	if all := accumulated.FindAllStringSubmatch(text, -1); len(all) > 0 {
		at = all[len(all)-1][1]
	}
	where := at
	if n, ok := s.nodes[at]; ok {
		where = n.file
	}
	if all := fromFile.FindAllStringSubmatch(text, -1); len(all) > 0 {
		if p := filepath.Join(at, all[len(all)-1][1]); s.files.isFile(p) {
			where = p
		}
	}
	cause, fix := said(text)
	return &fault.Error{Kind: fault.Mistake, Op: "render", Thing: "with Kustomize", Where: s.known(s.display(where)), Err: errors.New(s.known(cause)), Fix: fix}
}

// known replaces folders of the library's by what the user knows, and shortens.
func (s *scout) known(text string) string {
	for _, dir := range slices.Backward(slices.Sorted(maps.Keys(s.remotes))) {
		text = strings.ReplaceAll(text, dir, s.remotes[dir])
		text = strings.ReplaceAll(text, path.Base(dir), s.remotes[dir])
	}
	text = strings.ReplaceAll(strings.ReplaceAll(text, chartsFolder, "helmCharts"), chartsFile, "helmCharts")
	text = strings.ReplaceAll(strings.ReplaceAll(text, home+"/", ""), home, ".")
	text = strings.TrimSpace(text)
	if len(text) > maxCause {
		text = strings.ToValidUTF8(text[:maxCause], "") + " …"
	}
	return text
}

// redact removes every value of a Secret, and everything that a generator of Secrets reads, from a text.
func (s *scout) redact(text string) string {
	var values []string
	for _, n := range s.nodes {
		for _, g := range n.k.SecretGenerator {
			for _, literal := range g.LiteralSources {
				key, value, ok := strings.Cut(literal, "=")
				if !ok {
					value = key
				}
				values = append(values, value)
			}
			for _, file := range slices.Concat(g.FileSources, g.EnvSources, []string{g.EnvSource}) {
				_, p, ok := strings.Cut(file, "=")
				if !ok {
					p = file
				}
				values = append(values, lines(s.content(n, p))...)
			}
		}
		for _, p := range n.k.Patches {
			patch := []byte(p.Patch)
			if p.Path != "" {
				patch = s.content(n, p.Path)
			}
			values = append(values, secretsIn(patch)...)
			if p.Target != nil && strings.Contains(p.Target.Kind, "Secret") {
				values = append(values, patchValues(patch)...)
			}
		}
		for _, p := range n.k.PatchesStrategicMerge {
			values = append(values, secretsIn([]byte(p))...)
		}
	}
	for _, content := range s.files.contents {
		values = append(values, secretsIn(content)...)
	}
	slices.SortFunc(values, func(a, b string) int { return len(b) - len(a) })
	for _, value := range values {
		if len(value) >= minSecret {
			text = strings.ReplaceAll(text, value, redacted)
			text = strings.ReplaceAll(text, strings.Trim(fmt.Sprint([]byte(value)), "[]"), redacted)
			text = strings.ReplaceAll(text, base64.StdEncoding.EncodeToString([]byte(value)), redacted)
		}
	}
	return text
}

// content returns what was read of a file that a kustomization names; nothing if it was not.
func (s *scout) content(n *node, p string) []byte {
	return s.files.contents[s.files.resolve(filepath.Join(n.dir, p)).at]
}

// patchValues returns the values that the operations of a JSON patch set.
func patchValues(patch []byte) []string {
	var out []string
	for _, line := range strings.Split(string(patch), "\n") {
		if _, value, ok := strings.Cut(line, "value"); ok {
			out = append(out, strings.Trim(value, `"': {}[],`))
		}
	}
	return out
}

// lines returns a text, each of its lines, and what stands behind the first "=" of each.
func lines(content []byte) []string {
	out := []string{string(content)}
	for _, line := range strings.Split(string(content), "\n") {
		_, value, _ := strings.Cut(line, "=")
		out = append(out, strings.TrimSpace(line), strings.TrimSpace(value))
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
