// SPDX-License-Identifier: Apache-2.0

package login

import (
	"fmt"

	"github.com/spf13/cobra"

	sessionrpc "github.com/bowline-cd/bowline/api/argoproj/rpc/session"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/complete"
	"github.com/bowline-cd/bowline/internal/cli/contexts"
	"github.com/bowline-cd/bowline/internal/cli/prompt"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/cli/signin"
	"github.com/bowline-cd/bowline/internal/fault"
)

// NewReloginCmd returns the command relogin.
func NewReloginCmd(s *session.Session) *cobra.Command {
	o := options{}
	cmd := &cobra.Command{
		Use: "relogin", Short: "Log in anew to the server of the current context", Args: command.NoArgs, Example: command.Example("bowline relogin"),
		Long: "Log in anew to the server of the current context, in the way of the token that it has: with a password or in a browser.",
		RunE: func(cmd *cobra.Command, _ []string) error { return relogin(cmd, s, &o) },
	}
	o.bind(cmd.Flags())
	return cmd
}

func relogin(cmd *cobra.Command, s *session.Session, o *options) error {
	file, err := s.Contexts()
	if err != nil {
		return err
	}
	current, ok, err := file.Find(s.Server.ContextName)
	if err != nil {
		return err
	}
	if !ok || current.Server.Core {
		return fault.New(fault.Mistake, "log in", "", "", "the current context has no server", "log in with `bowline login SERVER`")
	}
	r, err := reach(cmd.Context(), s, current.Server)
	if err != nil {
		return err
	}
	var tokens signin.Tokens
	if claims, known := signin.Read(current.User.AuthToken); known && !claims.Local() {
		fmt.Fprintln(cmd.OutOrStdout(), "Reinitiating SSO login")
		tokens, err = o.browse(cmd, r)
	} else {
		tokens, err = o.again(cmd, r, claims.Account())
	}
	if err != nil {
		return err
	}
	file.SetTokens(current.Name, tokens.ID, tokens.Refresh)
	if err := file.Write(); err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "Context '%s' updated\n", current.Name)
	return nil
}

// again logs a local account in; "" asks for its name.
func (o *options) again(cmd *cobra.Command, r *reached, account string) (tokens signin.Tokens, err error) {
	if account == "" {
		if account, err = prompt.Line(cmd, "Username"); err != nil {
			return tokens, err
		}
	}
	fmt.Fprintf(cmd.OutOrStdout(), "Relogging in as '%s'\n", account)
	if o.password == "" {
		if o.password, err = prompt.Password(cmd, "Password"); err != nil {
			return tokens, err
		}
	}
	return withPassword(cmd.Context(), r.services, account, o.password)
}

// NewLogoutCmd returns the command logout.
func NewLogoutCmd(s *session.Session) *cobra.Command {
	return &cobra.Command{
		Use: "logout [CONTEXT]", Short: "End the session of a context, at the server too", Args: command.AtMostOne("CONTEXT"),
		Long:    "End the session of a context (default: the current one). The server takes the token no longer; the context stays, without it.",
		Example: command.Example("bowline logout", "bowline logout cd.example.com"), ValidArgsFunction: complete.Contexts(s),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := s.Contexts()
			if err != nil {
				return err
			}
			name := s.Server.ContextName
			if len(args) > 0 {
				name = args[0]
			}
			c, ok, err := file.Find(name)
			if err != nil {
				return err
			}
			if !ok {
				return fault.New(fault.Mistake, "log out", "", "", "there is no current context", "name one of `bowline context`")
			}
			if s.Asks() {
				if yes, err := prompt.Confirm(cmd, "Log out from '"+c.Name+"'?"); err != nil || !yes {
					return err
				}
			}
			return logout(cmd, s, file, c)
		},
	}
}

// logout forgets the token even if the server cannot be told: whoever logs out wants it gone from here.
func logout(cmd *cobra.Command, s *session.Session, file *contexts.File, c contexts.Context) error {
	var told error
	if c.User.AuthToken != "" && !c.Server.Core {
		r, err := reach(cmd.Context(), s, c.Server)
		if err == nil {
			_, err = r.as(c.User.AuthToken).Sessions.Delete(cmd.Context(), &sessionrpc.SessionDeleteRequest{})
		}
		if fault.CodeOf(err) != fault.Unauthenticated { // else the server did not take it any more
			told = err
		}
	}
	file.SetTokens(c.Name, "", "")
	if err := file.Write(); err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "Logged out from '%s'\n", c.Name)
	if told != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "warning: the server was not told, it takes the token until that expires: %v\n", told)
	}
	return nil
}
