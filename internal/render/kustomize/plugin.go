// SPDX-License-Identifier: Apache-2.0

package kustomize

import (
	"errors"
	"fmt"
	"strings"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
)

// builtin is the apiVersion of the configuration of what is part of Kustomize.
const builtin = "builtin"

// pathFields are the fields of builtin generators and transformers that name files. In a configuration that is an object
// of its own they may be paths, but no addresses: nothing rewrites them.
var pathFields = map[string][]string{
	"ConfigMapGenerator":             {"files", "envs", "env"},
	"SecretGenerator":                {"files", "envs", "env"},
	"PatchTransformer":               {"path"},
	"PatchJson6902Transformer":       {"path"},
	"PatchStrategicMergeTransformer": {"paths"},
	"ReplacementTransformer":         {"replacements.path"},
	"ValueAddTransformer":            {"targetFilePath"},
}

// plugins checks the objects of a kustomization that configure generators, transformers or validators. all is true if
// every one of its objects does.
func (s *scout) plugins(n *node, all bool) error {
	for _, e := range n.objects {
		if !e.plugins && !all || !s.files.isFile(e.at) {
			continue
		}
		content, err := s.files.ReadFile(e.at)
		if err != nil {
			return s.unreadable(n, e.field, err)
		}
		if err := s.plugin(n, e.field, content); err != nil {
			return err
		}
	}
	return nil
}

// plugin checks configurations of generators, transformers or validators. What does not parse is left to the library.
func (s *scout) plugin(n *node, field string, content []byte) error {
	docs, err := object.ParseYAML("", content)
	if err != nil {
		return nil // the library says what is wrong, in its own words
	}
	for _, doc := range docs {
		if err := s.pluginDocument(n, field, doc.Data); err != nil {
			return err
		}
	}
	return nil
}

func (s *scout) pluginDocument(n *node, field string, doc map[string]any) error {
	version, _ := doc["apiVersion"].(string)
	kind, _ := doc["kind"].(string)
	switch {
	case kind == "HelmChartInflationGenerator" && version == builtin:
		err := s.refused(n, field, errors.New("a HelmChartInflationGenerator in a file of its own would start helm"))
		err.Fix = "write the chart into the field helmCharts of the kustomization"
		return err
	case kind != "" && version != "" && version != builtin:
		err := s.refused(n, field, fmt.Errorf("%s of %s is a plugin, and a render starts no programs", kind, version))
		err.Fix = "use what Kustomize has builtin, or a config management plugin"
		return err
	}
	for _, name := range pathFields[kind] {
		for _, p := range texts(doc, strings.Split(name, ".")) {
			_, value, _ := strings.Cut(p, "=")
			if looksWeb(p) || looksWeb(value) {
				err := s.refused(n, field, fmt.Errorf("its field %s is an address", name))
				err.Fix = "put the file into the repository, or use the field of the kustomization that does the same"
				return err
			}
		}
	}
	return nil
}

// checkConfigs checks what folders with configurations of plugins give once they are built: a patch in them could have put
// in what the files do not hold.
func (s *scout) checkConfigs() error {
	for _, dir := range s.configs {
		m, err := s.run(dir)
		if err != nil {
			return err
		}
		for _, r := range m.Resources() {
			doc, err := plain(r)
			if err != nil {
				return fault.Wrap(fault.Bug, "read", "what Kustomize gave", err, "report it")
			}
			if err := s.pluginDocument(s.nodes[dir], "what it configures", doc); err != nil {
				return err
			}
		}
	}
	return nil
}

// texts returns the texts at a path of keys, in lists too.
func texts(v any, keys []string) []string {
	switch v := v.(type) {
	case []any:
		var out []string
		for _, element := range v {
			out = append(out, texts(element, keys)...)
		}
		return out
	case map[string]any:
		if len(keys) > 0 {
			return texts(v[keys[0]], keys[1:])
		}
	case string:
		if len(keys) == 0 {
			return []string{v}
		}
	}
	return nil
}
