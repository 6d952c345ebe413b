// SPDX-License-Identifier: Apache-2.0

package spec

import (
	"errors"
	"reflect"
	"slices"

	"github.com/spf13/pflag"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// Unset are the flags of `bowline app unset`: what to take out of a source.
type Unset struct {
	Parameters, ValueFiles, Images, Replicas, PluginEnvs []string

	ValuesLiteral, IgnoreMissingValueFiles, PassCredentials                        bool
	NamePrefix, NameSuffix, Version, Namespace, IgnoreMissingComponents, SourceRef bool
}

// Bind adds the flags.
func (u *Unset) Bind(flags *pflag.FlagSet) {
	flags.StringArrayVarP(&u.Parameters, "parameter", "p", nil, "parameter of Helm to unset; may be repeated")
	flags.StringArrayVar(&u.ValueFiles, "values", nil, "value file of Helm to unset; may be repeated")
	flags.BoolVar(&u.ValuesLiteral, "values-literal", false, "unset the values of Helm")
	flags.BoolVar(&u.IgnoreMissingValueFiles, "ignore-missing-value-files", false, "no longer pass over value files that do not exist")
	flags.BoolVar(&u.PassCredentials, "pass-credentials", false, "no longer send the credentials of the repository to other hosts")
	flags.BoolVar(&u.NamePrefix, "nameprefix", false, "unset the name prefix of Kustomize")
	flags.BoolVar(&u.NameSuffix, "namesuffix", false, "unset the name suffix of Kustomize")
	flags.BoolVar(&u.Version, "kustomize-version", false, "unset the version of Kustomize")
	flags.BoolVar(&u.Namespace, "kustomize-namespace", false, "unset the namespace of Kustomize")
	flags.StringArrayVar(&u.Images, "kustomize-image", nil, "name of an image of Kustomize to unset; may be repeated")
	flags.StringArrayVar(&u.Replicas, "kustomize-replica", nil, "name whose replicas to unset; may be repeated")
	flags.BoolVar(&u.IgnoreMissingComponents, "ignore-missing-components", false, "no longer pass over components that do not exist")
	flags.StringArrayVar(&u.PluginEnvs, "plugin-env", nil, "name of an environment variable of the plugin to unset; may be repeated")
	flags.BoolVar(&u.SourceRef, "ref", false, "unset the name by which other sources refer to this one")
}

// Apply takes out of a source of an application what the flags name. It reports whether anything was there; without any
// flag it is an error.
func (u *Unset) Apply(app *v1alpha1.Application, position int) (changed bool, err error) {
	if reflect.ValueOf(*u).IsZero() {
		return false, errors.New("say with flags what to unset")
	}
	source, err := at(&app.Spec, position)
	if err != nil {
		return false, err
	}
	before := source.DeepCopy()
	u.from(source)
	trim(source)
	return !reflect.DeepEqual(before, source), nil
}

func (u *Unset) from(s *source) {
	clearIf(u.SourceRef, &s.Ref)
	if h := s.Helm; h != nil {
		h.Parameters = without(h.Parameters, u.Parameters, func(p v1alpha1.HelmParameter) string { return p.Name })
		h.ValueFiles = without(h.ValueFiles, u.ValueFiles, func(file string) string { return file })
		clearIf(u.ValuesLiteral, &h.Values)
		clearIf(u.ValuesLiteral, &h.ValuesObject)
		clearIf(u.IgnoreMissingValueFiles, &h.IgnoreMissingValueFiles)
		clearIf(u.PassCredentials, &h.PassCredentials)
	}
	if k := s.Kustomize; k != nil {
		clearIf(u.NamePrefix, &k.NamePrefix)
		clearIf(u.NameSuffix, &k.NameSuffix)
		clearIf(u.Version, &k.Version)
		clearIf(u.Namespace, &k.Namespace)
		clearIf(u.IgnoreMissingComponents, &k.IgnoreMissingComponents)
		k.Images = without(k.Images, u.Images, imageName)
		k.Replicas = without(k.Replicas, u.Replicas, func(r v1alpha1.KustomizeReplica) string { return r.Name })
	}
	if p := s.Plugin; p != nil {
		p.Env = without(p.Env, u.PluginEnvs, func(e *v1alpha1.EnvEntry) string { return e.Name })
	}
}

func clearIf[T any](asked bool, field *T) {
	if asked {
		*field = *new(T)
	}
}

// without returns the list without the elements of these names; nil once it is empty.
func without[S ~[]T, T any](list S, names []string, name func(T) string) S {
	list = slices.DeleteFunc(list, func(element T) bool { return slices.Contains(names, name(element)) })
	if len(list) == 0 {
		return nil
	}
	return list
}

// Position returns the position of the source that --source-position or --source-name mean; 0 is the only source.
func Position(app *v1alpha1.Application, position int, name string) (int, error) {
	switch {
	case name != "" && position > 0:
		return 0, errors.New("say either --source-position or --source-name")
	case name != "":
		for i, s := range app.Spec.Sources {
			if s.Name == name {
				return i + 1, nil
			}
		}
		return 0, errors.New("the application has no source named " + name)
	case len(app.Spec.Sources) == 0:
		return 0, nil
	}
	_, err := at(&app.Spec, position)
	return position, err
}
