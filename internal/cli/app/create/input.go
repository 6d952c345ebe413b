// SPDX-License-Identifier: Apache-2.0

package create

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	yamlutil "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/app/spec"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Input are the flags that describe an application.
type Input struct {
	// File is a file, a URL or "-" with applications; what flags say is laid over those of a file.
	File string
	// Spec are the flags of the spec.
	Spec *spec.Flags

	name                string
	labels, annotations []string
	finalizer           bool
}

// Bind adds the flags to a command.
func Bind(cmd *cobra.Command) *Input {
	flags := cmd.Flags()
	in := &Input{Spec: spec.New(flags, func(ctx context.Context, path string) ([]byte, error) { return command.Read(ctx, cmd, path) })}
	flags.StringVarP(&in.File, "file", "f", "", "file or URL with the application, or - for standard input")
	flags.StringVar(&in.name, "name", "", "name of the application, instead of the argument")
	flags.StringArrayVarP(&in.labels, "label", "l", nil, "label of the application, as NAME=VALUE; may be repeated")
	flags.StringArrayVar(&in.annotations, "annotations", nil, "annotation of the application, as NAME=VALUE; may be repeated")
	flags.BoolVar(&in.finalizer, "set-finalizer", false, "have the objects deleted together with the application")
	_ = cmd.MarkFlagFilename("file", "yaml", "yml", "json") // it fails only for a flag that is not there
	return in
}

// Applications returns the applications that the flags and the arguments of a command describe, at least one.
func (in *Input) Applications(cmd *cobra.Command, args []string) ([]*v1alpha1.Application, error) {
	name := in.name
	if len(args) == 1 {
		if name != "" && name != args[0] {
			return nil, command.Usage(cmd, fmt.Sprintf("the name is %q as an argument and %q as --name", args[0], name))
		}
		name = args[0]
	}
	apps := []*v1alpha1.Application{{}}
	if in.File != "" {
		var err error
		if apps, err = in.read(cmd); err != nil {
			return nil, err
		}
	}
	for _, app := range apps {
		if err := in.complete(cmd, app, name); err != nil {
			return nil, command.Usage(cmd, err.Error())
		}
	}
	return apps, nil
}

// complete lays what flags say over an application.
func (in *Input) complete(cmd *cobra.Command, app *v1alpha1.Application, name string) error {
	app.SetGroupVersionKind(v1alpha1.ApplicationSchemaGroupVersionKind)
	if err := rename(app, name, in.File != "" && in.name == ""); err != nil {
		return err
	}
	labels, err := spec.Pairs(in.labels)
	if err != nil {
		return fmt.Errorf("--label: %w", err)
	}
	annotations, err := spec.Pairs(in.annotations)
	if err != nil {
		return fmt.Errorf("--annotations: %w", err)
	}
	overlay(&app.ObjectMeta, labels, annotations)
	if in.finalizer && !slices.Contains(app.Finalizers, v1alpha1.ResourcesFinalizerName) {
		app.Finalizers = append(app.Finalizers, v1alpha1.ResourcesFinalizerName)
	}
	if len(app.Spec.Sources) > 0 { // which of them flags would mean nobody can say
		return nil
	}
	_, err = in.Spec.Apply(cmd.Context(), app, 0)
	return err
}

// rename gives an application its name. One from a file keeps its own, and an argument has to agree with it.
func rename(app *v1alpha1.Application, name string, keep bool) error {
	if namespace, bare, ok := strings.Cut(name, "/"); ok {
		app.Namespace, name = namespace, bare
	}
	switch {
	case name == "" && app.Name == "":
		return errors.New("the application has no name")
	case name != "" && keep && app.Name != "" && app.Name != name:
		return fmt.Errorf("the name is %q as an argument and %q in the file", name, app.Name)
	case name != "":
		app.Name = name
	}
	return nil
}

func overlay(meta *metav1.ObjectMeta, labels, annotations map[string]string) {
	if len(labels) > 0 {
		meta.Labels = merged(meta.Labels, labels)
	}
	if len(annotations) > 0 {
		meta.Annotations = merged(meta.Annotations, annotations)
	}
}

func merged(below, over map[string]string) map[string]string {
	out := maps.Clone(below)
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, over)
	return out
}

// read reads the applications of the file. A field that is none of an application's is a mistake.
func (in *Input) read(cmd *cobra.Command) ([]*v1alpha1.Application, error) {
	data, err := command.Read(cmd.Context(), cmd, in.File)
	if err != nil {
		return nil, err
	}
	apps, err := Parse(data)
	if err != nil {
		return nil, fault.Wrap(fault.Mistake, "read", "applications of "+in.File, err, "write applications of "+v1alpha1.ApplicationSchemaGroupVersionKind.GroupVersion().String())
	}
	return apps, nil
}

// Parse reads applications from YAML or JSON documents, at least one.
func Parse(data []byte) ([]*v1alpha1.Application, error) {
	var apps []*v1alpha1.Application
	documents := yamlutil.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	for n := 1; ; n++ {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		app := &v1alpha1.Application{}
		if err := yaml.UnmarshalStrict(document, app); err != nil {
			return nil, fmt.Errorf("document %d: %w", n, err)
		}
		if saysNothing(app) {
			continue
		}
		if app.Kind != "" && app.Kind != v1alpha1.ApplicationSchemaGroupVersionKind.Kind {
			return nil, fmt.Errorf("document %d is of kind %s", n, app.Kind)
		}
		apps = append(apps, app)
	}
	if len(apps) == 0 {
		return nil, errors.New("it holds no application")
	}
	return apps, nil
}

// saysNothing reports whether a document said nothing: a comment, or nothing between two separators.
func saysNothing(app *v1alpha1.Application) bool {
	return app.Kind == "" && app.Name == "" && app.Spec.Source == nil && len(app.Spec.Sources) == 0
}
