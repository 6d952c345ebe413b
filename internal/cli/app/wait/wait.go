// SPDX-License-Identifier: Apache-2.0

// Package wait is the verb `bowline app wait`.
package wait

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/cli/app/view"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/session"
)

// Options are the flags.
type Options struct {
	State   client.State
	Timeout command.Timeout
	Output  output.Format
}

// NewCmd returns the command.
func NewCmd(s *session.Session) *cobra.Command {
	opts := Options{}
	cmd := &cobra.Command{
		Use:   "wait NAME...",
		Short: "Wait until applications are in a state",
		Long: `Wait until applications are in a state. All flags have to hold at once; of the three about health any one will do.
Without any of them it waits for --sync, --health and --operation.

An operation counts as under way until the comparison after it was made, so that what is seen then is its outcome.`,
		Example: command.Example(
			"bowline app wait web",
			"bowline app wait web --health --suspended --timeout 5m"),
		Args: command.Names,
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(cmd.Context(), s, opts, args, cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&opts.State.Synced, "sync", false, "wait until it is Synced")
	flags.BoolVar(&opts.State.Healthy, "health", false, "wait until it is Healthy")
	flags.BoolVar(&opts.State.Suspended, "suspended", false, "wait until it is Suspended")
	flags.BoolVar(&opts.State.Degraded, "degraded", false, "wait until it is Degraded")
	flags.BoolVar(&opts.State.Operation, "operation", false, "wait until no operation is under way")
	flags.BoolVar(&opts.State.Deleted, "delete", false, "wait until it is gone")
	flags.Var(&opts.Timeout, "timeout", "how long to wait (default: no limit)")
	output.Flag(flags, &opts.Output, output.Wide, output.JSON, output.YAML)
	return cmd
}

func run(ctx context.Context, s *session.Session, opts Options, names []string, w io.Writer) error {
	if opts.State == (client.State{}) {
		opts.State = client.State{Synced: true, Healthy: true, Operation: true}
	}
	c, err := s.Client()
	if err != nil {
		return err
	}
	ctx, cancel := session.Limit(ctx, time.Duration(opts.Timeout))
	defer cancel()
	for i, name := range names {
		if i > 0 && !opts.State.Deleted {
			output.Next(w, opts.Output)
		}
		app, err := view.Follow(w, opts.Output, s.Now, func(progress func(*v1alpha1.Application)) (*v1alpha1.Application, error) {
			return c.Wait(ctx, s.Qualified(name), opts.State, progress)
		})
		if err != nil {
			return err
		}
		if opts.State.Deleted {
			continue
		}
		if err := view.Show(w, opts.Output, app); err != nil {
			return err
		}
	}
	return nil
}
