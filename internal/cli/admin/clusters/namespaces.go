// SPDX-License-Identifier: Apache-2.0

package clusters

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	kube "sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/internal/cli/admin/reach"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/settings/declared"
)

// shown is how many namespaces a table names.
const shown = 4

// newNamespacesCmd returns the command namespaces with its verbs.
func newNamespacesCmd(s *session.Session, connect reach.Connect) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "namespaces",
		Short:   "List in which namespaces of each cluster applications have objects",
		Example: command.Example("bowline admin cluster namespaces"),
		Args:    command.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return each(cmd, s, connect, func(_ context.Context, _ kube.Client, all []*place) error {
				var rows [][]string
				for _, p := range all {
					rows = append(rows, []string{p.Server, brief(p.namespaces())})
				}
				output.Table(cmd.OutOrStdout(), []string{"CLUSTER", "NAMESPACES"}, rows)
				return nil
			})
		},
	}
	cmd.AddCommand(newEnableCmd(s, connect), newDisableCmd(s, connect))
	return cmd
}

func brief(names []string) string {
	if len(names) <= shown {
		return strings.Join(names, ",")
	}
	return fmt.Sprintf("%s (total %d)", strings.Join(names[:shown], ","), len(names))
}

// each hands the clusters of the control namespace to do.
func each(cmd *cobra.Command, s *session.Session, connect reach.Connect, do func(context.Context, kube.Client, []*place) error) error {
	c, err := connect(s)
	if err != nil {
		return err
	}
	all, err := places(cmd.Context(), c, s.Namespace)
	if err != nil {
		return err
	}
	return do(cmd.Context(), c, all)
}

// newEnableCmd returns the command namespaces enable-namespaced-mode.
func newEnableCmd(s *session.Session, connect reach.Connect) *cobra.Command {
	var (
		dry, clusterKinds bool
		most              int
	)
	cmd := &cobra.Command{
		Use:   "enable-namespaced-mode PATTERN",
		Short: "Have only those namespaces looked at in which applications have objects",
		Long: `Have only those namespaces looked at in which applications have objects, for clusters whose server matches PATTERN, a
glob. Nothing is written without --dry-run=false.`,
		Example: command.Example("bowline admin cluster namespaces enable-namespaced-mode 'https://edge-*' --max-namespace-count 5 --dry-run=false"),
		Args:    command.Exactly("PATTERN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return change(cmd, s, connect, args[0], dry, func(p *place) (string, bool) {
				names := p.namespaces()
				if len(names) == 0 || len(names) > most {
					return "", false
				}
				p.Namespaces, p.ClusterResources = names, clusterKinds
				return strings.Join(names, ","), true
			})
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", true, "only say what would be done")
	cmd.Flags().BoolVar(&clusterKinds, "cluster-resources", false, "look at kinds without a namespace too")
	cmd.Flags().IntVar(&most, "max-namespace-count", 0, "leave clusters alone in which more namespaces are used")
	return cmd
}

// newDisableCmd returns the command namespaces disable-namespaced-mode.
func newDisableCmd(s *session.Session, connect reach.Connect) *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use:     "disable-namespaced-mode PATTERN",
		Short:   "Have clusters looked at as a whole",
		Long:    `Have clusters looked at as a whole whose server matches PATTERN, a glob. Nothing is written without --dry-run=false.`,
		Example: command.Example("bowline admin cluster namespaces disable-namespaced-mode '*' --dry-run=false"),
		Args:    command.Exactly("PATTERN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return change(cmd, s, connect, args[0], dry, func(p *place) (string, bool) {
				had := len(p.Namespaces) > 0
				p.Namespaces = nil
				return "all", had
			})
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", true, "only say what would be done")
	return cmd
}

// change writes the Secrets of the clusters that a pattern matches and that set changes; set says to what.
func change(cmd *cobra.Command, s *session.Session, connect reach.Connect, pattern string, dry bool, set func(*place) (string, bool)) error {
	glob, err := object.CompileGlob(pattern)
	if err != nil {
		return command.Usage(cmd, fmt.Sprintf("%q is no pattern: %v", pattern, err))
	}
	return each(cmd, s, connect, func(ctx context.Context, c kube.Client, all []*place) error {
		for _, p := range all {
			if !glob.Match(p.Server) {
				continue
			}
			what, changed := set(p)
			if !changed {
				continue
			}
			note := "done"
			if dry {
				note = "done (dry run)"
			} else if err := p.save(ctx, c, s.Namespace); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), output.Clean(fmt.Sprintf("Setting cluster %s namespaces to %s...%s", p.Server, what, note)))
		}
		return nil
	})
}

// save writes the Secret of a cluster; one that no Secret declares gets one.
func (p *place) save(ctx context.Context, c kube.Client, home string) error {
	if p.secret == nil {
		secret, err := declared.NewCluster(&p.Cluster)
		if err != nil {
			return err
		}
		secret.Namespace = home
		return reach.Explain(c.Create(ctx, secret), "declare", "cluster "+p.Server)
	}
	if err := declared.WriteCluster(p.secret, &p.Cluster); err != nil {
		return err
	}
	return reach.Explain(c.Update(ctx, p.secret), "declare", "cluster "+p.Server)
}
