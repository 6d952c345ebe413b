// SPDX-License-Identifier: Apache-2.0

package repository

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"

	rpcrepository "github.com/bowline-cd/bowline/api/argoproj/rpc/repository"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/settings"
	"github.com/bowline-cd/bowline/internal/tree"
)

// describeChart returns the value files beside a chart, its own values as they are written, and what its values come to with those
// files that the source names, each as a parameter.
func describeChart(ctx context.Context, in render.Input, dir string) (*rpcrepository.HelmAppSpec, error) {
	out := &rpcrepository.HelmAppSpec{}
	entries, err := in.Tree.List(ctx, dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if ext := path.Ext(e.Name); e.Mode != tree.Dir && strings.Contains(e.Name, "values") && (ext == ".yaml" || ext == ".yml") {
			out.ValueFiles = append(out.ValueFiles, e.Name)
		}
	}
	own, _, err := readFile(ctx, in.Tree, tree.Join(dir, "values.yaml"))
	if err != nil {
		return nil, err
	}
	out.Values = string(own)
	values, err := valuesOf("values.yaml", own)
	if err != nil {
		return nil, err
	}
	if in.Source.Helm != nil {
		if err := overlay(ctx, in, dir, values); err != nil {
			return nil, err
		}
	}
	out.Parameters = flatten("", values, nil)
	slices.SortFunc(out.Parameters, func(a, b v1alpha1.HelmParameter) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

// overlay adds the value files that the source names. Those that lie elsewhere, or are not there, are left out: what is shown
// are the defaults of a form.
func overlay(ctx context.Context, in render.Input, dir string, values map[string]any) error {
	for _, name := range in.Source.Helm.ValueFiles {
		at, ok := tree.Clean(tree.Join(dir, name))
		if strings.HasPrefix(name, "/") {
			at, ok = tree.Clean(name)
		}
		if !ok || strings.HasPrefix(name, "$") || strings.Contains(name, "://") {
			continue
		}
		content, there, err := readFile(ctx, in.Tree, at)
		if err != nil {
			return err
		}
		if !there {
			continue
		}
		more, err := valuesOf(name, content)
		if err != nil {
			return err
		}
		merge(values, more)
	}
	return nil
}

func valuesOf(name string, content []byte) (map[string]any, error) {
	values := map[string]any{}
	if err := yaml.Unmarshal(content, &values); err != nil {
		return nil, fault.New(fault.Mistake, "read", "the values of the chart", name, "it is not a YAML object", "correct it")
	}
	if values == nil {
		values = map[string]any{}
	}
	return values, nil
}

func merge(into, from map[string]any) {
	for key, value := range from {
		below, isMap := value.(map[string]any)
		if there, ok := into[key].(map[string]any); ok && isMap {
			merge(there, below)
			continue
		}
		into[key] = value
	}
}

// flatten writes values as parameters: a.b and a.list[0].
func flatten(prefix string, value any, out []v1alpha1.HelmParameter) []v1alpha1.HelmParameter {
	switch v := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			name := strings.ReplaceAll(key, ".", `\.`)
			if prefix != "" {
				name = prefix + "." + name
			}
			out = flatten(name, v[key], out)
		}
	case []any:
		for i, element := range v {
			out = flatten(prefix+"["+strconv.Itoa(i)+"]", element, out)
		}
	case nil:
	case float64:
		out = append(out, v1alpha1.HelmParameter{Name: prefix, Value: strconv.FormatFloat(v, 'f', -1, 64)})
	default:
		out = append(out, v1alpha1.HelmParameter{Name: prefix, Value: fmt.Sprint(v)})
	}
	return out
}

// describeKustomization returns the images of what a kustomization gives.
func (s *Service) describeKustomization(ctx context.Context, in render.Input) (*rpcrepository.KustomizeAppSpec, error) {
	rendered, err := s.Render(ctx, in)
	if err != nil {
		return nil, err
	}
	if len(rendered.Needs) > 0 {
		return nil, fault.Wrap(fault.Mistake, "find the images of", "the kustomization", errors.New("it is made of "+rendered.Needs[0].String()), "look at the manifests of the application")
	}
	found := map[string]bool{}
	for _, m := range rendered.Manifests {
		imagesOf(m.Object.Object, found)
	}
	return &rpcrepository.KustomizeAppSpec{Images: slices.Sorted(maps.Keys(found))}, nil
}

// imagesOf adds the images of containers, wherever an object has them.
func imagesOf(value any, found map[string]bool) {
	switch v := value.(type) {
	case map[string]any:
		for key, below := range v {
			if list, ok := below.([]any); ok && (key == "containers" || key == "initContainers") {
				for _, c := range list {
					if container, ok := c.(map[string]any); ok {
						if image, ok := container["image"].(string); ok && image != "" {
							found[image] = true
						}
					}
				}
			}
			imagesOf(below, found)
		}
	case []any:
		for _, element := range v {
			imagesOf(element, found)
		}
	}
}

// optionsOf are the settings that decide what a render gives.
func optionsOf(s *settings.Settings) render.Options {
	r := s.Rendering
	return render.Options{
		KustomizeBuildOptions: r.KustomizeBuildOptions, KustomizeVersions: r.KustomizeVersions, ValuesFileSchemes: r.ValuesFileSchemes,
		HelmOff: r.HelmOff, KustomizeOff: r.KustomizeOff, JsonnetOff: r.JsonnetOff,
	}
}
