// SPDX-License-Identifier: Apache-2.0

// Package approve is the verb `bowline app approve`.
package approve

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/session"
)

// NewCmd returns the command.
func NewCmd(s *session.Session) *cobra.Command {
	return &cobra.Command{
		Use:   "approve NAME DIGEST",
		Short: "Approve the deletions of an application that wait for a person",
		Long: `Approve the deletions of an application that wait for a person: exactly those that DIGEST names. "bowline app plan"
shows them with their digest, and "bowline app get" says that there are some. If other objects would be deleted by now,
nothing is approved.`,
		Example: command.Example("bowline app approve web 3f2a9c417b0d"),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return command.Usage(cmd, fmt.Sprintf("it takes the name of one application and the digest of what waits, but got %d arguments", len(args)))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(cmd.Context(), s, args[0], args[1], cmd.OutOrStdout())
		},
	}
}

func run(ctx context.Context, s *session.Session, name, digest string, w io.Writer) error {
	c, err := s.Client()
	if err != nil {
		return err
	}
	app, err := c.Approve(ctx, s.Qualified(name), digest)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "application %s/%s: the deletions that waited are approved\n", app.Namespace, app.Name)
	return nil
}
