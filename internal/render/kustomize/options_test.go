// SPDX-License-Identifier: Apache-2.0

package kustomize

import (
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/api/krusty"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
)

func TestBuildOptions(t *testing.T) {
	for _, c := range []struct {
		text  string
		check func(o options) bool
	}{
		{"", func(o options) bool {
			return !o.helm && !o.unrestricted && o.reorder == krusty.ReorderOptionUnspecified
		}},
		{"--enable-helm", func(o options) bool { return o.helm }},
		{"--enable-helm=false", func(o options) bool { return !o.helm }},
		{"--enable-helm --load-restrictor LoadRestrictionsNone", func(o options) bool { return o.helm && o.unrestricted }},
		{"--load-restrictor=LoadRestrictionsNone\n--enable-helm", func(o options) bool { return o.helm && o.unrestricted }},
		{"--load-restrictor none", func(o options) bool { return o.unrestricted }},
		{"--load-restrictor LoadRestrictionsRootOnly", func(o options) bool { return !o.unrestricted }},
		{"--reorder legacy", func(o options) bool { return o.reorder == krusty.ReorderOptionLegacy }},
		{"--reorder=none", func(o options) bool { return o.reorder == krusty.ReorderOptionNone }},
		{"--enable-managedby-label", func(o options) bool { return o.managedBy }},
		{"--helm-kube-version v1.30.0 --helm-api-versions a/v1,b/v1 --helm-api-versions c/v1", func(o options) bool {
			return o.helmKube == "v1.30.0" && slices.Equal(o.helmAPI, []string{"a/v1", "b/v1", "c/v1"})
		}},
		{"--helm-command /bin/sh", func(o options) bool {
			return len(o.warnings) == 1 && strings.Contains(o.warnings[0], "--helm-command does nothing")
		}},
		{"--stack-trace --helm-debug", func(o options) bool { return len(o.warnings) == 2 }},
	} {
		o, err := buildOptions(render.Input{Options: render.Options{KustomizeBuildOptions: c.text}})
		if err != nil || !c.check(o) {
			t.Errorf("%q: %+v, %v", c.text, o, err)
		}
	}
}

func TestBuildOptionsThatAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"--enable-alpha-plugins":        "--enable-alpha-plugins is not offered: plugins are programs",
		"--enable-alpha-plugins=true":   "--enable-alpha-plugins is not offered",
		"--enable-helm --enable-exec":   "--enable-exec is not offered",
		"--enable-star":                 "--enable-star is not offered",
		"--as-current-user":             "--as-current-user is not offered",
		"--network":                     "--network is not offered: a render has no network",
		"--network-name bridge":         "--network-name is not offered",
		"--mount type=bind,src=/,dst=/": "--mount is not offered",
		"-e SECRET":                     "--env is not offered",
		"--env=SECRET":                  "--env is not offered",
		"-o out.yaml":                   "--output is not offered",
		"--output out.yaml":             "--output is not offered",
		"--enable-everything":           "kustomize build has no flag --enable-everything",
		"-x":                            "kustomize build has no flag -x",
		"overlay":                       `"overlay" is no flag`,
		"--load-restrictor":             "--load-restrictor needs a value",
		"--load-restrictor Everything":  "--load-restrictor Everything: its value has to be LoadRestrictionsRootOnly or LoadRestrictionsNone",
		"--reorder alphabetical":        "its value has to be legacy or none",
		"--enable-helm=perhaps":         "its value has to be true or false",
		"--":                            "kustomize build has no flag --",
	} {
		_, err := buildOptions(render.Input{Options: render.Options{KustomizeBuildOptions: text}})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "kustomize.buildOptions") || !fault.Is(err, fault.Stalled) {
			t.Errorf("%q: %v, want one that says %q", text, err, want)
		}
	}
}

func TestVersionsOfKustomize(t *testing.T) {
	in := render.Input{
		Source:  v1alpha1.ApplicationSource{Kustomize: &v1alpha1.ApplicationSourceKustomize{Version: "v4.5.7"}},
		Options: render.Options{KustomizeBuildOptions: "--enable-helm", KustomizeVersions: map[string]string{"v4.5.7": "--reorder none", "v3.9.4": ""}},
	}
	o, err := buildOptions(in)
	if err != nil || o.helm || o.reorder != krusty.ReorderOptionNone {
		t.Errorf("its options stand in place of the general ones: %+v, %v", o, err)
	}
	in.Source.Kustomize.Version = "v3.9.4"
	if o, err = buildOptions(in); err != nil || !o.helm {
		t.Errorf("a version without options has the general ones: %+v, %v", o, err)
	}
	in.Source.Kustomize.Version = "v9"
	_, err = buildOptions(in)
	if err == nil || !strings.Contains(err.Error(), `spec.source.kustomize.version: no version "v9" of Kustomize is set up; use one of v3.9.4, v4.5.7, or remove the field`) {
		t.Error(err)
	}
	in.Options.KustomizeVersions = nil
	if _, err = buildOptions(in); err == nil || !strings.Contains(err.Error(), "set kustomize.buildOptions.v9") {
		t.Error(err)
	}
}
