// SPDX-License-Identifier: Apache-2.0

// Package get is the verb `bowline app get`.
package get

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/cli/app/resources"
	"github.com/bowline-cd/bowline/internal/cli/app/spec"
	"github.com/bowline-cd/bowline/internal/cli/app/view"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Options are the flags.
type Options struct {
	Refresh, HardRefresh  bool
	Parameters, Operation bool
	Position              int
	Source                string
	Timeout               command.Timeout
	Output                output.Format
}

// NewCmd returns the command. Without a drawer there is no tree.
func NewCmd(s *session.Session, drawer resources.Drawer) *cobra.Command {
	opts := Options{}
	cmd := &cobra.Command{
		Use:   "get NAME",
		Short: "Show one application: how it stands, its last operation, its resources",
		Example: command.Example(
			"bowline app get web",
			"bowline app get web --refresh -o json"),
		Args: command.OneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(cmd.Context(), s, drawer, opts, args[0], cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&opts.Refresh, "refresh", false, "compare now, and show the outcome")
	flags.BoolVar(&opts.HardRefresh, "hard-refresh", false, "render anew and compare now, and show the outcome")
	flags.Var(&opts.Timeout, "timeout", "how long to wait for a refresh (default: no limit)")
	flags.BoolVar(&opts.Operation, "show-operation", true, "show the running or last operation")
	flags.BoolVar(&opts.Parameters, "show-params", false, "show the parameters of Helm")
	flags.IntVar(&opts.Position, "source-position", -1, "with --show-params: which of several sources, counted from 1 (default: all)")
	flags.StringVar(&opts.Source, "source-name", "", "with --show-params: which of several sources, by its name")
	formats := []output.Format{output.Wide, output.Name, output.JSON, output.YAML}
	if drawer != nil {
		formats = append(formats, resources.Tree, resources.Detailed)
	}
	output.Flag(flags, &opts.Output, formats...)
	return cmd
}

func run(ctx context.Context, s *session.Session, drawer resources.Drawer, opts Options, name string, w io.Writer) error {
	app, err := fetch(ctx, s, opts, name)
	if err != nil {
		return err
	}
	switch opts.Output {
	case output.Wide, resources.Tree, resources.Detailed:
		return show(ctx, s, drawer, opts, app, w)
	}
	return view.Show(w, opts.Output, app)
}

// show writes an application for people, with its resources as a list or as a tree.
func show(ctx context.Context, s *session.Session, drawer resources.Drawer, opts Options, app *v1alpha1.Application, w io.Writer) error {
	sources, err := opts.sources(app)
	if err != nil {
		return err
	}
	view.Summary(w, app)
	view.Conditions(w, app)
	if opts.Operation {
		view.Operation(w, app)
	}
	if opts.Parameters {
		view.Parameters(w, sources)
	}
	if opts.Output == output.Wide {
		view.Resources(w, app)
		return nil
	}
	name := app.Namespace + "/" + app.Name
	tree, err := drawer.Draw(ctx, resources.Request{Session: s, Name: name})
	if err != nil {
		return err
	}
	fmt.Fprintln(w)
	if err := resources.Show(w, opts.Output, tree, s.Now()); err != nil {
		return err
	}
	return tree.Incomplete(name)
}

// sources are those whose parameters are asked for.
func (o Options) sources(app *v1alpha1.Application) ([]v1alpha1.ApplicationSource, error) {
	all := client.Sources(app)
	if o.Source == "" && o.Position < 1 {
		return all, nil
	}
	position, err := spec.Position(app, o.Position, o.Source)
	if err != nil {
		return nil, fault.Wrap(fault.Mistake, "show", "parameters of application "+app.Name, err, "see `bowline app get "+app.Name+" -o yaml`")
	}
	return all[max(position, 1)-1 : max(position, 1)], nil
}

func fetch(ctx context.Context, s *session.Session, opts Options, name string) (*v1alpha1.Application, error) {
	c, err := s.Client()
	if err != nil {
		return nil, err
	}
	name = s.Qualified(name)
	how := v1alpha1.RefreshTypeNormal
	switch {
	case opts.HardRefresh:
		how = v1alpha1.RefreshTypeHard
	case !opts.Refresh:
		return c.Get(ctx, name)
	}
	ctx, cancel := session.Limit(ctx, time.Duration(opts.Timeout))
	defer cancel()
	return c.Refresh(ctx, name, how)
}
