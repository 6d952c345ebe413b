// SPDX-License-Identifier: Apache-2.0

package account

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/account"
	"github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/session"
)

var errNobody = errors.New("nobody is signed in")

func newCanICmd(s *session.Session) *cobra.Command {
	return &cobra.Command{
		Use: "can-i ACTION RESOURCE SUBRESOURCE", Short: "Ask whether the caller may do something", Args: command.Exactly("ACTION", "RESOURCE", "SUBRESOURCE"),
		Long: `Ask whether the caller may do something; the answer is yes or no. "bowline account explain" says why.

Actions are get, create, update, delete, sync, rollback, override, invoke, and action/GROUP/KIND/NAME. Resources are applications,
applicationsets, clusters, projects, repositories, write-repositories, accounts, certificates, gpgkeys, logs, exec, extensions.`,
		Example: command.Example("bowline account can-i sync applications '*'", "bowline account can-i create clusters '*'"),
		RunE: func(cmd *cobra.Command, args []string) error {
			services, err := s.Services(cmd.Context())
			if err != nil {
				return err
			}
			answer, err := services.Accounts.CanI(cmd.Context(), &account.CanIRequest{Action: args[0], Resource: args[1], Subresource: args[2]})
			if err == nil {
				fmt.Fprintln(cmd.OutOrStdout(), answer.Value)
			}
			return err
		},
	}
}

func newExplainCmd(s *session.Session) *cobra.Command {
	var format output.Format
	query := rpc.ExplainQuery{}
	cmd := &cobra.Command{
		Use: "explain ACTION RESOURCE OBJECT", Short: "Say which rule grants a right, or why none does", Args: command.Exactly("ACTION", "RESOURCE", "OBJECT"),
		Long: `Say which rule grants a right to the caller, or why none does; with --subject or --groups, to somebody else, for those who may
ask.

The exit code is 0 if the right is granted and 4 if it is not.`,
		Example: command.Example("bowline account explain sync applications shop/web", "bowline account explain delete applications shop/web --subject jane --groups shop:developers"),
		RunE: func(cmd *cobra.Command, args []string) error {
			services, err := s.Services(cmd.Context())
			if err != nil {
				return err
			}
			query.Action, query.Resource, query.Object = args[0], args[1], args[2]
			why, err := services.Bowline.Explain(cmd.Context(), &query)
			if err != nil {
				return err
			}
			if err := explain(cmd.OutOrStdout(), format, why); err != nil || why.Allowed {
				return err
			}
			return command.Status(refused)
		},
	}
	cmd.Flags().StringVar(&query.Subject, "subject", "", "account, or subject of a token, to ask for")
	cmd.Flags().StringSliceVar(&query.Groups, "groups", nil, "groups to ask for")
	output.Flag(cmd.Flags(), &format, output.Wide, output.JSON, output.YAML)
	return cmd
}

// refused is the exit code for a right that is not granted; it is that of what is forbidden.
const refused = 4

func explain(w io.Writer, format output.Format, why *rpc.Explanation) error {
	if ok, err := output.Encode(w, format, why); ok {
		return err
	}
	answer := "no"
	if why.Allowed {
		answer = "yes"
	}
	fmt.Fprintf(w, "%s: %s\n", answer, output.Clean(why.Reason))
	for _, line := range []struct{ name, value string }{
		{"rule", why.Rule}, {"where", why.Where}, {"through", strings.Join(why.Through, " -> ")},
	} {
		if line.value != "" {
			fmt.Fprintf(w, "  %-8s %s\n", line.name, output.Clean(line.value))
		}
	}
	return nil
}
