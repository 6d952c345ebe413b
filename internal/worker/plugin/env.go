// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
)

// environment returns what a plugin's commands find in their environment, besides that of the sidecar: the build
// environment, then what the source says. Names that the source chooses get a prefix, so that nobody sets PATH or
// LD_PRELOAD in a sidecar. It is Argo CD's (user guide, "Build Environment", and "Using environment variables in your plugin").
func environment(ctx context.Context, in render.Input) ([]variable, error) {
	names := slices.Sorted(maps.Keys(in.Build))
	if in.Source.Plugin != nil {
		names = append(names, render.BuildKubeVersion, render.BuildAPIVersions)
	}
	var env []variable
	for _, name := range names {
		value, err := in.Variable(ctx, name)
		if err != nil {
			return nil, err
		}
		env = append(env, variable{name, value})
	}
	if in.Source.Plugin == nil {
		return env, nil
	}
	own, err := ownVariables(ctx, in)
	if err != nil {
		return nil, err
	}
	parameters, err := parameterVariables(in.Source.Plugin.Parameters)
	return append(append(env, own...), parameters...), err
}

// ownVariables are those of spec.source.plugin.env, with the build environment substituted in their values.
func ownVariables(ctx context.Context, in render.Input) ([]variable, error) {
	var env []variable
	for i, entry := range in.Source.Plugin.Env {
		if entry == nil {
			continue
		}
		where := in.Field("plugin.env[" + strconv.Itoa(i) + "]")
		if entry.Name == "" || strings.ContainsAny(entry.Name, "=\x00") {
			return nil, fault.New(fault.Mistake, "render", "the source", where+".name", fmt.Sprintf("%q is no name of an environment variable", entry.Name), "write letters, digits and underscores")
		}
		value, err := in.Substitute(ctx, entry.Value)
		if err != nil {
			return nil, err
		}
		env = append(env, variable{"ARGOCD_ENV_" + entry.Name, value})
	}
	return env, nil
}

// parameterVariables are the parameters, all together as JSON and each for itself.
func parameterVariables(parameters v1alpha1.ApplicationSourcePluginParameters) ([]variable, error) {
	text, err := json.Marshal(parameters)
	if err != nil {
		return nil, err
	}
	env := []variable{{"ARGOCD_APP_PARAMETERS", string(text)}}
	for _, p := range parameters {
		name := "PARAM_" + upperName(p.Name)
		if p.String_ != nil {
			env = append(env, variable{name, *p.String_})
		}
		for _, key := range slices.Sorted(maps.Keys(p.Map)) {
			env = append(env, variable{name + "_" + upperName(key), p.Map[key]})
		}
		for i, item := range p.Array {
			env = append(env, variable{name + "_" + strconv.Itoa(i), item})
		}
	}
	return env, nil
}

var notInNames = regexp.MustCompile(`[^A-Z0-9_]`)

func upperName(name string) string { return notInNames.ReplaceAllString(strings.ToUpper(name), "_") }
