// SPDX-License-Identifier: Apache-2.0

// Package logs is the verb `bowline app logs`: the logs of the Pods of an application.
package logs

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// NewCmd returns the command.
func NewCmd(s *session.Session) *cobra.Command {
	var (
		query       application.ApplicationPodLogsQuery
		tail, since int64
	)
	cmd := &cobra.Command{
		Use:   "logs NAME",
		Short: "Show the logs of the Pods of an application",
		Example: command.Example(
			"bowline app logs web",
			"bowline app logs web --group apps --kind Deployment --name front -f --tail 100",
			"bowline app logs web --filter error --since-seconds 3600"),
		Args: command.OneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			query.AppNamespace, query.Name = s.Split(args[0])
			query.Namespace = s.ObjectNamespace(cmd, query.Namespace)
			query.TailLines, query.SinceSeconds = given(tail), given(since)
			return run(cmd.Context(), s, query, cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&query.Group, "group", "", "API group of the object whose Pods are meant")
	flags.StringVar(&query.Kind, "kind", "", "kind of the object whose Pods are meant (default: all objects)")
	flags.StringVar(&query.ResourceName, "name", "", "name of the object whose Pods are meant")
	flags.StringVar(&query.Namespace, "resource-namespace", "", "namespace of that object; with a server --namespace is the same")
	flags.StringVarP(&query.Container, "container", "c", "", "container (default: all of them)")
	flags.BoolVarP(&query.Follow, "follow", "f", false, "go on as the Pods write")
	flags.BoolVarP(&query.Previous, "previous", "p", false, "those of the containers before they were started again")
	flags.Int64Var(&tail, "tail", 0, "only the last lines (default: all)")
	flags.Int64Var(&since, "since-seconds", 0, "only lines of the last seconds (default: all)")
	flags.StringVar(&query.UntilTime, "until-time", "", "only lines until this time, such as 2026-03-04T18:00:00Z")
	flags.StringVar(&query.Filter, "filter", "", "only lines with this text; with ! before it those without")
	flags.BoolVarP(&query.MatchCase, "match-case", "m", false, "tell capital from small letters in --filter")
	return cmd
}

func given(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
}

// pause is how long to wait before a stream that ended is opened again.
const pause = time.Second

// run writes the lines. Following goes on when the connection ends, with the lines since then.
func run(ctx context.Context, s *session.Session, query application.ApplicationPodLogsQuery, w io.Writer) error {
	services, err := s.Services(ctx)
	if err != nil {
		return err
	}
	for {
		err := services.Applications.PodLogs(ctx, &query, func(entry *application.LogEntry) error {
			if entry.Last {
				return nil
			}
			_, err := fmt.Fprintln(w, output.Clean(entry.Content))
			return err
		})
		if err == nil || !query.Follow || !fault.Is(err, fault.Retry) || ctx.Err() != nil {
			return err
		}
		again := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			again.Stop()
			return err
		case <-again.C:
		}
		query.SinceSeconds, query.TailLines = given(1), nil
	}
}
