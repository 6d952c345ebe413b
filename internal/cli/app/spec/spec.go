// SPDX-License-Identifier: Apache-2.0

// Package spec turns flags into the spec of an application: those of `bowline app create`, `set`, `unset`, `add-source`
// and `bowline admin app generate-spec`. The flags are those that people know from argocd.
//
// The words of this package:
//
//   - Change: what one flag that was given does to a source or a spec. A flag that was not given changes nothing.
//   - Position: which of several sources is meant; counting starts at 1, and 0 is the only source.
package spec

import (
	"context"
	"fmt"
	"reflect"

	"github.com/spf13/pflag"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// Flags are the flags of a spec on one set of flags.
type Flags struct {
	// Validate is the flag --validate: whether the server is to check the spec against the repository and the cluster.
	Validate bool
	// SourceName is the flag --source-name.
	SourceName string

	set        *pflag.FlagSet
	source     []change[v1alpha1.ApplicationSource]
	hydrator   []change[v1alpha1.SourceHydrator]
	spec       []change[v1alpha1.ApplicationSpec]
	parameters []string
	literal    string
	// read reads the file of --values-literal-file.
	read func(ctx context.Context, path string) ([]byte, error)
}

// change is what the flag of a name does.
type change[T any] struct {
	flag  string
	apply func(ctx context.Context, into *T) error
}

// New adds the flags to set. read reads a file or URL that a flag names.
func New(set *pflag.FlagSet, read func(ctx context.Context, path string) ([]byte, error)) *Flags {
	f := &Flags{set: set, read: read}
	set.BoolVar(&f.Validate, "validate", true, "have the server check the spec against the repository and the cluster")
	set.StringVar(&f.SourceName, "source-name", "", "name of the source among several")
	set.StringArrayVarP(&f.parameters, "parameter", "p", nil, "set a Helm parameter, as NAME=VALUE; may be repeated")
	f.bindSource()
	f.bindHelm()
	f.bindKustomize()
	f.bindDirectory()
	f.bindHydrator()
	f.bindSpec()
	f.bindPolicy()
	return f
}

// Apply changes the spec of an application as the flags say; position is 0 for the only source. It reports whether any flag was given.
func (f *Flags) Apply(ctx context.Context, app *v1alpha1.Application, position int) (given bool, err error) {
	if err := f.applySources(ctx, app, position); err != nil {
		return false, err
	}
	if _, err := apply(ctx, f.set, f.spec, &app.Spec); err != nil {
		return false, err
	}
	trimPolicy(&app.Spec)
	return f.given(), nil
}

// given reports whether any flag of the spec was given.
func (f *Flags) given() bool {
	named := func(flags ...string) bool {
		for _, name := range flags {
			if f.set.Changed(name) {
				return true
			}
		}
		return false
	}
	return named(names(f.source)...) || named(names(f.hydrator)...) || named(names(f.spec)...) || named("parameter")
}

func names[T any](changes []change[T]) []string {
	var out []string
	for _, c := range changes {
		out = append(out, c.flag)
	}
	return out
}

// applySources changes either the hydrator or the source of a position: an application with one has no other.
func (f *Flags) applySources(ctx context.Context, app *v1alpha1.Application, position int) error {
	hydrator := app.Spec.SourceHydrator
	if hydrator == nil {
		hydrator = &v1alpha1.SourceHydrator{}
	}
	if changed, err := apply(ctx, f.set, f.hydrator, hydrator); err != nil {
		return err
	} else if changed {
		app.Spec.SourceHydrator = hydrator
		return nil
	}
	source, err := at(&app.Spec, position)
	if err != nil {
		return err
	}
	return f.Source(ctx, source, app.Status.SourceType)
}

// at returns the source of a position; an application without sources gets one.
func at(spec *v1alpha1.ApplicationSpec, position int) (*v1alpha1.ApplicationSource, error) {
	if len(spec.Sources) > 0 {
		if position < 1 || position > len(spec.Sources) {
			return nil, fmt.Errorf("the application has %d sources: say which one with --source-position or --source-name", len(spec.Sources))
		}
		return &spec.Sources[position-1], nil
	}
	if spec.Source == nil {
		spec.Source = &v1alpha1.ApplicationSource{}
	}
	return spec.Source, nil
}

// Source changes a source as the flags say. known is the tool that the source was last rendered with, "" if it never was.
func (f *Flags) Source(ctx context.Context, source *v1alpha1.ApplicationSource, known v1alpha1.ApplicationSourceType) error {
	if _, err := apply(ctx, f.set, f.source, source); err != nil {
		return err
	}
	if err := f.setParameters(source, known); err != nil {
		return err
	}
	trim(source)
	return nil
}

// apply runs the changes whose flags were given, and reports whether there was any.
func apply[T any](ctx context.Context, set *pflag.FlagSet, changes []change[T], into *T) (given bool, err error) {
	for _, c := range changes {
		if !set.Changed(c.flag) {
			continue
		}
		given = true
		if err := c.apply(ctx, into); err != nil {
			return true, fmt.Errorf("--%s: %w", c.flag, err)
		}
	}
	return given, nil
}

// trim takes out the settings of tools that say nothing, so that they do not choose the tool.
func trim(source *v1alpha1.ApplicationSource) {
	source.Helm = unlessEmpty(source.Helm)
	source.Kustomize = unlessEmpty(source.Kustomize)
}

func unlessEmpty[T any](value *T) *T {
	if value == nil || reflect.ValueOf(*value).IsZero() {
		return nil
	}
	return value
}
