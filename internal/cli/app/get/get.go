// SPDX-License-Identifier: Apache-2.0

// Package get is the verb `bowline app get`.
package get

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/app/view"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/session"
)

// Options are the flags.
type Options struct {
	Refresh, HardRefresh bool
	Timeout              command.Timeout
	Output               output.Format
}

// NewCmd returns the command.
func NewCmd(s *session.Session) *cobra.Command {
	opts := Options{}
	cmd := &cobra.Command{
		Use:   "get NAME",
		Short: "Show one application: how it stands, its last operation, its resources",
		Example: command.Example(
			"bowline app get web",
			"bowline app get web --refresh -o json"),
		Args: command.OneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(cmd.Context(), s, opts, args[0], cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&opts.Refresh, "refresh", false, "compare now, and show the outcome")
	flags.BoolVar(&opts.HardRefresh, "hard-refresh", false, "render anew and compare now, and show the outcome")
	flags.Var(&opts.Timeout, "timeout", "how long to wait for a refresh (default: no limit)")
	output.Flag(flags, &opts.Output, output.Wide, output.Name, output.JSON, output.YAML)
	return cmd
}

func run(ctx context.Context, s *session.Session, opts Options, name string, w io.Writer) error {
	app, err := fetch(ctx, s, opts, name)
	if err != nil {
		return err
	}
	return view.Show(w, opts.Output, app)
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
