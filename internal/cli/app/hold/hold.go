// SPDX-License-Identifier: Apache-2.0

// Package hold is the verb `bowline app hold`.
package hold

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/session"
)

// Options are the flags.
type Options struct {
	Request client.HoldRequest
	Until   string
	End     bool
}

// NewCmd returns the command.
func NewCmd(s *session.Session) *cobra.Command {
	opts := Options{}
	cmd := &cobra.Command{
		Use:   "hold NAME...",
		Short: "Keep automated sync from applying what is in the source now",
		Long: `Keep automated sync from applying what is in the source now: nothing of it is applied, retried or healed by itself. A sync
that a person asks for goes ahead, and ends the hold.

It ends when something else is rendered (a commit that does not change this application does not count), with --end, or at
the time of --until. "bowline app rollback" makes one by itself.`,
		Example: command.Example(
			"bowline app hold web --reason 'migration runs' --until 2h",
			"bowline app hold web --end"),
		Args: command.Names,
		RunE: func(cmd *cobra.Command, args []string) error {
			if opts.End && (opts.Request.Reason != "" || opts.Until != "") {
				return command.Usage(cmd, "--end ends a hold: leave --reason and --until out")
			}
			var err error
			if opts.Request.Until, err = command.Until(opts.Until, s.Now()); err != nil {
				return command.Usage(cmd, err.Error())
			}
			return run(cmd.Context(), s, opts, args, cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&opts.Request.Reason, "reason", "", "why; shown wherever the application is")
	flags.StringVar(&opts.Until, "until", "", "end the hold by itself: after a length of time such as 2h, or at a time")
	flags.BoolVar(&opts.End, "end", false, "end the hold")
	return cmd
}

func run(ctx context.Context, s *session.Session, opts Options, names []string, w io.Writer) error {
	c, err := s.Client()
	if err != nil {
		return err
	}
	for _, name := range names {
		name = s.Qualified(name)
		if opts.End {
			_, err = c.Release(ctx, name)
		} else {
			_, err = c.Hold(ctx, name, opts.Request)
		}
		if err != nil {
			return err
		}
		outcome := "held"
		if opts.End {
			outcome = "no longer held"
		}
		fmt.Fprintf(w, "application %s: %s\n", name, outcome)
	}
	return nil
}
