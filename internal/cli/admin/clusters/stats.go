// SPDX-License-Identifier: Apache-2.0

package clusters

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/discovery"
	kube "sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/internal/cli/admin/reach"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/session"
)

// patience is how long a cluster may take to say which version it is.
const patience = 10 * time.Second

// newStatsCmd returns the command stats.
func newStatsCmd(s *session.Session, connect reach.Connect) *cobra.Command {
	return &cobra.Command{
		Use:   "stats [CLUSTER]",
		Short: "List the clusters with how much is deployed to them",
		Long: `List the clusters with how much is deployed to them. CONNECTION is tried from here, with the access that the
installation has; RESOURCES COUNT is that of the applications' own resources, as their status has them.`,
		Example: command.Example("bowline admin cluster stats"),
		Args:    command.AtMostOne("cluster"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return each(cmd, s, connect, func(ctx context.Context, c kube.Client, all []*place) error {
				if len(args) == 1 {
					p, err := find(all, args[0])
					if err != nil {
						return err
					}
					all = []*place{p}
				}
				var rows [][]string
				for _, p := range all {
					rows = append(rows, []string{
						p.Server, shard(p), p.connection(ctx, c, s), fmt.Sprint(len(p.namespaces())), fmt.Sprint(len(p.apps)), fmt.Sprint(p.resources()),
					})
				}
				output.Table(cmd.OutOrStdout(), []string{"SERVER", "SHARD", "CONNECTION", "NAMESPACES COUNT", "APPS COUNT", "RESOURCES COUNT"}, rows)
				return nil
			})
		},
	}
}

func (p *place) resources() int {
	n := 0
	for _, app := range p.apps {
		n += len(app.Status.Resources)
	}
	return n
}

// connection says whether the cluster answers.
func (p *place) connection(ctx context.Context, c kube.Client, s *session.Session) string {
	config, err := p.access(ctx, c, s)
	if err != nil {
		return "Failed"
	}
	config.Timeout = patience
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return "Failed"
	}
	if _, err := client.ServerVersion(); err != nil {
		return "Failed"
	}
	return "Successful"
}
