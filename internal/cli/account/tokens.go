// SPDX-License-Identifier: Apache-2.0

package account

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/account"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/complete"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/prompt"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/cli/signin"
	"github.com/bowline-cd/bowline/internal/fault"
)

// bindAccount adds the flag that names an account.
func bindAccount(s *session.Session, cmd *cobra.Command, name *string) {
	cmd.Flags().StringVarP(name, "account", "a", "", "name of the account (default: that of the caller)")
	_ = cmd.RegisterFlagCompletionFunc("account", complete.Every(s, complete.Accounts)) // the flag exists
}

func newGenerateTokenCmd(s *session.Session) *cobra.Command {
	name, expires, id := "", "", ""
	cmd := &cobra.Command{
		Use: "generate-token", Short: "Make a token for an account", Args: command.NoArgs, Example: command.Example("bowline account generate-token --account ci --expires-in 30d"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			length, err := command.Length("--expires-in", expires)
			if err != nil {
				return command.Usage(cmd, err.Error())
			}
			services, err := s.Services(cmd.Context())
			if err != nil {
				return err
			}
			name, err := named(cmd.Context(), services, name)
			if err != nil {
				return err
			}
			made, err := services.Accounts.CreateToken(cmd.Context(), &account.CreateTokenRequest{Name: name, ID: id, ExpiresIn: int64(length.Seconds())})
			if err == nil {
				fmt.Fprintln(cmd.OutOrStdout(), made.Token)
			}
			return err
		},
	}
	bindAccount(s, cmd, &name)
	cmd.Flags().StringVarP(&expires, "expires-in", "e", "0s", "how long the token lasts, such as 12h or 7d; 0s is for ever")
	cmd.Flags().StringVar(&id, "id", "", "id of the token (default: a random one)")
	return cmd
}

func newDeleteTokenCmd(s *session.Session) *cobra.Command {
	name := ""
	cmd := &cobra.Command{
		Use: "delete-token ID", Short: "Revoke a token of an account", Args: command.Exactly("ID"), Example: command.Example("bowline account delete-token --account ci ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			services, err := s.Services(cmd.Context())
			if err != nil {
				return err
			}
			name, err := named(cmd.Context(), services, name)
			if err != nil {
				return err
			}
			if s.Asks() {
				if yes, err := prompt.Confirm(cmd, "Delete token '"+args[0]+"'?"); err != nil || !yes {
					return err
				}
			}
			_, err = services.Accounts.DeleteToken(cmd.Context(), &account.DeleteTokenRequest{Name: name, ID: args[0]})
			return err
		},
	}
	bindAccount(s, cmd, &name)
	return cmd
}

func newUpdatePasswordCmd(s *session.Session) *cobra.Command {
	request := account.UpdatePasswordRequest{}
	cmd := &cobra.Command{
		Use: "update-password", Short: "Change the password of an account", Args: command.NoArgs,
		Long: `Change the password of the caller, or with --account, for those who may, that of another account. The sessions of the account end; that
of the caller goes on with a new token.`,
		Example: command.Example("bowline account update-password", "bowline account update-password --account jane"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return updatePassword(cmd, s, request) },
	}
	cmd.Flags().StringVar(&request.CurrentPassword, "current-password", "", "password of the caller")
	cmd.Flags().StringVar(&request.NewPassword, "new-password", "", "new password of the account")
	cmd.Flags().StringVar(&request.Name, "account", "", "name of the account (default: that of the caller)")
	return cmd
}

func updatePassword(cmd *cobra.Command, s *session.Session, request account.UpdatePasswordRequest) error {
	ctx := cmd.Context()
	services, err := s.Services(ctx)
	if err != nil {
		return err
	}
	who, err := current(ctx, services)
	if err != nil {
		return err
	}
	if who.ISS == localIssuer && request.CurrentPassword == "" {
		if request.CurrentPassword, err = prompt.Password(cmd, "Password of "+who.Username); err != nil {
			return err
		}
	}
	if request.Name == "" {
		request.Name = who.Username
	}
	if request.NewPassword == "" {
		if request.NewPassword, err = prompt.NewPassword(cmd, "New password of "+request.Name); err != nil {
			return err
		}
	}
	if _, err := services.Accounts.UpdatePassword(ctx, &request); err != nil {
		return err
	}
	fmt.Fprintln(cmd.OutOrStdout(), "Password updated")
	if request.Name != who.Username || who.ISS != localIssuer {
		return nil
	}
	context, err := s.Renew(ctx, request.Name, request.NewPassword)
	if err == nil && context != "" {
		fmt.Fprintf(cmd.OutOrStdout(), "Context '%s' updated\n", context)
	}
	return err
}

// localIssuer is the issuer of the tokens of local accounts.
const localIssuer = "argocd"

func newSessionTokenCmd(s *session.Session) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use: "session-token", Short: "Print the token of the caller", Args: command.NoArgs,
		Long:    "Print the token of the caller. One of single sign-on that has expired is refreshed before.",
		Example: command.Example("bowline account session-token", "curl -H \"Authorization: Bearer $(bowline account session-token)\" https://cd.example.com/api/v1/applications"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			token, refreshable, err := s.Token(cmd.Context())
			if err != nil {
				return err
			}
			claims, ok := signin.Read(token)
			if !ok || !claims.Expires.IsZero() && !s.Now().Before(claims.Expires) {
				return &fault.Error{Kind: fault.Forbidden, Code: fault.Unauthenticated, Op: "find", Thing: "a token that is valid", Err: errNobody, Fix: "log in with `bowline login` (again: `bowline relogin`)"}
			}
			if ok, err := output.Encode(cmd.OutOrStdout(), format, described(token, claims, refreshable)); ok {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), token)
			return err
		},
	}
	output.Flag(cmd.Flags(), &format, output.Wide, output.JSON)
	return cmd
}

// described is what is told of a token.
func described(token string, claims signin.Claims, refreshable bool) map[string]any {
	kind, user := "sso", claims.Who()
	if claims.Local() {
		kind, user = "local", claims.Account()
	}
	out := map[string]any{"type": kind, "issuer": claims.Issuer, "username": user, "token": token, "has_refresh_token": refreshable}
	for name, at := range map[string]time.Time{"issued_at": claims.Issued, "expires_at": claims.Expires} {
		if !at.IsZero() {
			out[name] = at.Format(time.RFC3339)
		}
	}
	return out
}
