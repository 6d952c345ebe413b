// SPDX-License-Identifier: Apache-2.0

package helm

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/strvals"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

// sourceValues lays the values of a source over each other, from the lowest to the highest: value files in their order,
// then values or valuesObject, then parameters (typed, then forced to strings, then from files). What has to be fetched
// first becomes a need, and its values are left out.
func (j *job) sourceValues(ctx context.Context, s *v1alpha1.ApplicationSourceHelm) error {
	files, err := j.valueFiles(ctx, s)
	if err != nil {
		return err
	}
	values := map[string]any{}
	for _, f := range files {
		layer, err := loader.LoadValues(bytes.NewReader(f.data))
		if err != nil {
			return j.badValues(f.at, err)
		}
		values = loader.MergeMaps(values, layer)
	}
	inline, field := []byte(s.Values), j.in.Field("helm.values")
	if s.ValuesObject != nil {
		field = j.in.Field("helm.valuesObject")
		if inline, err = yaml.JSONToYAML(s.ValuesObject.Raw); err != nil {
			return j.badValues(field, err)
		}
	}
	layer, err := loader.LoadValues(bytes.NewReader(inline))
	if err != nil {
		return j.badValues(field, err)
	}
	values = loader.MergeMaps(values, layer)
	if err := j.parameters(ctx, s.Parameters, values); err != nil {
		return err
	}
	if err := j.fileParameters(ctx, s.FileParameters, values); err != nil {
		return err
	}
	j.release.Values = append(j.release.Values, values)
	return nil
}

func (j *job) badValues(where string, err error) error {
	return &fault.Error{Kind: fault.Mistake, Op: "read", Thing: "the values", Where: where, Err: withoutValues(err), Fix: "write them as a YAML mapping"}
}

// parameters sets single values, as --set and --set-string do. Of two of the same name the later counts, and a forced
// string over one that is not.
func (j *job) parameters(ctx context.Context, list []v1alpha1.HelmParameter, values map[string]any) error {
	for _, forced := range []bool{false, true} {
		for i, p := range list {
			later := func(o v1alpha1.HelmParameter) bool { return o.Name == p.Name && o.ForceString == forced }
			if p.ForceString != forced || slices.ContainsFunc(list[i+1:], later) {
				continue
			}
			value, err := j.in.Substitute(ctx, p.Value)
			if err != nil {
				return err
			}
			set := strvals.ParseInto
			if forced {
				set = strvals.ParseIntoString
			}
			if err := set(p.Name+"="+escapeCommas(value), values); err != nil {
				return j.badParameter("helm.parameters", p.Name, err)
			}
		}
	}
	return nil
}

// fileParameters sets single values to the content of files, as --set-file does.
func (j *job) fileParameters(ctx context.Context, list []v1alpha1.HelmFileParameter, values map[string]any) error {
	for i, p := range list {
		if slices.ContainsFunc(list[i+1:], func(o v1alpha1.HelmFileParameter) bool { return o.Name == p.Name }) {
			continue
		}
		field := j.in.Field(fmt.Sprintf("helm.fileParameters[%d].path", i))
		at, err := j.place(ctx, p.Path, field)
		if err != nil {
			return err
		}
		f, found, err := j.readPlace(ctx, at)
		switch {
		case err != nil:
			return err
		case at.waiting:
			continue
		case !found:
			return j.noFile(at, "correct the path")
		}
		content := func([]rune) (any, error) { return string(f.data), nil }
		if err := strvals.ParseIntoFile(p.Name+"=file", values, content); err != nil {
			return j.badParameter("helm.fileParameters", p.Name, err)
		}
	}
	return nil
}

func (j *job) badParameter(field, name string, err error) error {
	return fault.New(fault.Mistake, "render", j.thing(), j.in.Field(field), fmt.Sprintf("parameter %q cannot be set: %v", name, err),
		"write the name as in `helm template --set`, such as image.tag or list[0]")
}

// escapeCommas keeps a value with commas one value, unless it is written as a list in braces, as Argo CD does.
func escapeCommas(value string) string {
	if strings.HasPrefix(value, "{") && strings.HasSuffix(value, "}") {
		return value
	}
	var b strings.Builder
	for i := range len(value) {
		if value[i] == ',' && (i == 0 || value[i-1] != '\\') {
			b.WriteByte('\\')
		}
		b.WriteByte(value[i])
	}
	return b.String()
}
