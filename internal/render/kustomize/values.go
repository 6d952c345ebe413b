// SPDX-License-Identifier: Apache-2.0

package kustomize

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"path/filepath"

	"helm.sh/helm/v4/pkg/chart/v2/loader"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
	"sigs.k8s.io/kustomize/kyaml/yaml/merge2"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/internal/tree"
)

// values returns what goes over the chart's own values: the values file, by itself the chart's, merged with the inline
// ones, and then the additional files.
func (s *scout) values(n *node, c *chart) ([]map[string]any, error) {
	at := path.Join(c.at, "values.yaml")
	if c.ValuesFile != "" {
		at = filepath.Join(n.dir, c.ValuesFile)
	}
	base, err := s.readValues(n, c, at, c.ValuesFile == "")
	if err != nil {
		return nil, err
	}
	layers := make([]map[string]any, 0, 1+len(c.AdditionalValuesFiles))
	first, err := mergeValues(c, base)
	if err != nil {
		return nil, s.refused(n, c.field, fmt.Errorf("its values do not fit together: %w", err))
	}
	layers = append(layers, first)
	for _, file := range c.AdditionalValuesFiles {
		content, err := s.readValues(n, c, filepath.Join(n.dir, file), false)
		if err != nil {
			return nil, err
		}
		layer, err := loader.LoadValues(bytes.NewReader(content))
		if err != nil {
			return nil, s.refused(n, c.field, fmt.Errorf("%s holds no values: %w", file, err))
		}
		layers = append(layers, layer)
	}
	return layers, nil
}

// readValues reads a values file; a chart's own may be absent.
func (s *scout) readValues(n *node, c *chart, at string, optional bool) ([]byte, error) {
	if found := s.files.resolve(at); optional && errors.Is(found.err, tree.ErrAbsent) {
		return nil, nil
	}
	content, err := s.files.ReadFile(at)
	if err != nil {
		return nil, s.unreadable(n, c.field, err)
	}
	return content, nil
}

// mergeValues merges inline values with a values file by the rules of valuesMerge.
func mergeValues(c *chart, base []byte) (map[string]any, error) {
	if len(c.ValuesInline) == 0 {
		return loader.LoadValues(bytes.NewReader(base))
	}
	if c.ValuesMerge == "replace" {
		return throughYAML(c.ValuesInline)
	}
	file, err := kyaml.Parse(string(base))
	if err != nil {
		return nil, err
	}
	inline, err := kyaml.FromMap(c.ValuesInline)
	if err != nil {
		return nil, err
	}
	over, under := inline, file
	if c.ValuesMerge == "merge" {
		over, under = file, inline
	}
	merged, err := merge2.Merge(over, under.Copy(), kyaml.MergeOptions{})
	if err != nil {
		return nil, err
	}
	values, err := merged.Map()
	if err != nil {
		return nil, err
	}
	return throughYAML(values)
}

// throughYAML brings values into the types that a values file gives.
func throughYAML(values map[string]any) (map[string]any, error) {
	text, err := yaml.Marshal(values)
	if err != nil {
		return nil, err
	}
	return loader.LoadValues(bytes.NewReader(text))
}
