// SPDX-License-Identifier: Apache-2.0

// Package terminate is the verb `bowline app terminate`.
package terminate

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/session"
)

// NewCmd returns the command.
func NewCmd(s *session.Session) *cobra.Command {
	var (
		timeout command.Timeout
		async   bool
	)
	cmd := &cobra.Command{
		Use:     "terminate NAME...",
		Aliases: []string{"terminate-op"},
		Short:   "End the operation under way, and wait until it has ended",
		Long: `End the operation under way, or one that waits for its next try, and wait until it has ended. It ends between two objects;
hooks that run are deleted. What was applied stays.`,
		Example: command.Example("bowline app terminate web"),
		Args:    command.Names,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := session.Limit(cmd.Context(), time.Duration(timeout))
			defer cancel()
			return run(ctx, s, args, async, cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&async, "async", false, "do not wait")
	cmd.Flags().Var(&timeout, "timeout", "how long to wait (default: no limit)")
	return cmd
}

func run(ctx context.Context, s *session.Session, names []string, async bool, w io.Writer) error {
	c, err := s.Client()
	if err != nil {
		return err
	}
	for _, name := range names {
		name = s.Qualified(name)
		if _, err := c.Terminate(ctx, name); err != nil {
			return err
		}
		if async {
			fmt.Fprintf(w, "application %s: its operation is being terminated\n", name)
			continue
		}
		if _, err := c.Wait(ctx, name, client.State{Operation: true}, nil); err != nil {
			return err
		}
		fmt.Fprintf(w, "application %s: its operation has ended\n", name)
	}
	return nil
}
