// SPDX-License-Identifier: Apache-2.0

// Package history is the verb `bowline app history`.
package history

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/app/view"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/session"
)

// NewCmd returns the command.
func NewCmd(s *session.Session) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use:     "history NAME",
		Short:   "Show the past deployments of an application, oldest first",
		Example: command.Example("bowline app history web"),
		Args:    command.OneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(cmd.Context(), s, format, args[0], cmd.OutOrStdout())
		},
	}
	output.Flag(cmd.Flags(), &format, output.Wide, output.ID, output.JSON, output.YAML)
	return cmd
}

func run(ctx context.Context, s *session.Session, format output.Format, name string, w io.Writer) error {
	c, err := s.Client()
	if err != nil {
		return err
	}
	app, err := c.Get(ctx, s.Qualified(name))
	if err != nil {
		return err
	}
	history := app.Status.History
	if history == nil {
		history = v1alpha1.RevisionHistories{} // a program is to read an empty list
	}
	if ok, err := output.Encode(w, format, history); ok {
		return err
	}
	if format == output.ID {
		for _, entry := range history {
			fmt.Fprintln(w, entry.ID)
		}
		return nil
	}
	rows := make([][]string, len(history))
	for i, entry := range history {
		rows[i] = []string{fmt.Sprint(entry.ID), view.Time(&entry.DeployedAt), revision(entry), initiator(entry)}
	}
	output.Table(w, []string{"ID", "DATE", "REVISION", "INITIATOR"}, rows)
	if hold := view.Hold(app); hold != "" {
		fmt.Fprintf(w, "\nautomated sync is %s\n", output.Clean(hold))
	}
	return nil
}

// revision names what was deployed; with several sources each with its repository.
func revision(entry v1alpha1.RevisionHistory) string {
	if len(entry.Sources) == 0 {
		return view.Revision(entry.Source.TargetRevision, entry.Revision)
	}
	var parts []string
	for i, source := range entry.Sources {
		resolved := "unknown"
		if i < len(entry.Revisions) {
			resolved = entry.Revisions[i]
		}
		parts = append(parts, source.RepoURL+" "+view.Revision(source.TargetRevision, resolved))
	}
	return strings.Join(parts, ", ")
}

func initiator(entry v1alpha1.RevisionHistory) string {
	if entry.InitiatedBy.Automated {
		return "automated sync"
	}
	return entry.InitiatedBy.Username
}
