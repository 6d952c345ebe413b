// SPDX-License-Identifier: Apache-2.0

package proj

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/project"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/complete"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/cli/signin"
)

func newTokenCreateCmd(s *session.Session) *cobra.Command {
	expires, only := "", false
	request := project.ProjectTokenCreateRequest{}
	cmd := &cobra.Command{
		Use: "create-token PROJECT ROLE-NAME", Short: "Make a token that has a role", Aliases: []string{"token-create"},
		Args: command.Exactly("PROJECT", "ROLE-NAME"), ValidArgsFunction: complete.First(s, complete.Projects),
		Example: command.Example("bowline proj role create-token shop deployer -e 30d"),
		RunE: func(cmd *cobra.Command, args []string) error {
			length, err := command.Length("--expires-in", expires)
			if err != nil {
				return command.Usage(cmd, err.Error())
			}
			service, err := projects(cmd.Context(), s)
			if err != nil {
				return err
			}
			request.Project, request.Role, request.ExpiresIn = args[0], args[1], int64(length.Seconds())
			made, err := service.CreateToken(cmd.Context(), &request)
			if err != nil {
				return err
			}
			showToken(cmd, made.Token, only)
			return nil
		},
	}
	cmd.Flags().StringVarP(&expires, "expires-in", "e", "", "how long the token lasts, such as 12h or 7d (default: for ever)")
	cmd.Flags().StringVarP(&request.ID, "id", "i", "", "id of the token (default: a random one)")
	cmd.Flags().BoolVarP(&only, "token-only", "t", false, "print the token only")
	return cmd
}

func showToken(cmd *cobra.Command, token string, only bool) {
	w := cmd.OutOrStdout()
	claims, ok := signin.Read(token)
	if only || !ok {
		fmt.Fprintln(w, token)
		return
	}
	expires := "Never"
	if !claims.Expires.IsZero() {
		expires = command.Moment(claims.Expires.Unix(), "")
	}
	fmt.Fprintf(w, "Create token succeeded for %s.\n", claims.Subject)
	fmt.Fprintf(w, "  ID: %s\n  Issued At: %s\n  Expires At: %s\n  Token: %s\n", claims.ID, command.Moment(claims.Issued.Unix(), "Never"), expires, token)
}

func newTokenListCmd(s *session.Session) *cobra.Command {
	unix := false
	cmd := &cobra.Command{
		Use: "list-tokens PROJECT ROLE-NAME", Short: "List the tokens of a role", Aliases: []string{"list-token", "token-list"},
		Args: command.Exactly("PROJECT", "ROLE-NAME"), ValidArgsFunction: complete.First(s, complete.Projects), Example: command.Example("bowline proj role list-tokens shop deployer"),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, p, err := fetch(cmd.Context(), s, args[0])
			if err != nil {
				return err
			}
			if _, err := roleOf(p, args[1]); err != nil {
				return err
			}
			rows := [][]string{}
			for _, token := range tokensOf(p, args[1]) {
				row := []string{token.ID, command.Moment(token.IssuedAt, "Never"), command.Moment(token.ExpiresAt, "Never")}
				if unix {
					row = []string{token.ID, fmt.Sprint(token.IssuedAt), fmt.Sprint(token.ExpiresAt)}
				}
				rows = append(rows, row)
			}
			if len(rows) == 0 {
				fmt.Fprintf(cmd.OutOrStdout(), "No tokens for %s.%s\n", args[0], args[1])
				return nil
			}
			output.Table(cmd.OutOrStdout(), []string{"ID", "ISSUED AT", "EXPIRES AT"}, rows)
			return nil
		},
	}
	cmd.Flags().BoolVarP(&unix, "unixtime", "u", false, "times as seconds since 1970, as delete-token takes them")
	return cmd
}

func newTokenDeleteCmd(s *session.Session) *cobra.Command {
	return &cobra.Command{
		Use: "delete-token PROJECT ROLE-NAME ISSUED-AT", Short: "Revoke a token", Aliases: []string{"token-delete", "remove-token"},
		Args: command.Exactly("PROJECT", "ROLE-NAME", "ISSUED-AT"), ValidArgsFunction: complete.First(s, complete.Projects),
		Example: command.Example("bowline proj role delete-token shop deployer 1696769937"),
		RunE: func(cmd *cobra.Command, args []string) error {
			issued, err := strconv.ParseInt(args[2], 10, 64)
			if err != nil {
				return command.Usage(cmd, fmt.Sprintf("ISSUED-AT is %q and has to be a number of seconds since 1970", args[2]))
			}
			if yes, err := confirmed(cmd, s, "token '"+args[2]+"'"); err != nil || !yes {
				return err
			}
			service, err := projects(cmd.Context(), s)
			if err != nil {
				return err
			}
			_, err = service.DeleteToken(cmd.Context(), &project.ProjectTokenDeleteRequest{Project: args[0], Role: args[1], IAT: issued})
			return err
		},
	}
}
