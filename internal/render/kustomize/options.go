// SPDX-License-Identifier: Apache-2.0

package kustomize

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
)

// settingOptions is the setting that holds the build options.
const settingOptions = "kustomize.buildOptions"

// options are the build options in effect.
type options struct {
	helm, managedBy, unrestricted bool
	reorder                       krusty.ReorderOption
	// helmKube and helmAPI are what charts are told of the cluster unless they or the source say it themselves.
	helmKube string
	helmAPI  []string
	warnings []string
}

// flag is what is done about a flag of `kustomize build`.
type flag struct {
	// switched flags take no value unless it is written with "=".
	switched bool
	// refused says why the flag is not offered; ignored what happens instead.
	refused, ignored string
	set              func(o *options, value string) error
}

var flags = map[string]flag{
	"enable-helm":            {switched: true, set: setBool(func(o *options) *bool { return &o.helm })},
	"enable-managedby-label": {switched: true, set: setBool(func(o *options) *bool { return &o.managedBy })},
	"load-restrictor":        {set: setRestrictor},
	"reorder":                {set: setReorder},
	"helm-kube-version":      {set: func(o *options, value string) error { o.helmKube = value; return nil }},
	"helm-api-versions": {set: func(o *options, value string) error {
		o.helmAPI = append(o.helmAPI, strings.Split(value, ",")...)
		return nil
	}},
	"helm-command":         {ignored: "charts are rendered by the Helm library of this program"},
	"helm-debug":           {switched: true, ignored: "errors of charts always name their template"},
	"stack-trace":          {switched: true, ignored: "errors name file and field"},
	"enable-alpha-plugins": {switched: true, refused: "plugins are programs, and a render starts none"},
	"enable-exec":          {switched: true, refused: "it lets a repository start programs, and a render starts none"},
	"enable-star":          {switched: true, refused: "it lets a repository run functions, and a render runs none"},
	"as-current-user":      {switched: true, refused: "it is about functions in containers, and a render starts none"},
	"network":              {switched: true, refused: "a render has no network"},
	"network-name":         {refused: "a render has no network"},
	"mount":                {refused: "it is about functions in containers, and a render starts none"},
	"env":                  {refused: "a render has no environment; use the fields of the source"},
	"output":               {refused: "the output is what the application is made of"},
}

// short are the one-letter names.
var short = map[string]string{"e": "env", "o": "output"}

func setBool(field func(o *options) *bool) func(o *options, value string) error {
	return func(o *options, value string) error {
		on, err := strconv.ParseBool(value)
		if err != nil {
			return errors.New("its value has to be true or false")
		}
		*field(o) = on
		return nil
	}
}

func setRestrictor(o *options, value string) error {
	switch value {
	case types.LoadRestrictionsNone.String(), "none":
		o.unrestricted = true
	case types.LoadRestrictionsRootOnly.String(), "rootOnly":
		o.unrestricted = false
	default:
		return fmt.Errorf("its value has to be %s or %s", types.LoadRestrictionsRootOnly, types.LoadRestrictionsNone)
	}
	return nil
}

func setReorder(o *options, value string) error {
	o.reorder = krusty.ReorderOption(value)
	if o.reorder != krusty.ReorderOptionLegacy && o.reorder != krusty.ReorderOptionNone {
		return fmt.Errorf("its value has to be %s or %s", krusty.ReorderOptionLegacy, krusty.ReorderOptionNone)
	}
	return nil
}

// buildOptions returns the options that the installation sets for this source.
func buildOptions(in render.Input) (options, error) {
	text, setting := in.Options.KustomizeBuildOptions, settingOptions
	o := options{reorder: krusty.ReorderOptionUnspecified}
	if k := in.Source.Kustomize; k != nil && k.Version != "" {
		of, ok := in.Options.KustomizeVersions[k.Version]
		if !ok {
			return o, unknownVersion(in, k.Version)
		}
		if of != "" {
			text, setting = of, settingOptions+"."+k.Version
		}
	}
	if err := o.parse(strings.Fields(text)); err != nil {
		return o, &fault.Error{Kind: fault.Stalled, Op: "render", Thing: "with Kustomize", Where: "setting " + setting, Err: err,
			Fix: "change it in argocd-cm"}
	}
	return o, nil
}

func unknownVersion(in render.Input, version string) error {
	known := slices.Sorted(maps.Keys(in.Options.KustomizeVersions))
	fix := "remove the field, or set " + settingOptions + "." + version
	if len(known) > 0 {
		fix = "use one of " + strings.Join(known, ", ") + ", or remove the field"
	}
	return fault.New(fault.Mistake, "render", "with Kustomize", in.Field("kustomize.version"),
		fmt.Sprintf("no version %q of Kustomize is set up", version), fix)
}

// parse reads flags as the program would.
func (o *options) parse(words []string) error {
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		name, value, given, err := flagName(word)
		if err != nil {
			return err
		}
		f, ok := flags[name]
		switch {
		case !ok:
			return fmt.Errorf("kustomize build has no flag %s that is known here", word)
		case f.refused != "":
			return fmt.Errorf("--%s is not offered: %s", name, f.refused)
		case !given && f.switched:
			value = "true"
		case !given && len(words) == 0:
			return fmt.Errorf("--%s needs a value", name)
		case !given:
			value, words = words[0], words[1:]
		}
		if f.ignored != "" {
			o.warnings = append(o.warnings, fmt.Sprintf("setting %s: --%s does nothing: %s", settingOptions, name, f.ignored))
			continue
		}
		if err := f.set(o, value); err != nil {
			return fmt.Errorf("--%s %s: %w", name, value, err)
		}
	}
	return nil
}

func flagName(word string) (name, value string, given bool, err error) {
	if name, ok := strings.CutPrefix(word, "--"); ok {
		name, value, given = strings.Cut(name, "=")
		return name, value, given, nil
	}
	if name, ok := strings.CutPrefix(word, "-"); ok && name != "" {
		if long, ok := short[name[:1]]; ok {
			return long, "", false, nil
		}
		return name, "", false, nil
	}
	return "", "", false, fmt.Errorf("%q is no flag", word)
}
