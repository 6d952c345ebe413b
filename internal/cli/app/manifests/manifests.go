// SPDX-License-Identifier: Apache-2.0

// Package manifests is the verb `bowline app manifests`: what an application should be, or what it is.
package manifests

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/cli/app/spec"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/render"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Options are the flags.
type Options struct {
	Source    string
	Revision  string
	Revisions []string
	Positions []int64
	Names     []string
	Local     string
	// LocalSource is which of several sources Local stands in for, from 0.
	LocalSource int
}

// NewCmd returns the command. Without a renderer there is no --local.
func NewCmd(s *session.Session, renderer render.Renderer) *cobra.Command {
	opts := Options{}
	cmd := &cobra.Command{
		Use:   "manifests NAME",
		Short: "Show the manifests of an application: as its source has them, or as they are in the cluster",
		Example: command.Example(
			"bowline app manifests web",
			"bowline app manifests web --source live",
			"bowline app manifests web --revision v1.2.3",
			"bowline app manifests shop --revisions v1 --source-positions 1 --revisions v2 --source-positions 2"),
		Args: command.OneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := opts.check(cmd); err != nil {
				return err
			}
			found, err := opts.load(cmd.Context(), s, renderer, args[0])
			if err != nil {
				return err
			}
			return write(cmd.OutOrStdout(), found)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&opts.Source, "source", "git", "git (as the source has them) or live (as they are in the cluster)")
	flags.StringVar(&opts.Revision, "revision", "", "at this revision of the source")
	flags.StringArrayVar(&opts.Revisions, "revisions", nil, "at this revision of the source that --source-positions or --source-names name; may be repeated")
	flags.Int64SliceVar(&opts.Positions, "source-positions", nil, "which of several sources, counted from 1; may be repeated")
	flags.StringArrayVar(&opts.Names, "source-names", nil, "which of several sources, by its name; may be repeated")
	if renderer != nil {
		flags.StringVar(&opts.Local, "local", "", "what a folder of this disk renders to, in the place of the repository")
		flags.IntVar(&opts.LocalSource, "local-source", 0, "which of several sources --local stands in for, from 0")
	}
	return cmd
}

func (o *Options) check(cmd *cobra.Command) error {
	switch {
	case o.Source != "git" && o.Source != "live":
		return command.Usage(cmd, fmt.Sprintf("--source is %q and has to be git or live", o.Source))
	case o.Source == "live" && (o.Revision != "" || len(o.Revisions) > 0 || o.Local != ""):
		return command.Usage(cmd, "what is in the cluster has no revision: leave --revision, --revisions and --local out")
	}
	return CheckRevisions(cmd, o.Revisions, o.Positions, o.Names)
}

// CheckRevisions checks flags that give revisions to some of several sources.
func CheckRevisions(cmd *cobra.Command, revisions []string, positions []int64, names []string) error {
	switch given := max(len(positions), len(names)); {
	case len(positions) > 0 && len(names) > 0:
		return command.Usage(cmd, "say either --source-positions or --source-names")
	case given > 0 && given != len(revisions):
		return command.Usage(cmd, fmt.Sprintf("%d revisions are given for %d sources: say as many --revisions", len(revisions), given))
	}
	for _, position := range positions {
		if position < 1 {
			return command.Usage(cmd, "--source-positions counts from 1")
		}
	}
	return nil
}

// Positions returns the positions of sources that are given by their names.
func Positions(ctx context.Context, apps application.ApplicationService, namespace, name string, sources []string) ([]int64, error) {
	if len(sources) == 0 {
		return nil, nil
	}
	app, err := apps.Get(ctx, &application.ApplicationQuery{Name: name, AppNamespace: namespace})
	if err != nil {
		return nil, err
	}
	var out []int64
	for _, source := range sources {
		position, err := spec.Position(app, 0, source)
		if err != nil {
			return nil, fault.Wrap(fault.Mistake, "choose", "a source of application "+name, err, "see `bowline app get "+name+" -o yaml`")
		}
		out = append(out, int64(position))
	}
	return out, nil
}

// load returns the manifests, each as JSON.
func (o *Options) load(ctx context.Context, s *session.Session, renderer render.Renderer, name string) ([]string, error) {
	if o.Local != "" {
		return o.local(ctx, s, renderer, name)
	}
	services, err := s.Services(ctx)
	if err != nil {
		return nil, err
	}
	namespace, bare := s.Split(name)
	if o.Revision == "" && len(o.Revisions) == 0 {
		return o.managed(ctx, services, namespace, bare)
	}
	query := application.ApplicationManifestQuery{Name: bare, AppNamespace: namespace, Revision: o.Revision, Revisions: o.Revisions, SourcePositions: o.Positions}
	if len(o.Names) > 0 {
		if query.SourcePositions, err = Positions(ctx, services.Applications, namespace, bare, o.Names); err != nil {
			return nil, err
		}
	}
	answer, err := services.Applications.GetManifests(ctx, &query)
	if err != nil {
		return nil, err
	}
	return answer.Manifests, nil
}

// managed returns what was compared last: what is desired, or what is there.
func (o *Options) managed(ctx context.Context, services *client.Services, namespace, name string) ([]string, error) {
	answer, err := services.Applications.ManagedResources(ctx, &application.ResourcesQuery{ApplicationName: name, AppNamespace: namespace})
	if err != nil {
		return nil, err
	}
	var out []string
	for _, item := range answer.Items {
		state := item.TargetState
		if o.Source == "live" {
			state = item.LiveState
		}
		if state != "" && state != "null" {
			out = append(out, state)
		}
	}
	return out, nil
}

// local returns what a folder of this disk renders to.
func (o *Options) local(ctx context.Context, s *session.Session, renderer render.Renderer, name string) ([]string, error) {
	result, err := renderer.Render(ctx, render.Request{Session: s, Live: s.Qualified(name), Local: o.Local, LocalSource: o.LocalSource})
	if err != nil {
		return nil, err
	}
	var out []string
	for _, object := range result.Objects {
		text, err := json.Marshal(object.Content)
		if err != nil {
			return nil, fault.Wrap(fault.Bug, "write", "a manifest", err, "")
		}
		out = append(out, string(text))
	}
	return out, nil
}

func write(w io.Writer, manifests []string) error {
	for _, manifest := range manifests {
		text, err := yaml.JSONToYAML([]byte(manifest))
		if err != nil {
			return fault.Wrap(fault.Retry, "read", "a manifest", err, "")
		}
		if _, err := fmt.Fprintf(w, "---\n%s", text); err != nil {
			return err
		}
	}
	return nil
}
