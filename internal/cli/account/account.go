// SPDX-License-Identifier: Apache-2.0

// Package account is the noun `bowline account`: local accounts, their passwords and tokens, and who the caller is.
package account

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/crypto/bcrypt"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/account"
	sessionrpc "github.com/bowline-cd/bowline/api/argoproj/rpc/session"
	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/prompt"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// NewCmd returns the command with all its verbs.
func NewCmd(s *session.Session) *cobra.Command {
	cmd := command.Group("account", "Work with accounts",
		newListCmd(s), newGetCmd(s), newUserInfoCmd(s), newCanICmd(s), newExplainCmd(s), newUpdatePasswordCmd(s), newGenerateTokenCmd(s), newDeleteTokenCmd(s),
		newSessionTokenCmd(s), newBcryptCmd())
	s.BindCluster(cmd.PersistentFlags())
	return cmd
}

// current returns who the caller is.
func current(ctx context.Context, services *client.Services) (*sessionrpc.GetUserInfoResponse, error) {
	who, err := services.Sessions.GetUserInfo(ctx, &sessionrpc.GetUserInfoRequest{})
	if err == nil && !who.LoggedIn {
		err = &fault.Error{Kind: fault.Forbidden, Code: fault.Unauthenticated, Op: "find", Thing: "the current account", Err: errNobody, Fix: "log in with `bowline login`"}
	}
	return who, err
}

// named returns the account of a flag; "" is that of the caller.
func named(ctx context.Context, services *client.Services, name string) (string, error) {
	if name != "" {
		return name, nil
	}
	who, err := current(ctx, services)
	if err != nil {
		return "", err
	}
	return who.Username, nil
}

func newListCmd(s *session.Session) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use: "list", Short: "List local accounts", Args: command.NoArgs, Example: command.Example("bowline account list"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			services, err := s.Services(cmd.Context())
			if err != nil {
				return err
			}
			list, err := services.Accounts.ListAccounts(cmd.Context(), &account.ListAccountRequest{})
			if err != nil {
				return err
			}
			return write(cmd.OutOrStdout(), format, list.Items)
		},
	}
	output.Flag(cmd.Flags(), &format, output.Wide, output.JSON, output.YAML, output.Name)
	return cmd
}

func write(w io.Writer, format output.Format, items []account.Account) error {
	if items == nil {
		items = []account.Account{}
	}
	if ok, err := output.Encode(w, format, items); ok {
		return err
	}
	var rows [][]string
	for _, a := range items {
		if format == output.Name {
			fmt.Fprintln(w, a.Name)
		}
		rows = append(rows, []string{a.Name, fmt.Sprint(a.Enabled), strings.Join(a.Capabilities, ", ")})
	}
	if format != output.Name {
		output.Table(w, []string{"NAME", "ENABLED", "CAPABILITIES"}, rows)
	}
	return nil
}

func newGetCmd(s *session.Session) *cobra.Command {
	var format output.Format
	name := ""
	cmd := &cobra.Command{
		Use: "get", Short: "Show an account and its tokens", Args: command.NoArgs, Example: command.Example("bowline account get", "bowline account get --account ci"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			services, err := s.Services(cmd.Context())
			if err != nil {
				return err
			}
			name, err := named(cmd.Context(), services, name)
			if err != nil {
				return err
			}
			found, err := services.Accounts.GetAccount(cmd.Context(), &account.GetAccountRequest{Name: name})
			if err != nil {
				return err
			}
			return show(cmd.OutOrStdout(), format, found, s.Now())
		},
	}
	bindAccount(s, cmd, &name)
	output.Flag(cmd.Flags(), &format, output.Wide, output.JSON, output.YAML, output.Name)
	return cmd
}

func show(w io.Writer, format output.Format, a *account.Account, now time.Time) error {
	if ok, err := output.Encode(w, format, a); ok {
		return err
	}
	if format == output.Name {
		fmt.Fprintln(w, a.Name)
		return nil
	}
	fmt.Fprintf(w, "%-20s%s\n%-20s%t\n%-20s%s\n\nTokens:\n", "Name:", a.Name, "Enabled:", a.Enabled, "Capabilities:", strings.Join(a.Capabilities, ", "))
	if len(a.Tokens) == 0 {
		fmt.Fprintln(w, "NONE")
		return nil
	}
	var rows [][]string
	for _, token := range a.Tokens {
		expires := command.Moment(token.ExpiresAt, "never")
		if token.ExpiresAt != 0 && token.ExpiresAt < now.Unix() {
			expires += " (expired)"
		}
		rows = append(rows, []string{token.ID, command.Moment(token.IssuedAt, "never"), expires})
	}
	output.Table(w, []string{"ID", "ISSUED AT", "EXPIRING AT"}, rows)
	return nil
}

func newUserInfoCmd(s *session.Session) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use: "get-user-info", Aliases: []string{"whoami"}, Short: "Show who the caller is", Args: command.NoArgs, Example: command.Example("bowline account get-user-info"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			services, err := s.Services(cmd.Context())
			if err != nil {
				return err
			}
			who, err := services.Sessions.GetUserInfo(cmd.Context(), &sessionrpc.GetUserInfoRequest{})
			if err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			if ok, err := output.Encode(w, format, who); ok {
				return err
			}
			fmt.Fprintf(w, "Logged In: %t\n", who.LoggedIn)
			if who.LoggedIn {
				fmt.Fprintf(w, "Username: %s\nIssuer: %s\nGroups: %s\n", output.Clean(who.Username), output.Clean(who.ISS), output.Clean(strings.Join(who.Groups, ",")))
			}
			return nil
		},
	}
	output.Flag(cmd.Flags(), &format, output.Wide, output.JSON, output.YAML)
	return cmd
}

func newBcryptCmd() *cobra.Command {
	password := ""
	cmd := &cobra.Command{
		Use: "bcrypt", Short: "Hash a password, as argocd-secret holds it", Args: command.NoArgs,
		Example: command.Example("bowline account bcrypt", "bowline account bcrypt --password $PASSWORD"),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if password == "" {
				if password, err = prompt.Password(cmd, "Password"); err != nil {
					return err
				}
			}
			hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.DefaultCost)
			if err != nil {
				return fault.Wrap(fault.Mistake, "hash", "the password", err, "choose one of 72 bytes at most")
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), string(hash))
			return err
		},
	}
	cmd.Flags().StringVar(&password, "password", "", "the password")
	return cmd
}
