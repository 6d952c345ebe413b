// SPDX-License-Identifier: Apache-2.0

// Package login holds the commands about which server somebody works with, and as whom: login, relogin, logout, context and
// configure. What they learn is kept in the file of contexts.
package login

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	sessionrpc "github.com/bowline-cd/bowline/api/argoproj/rpc/session"
	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/contexts"
	"github.com/bowline-cd/bowline/internal/cli/prompt"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/cli/signin"
	"github.com/bowline-cd/bowline/internal/fault"
)

// defaultPort is the port that the browser comes back to, as it is registered at providers for Argo CD's command line.
const defaultPort = 8085

// coreServer is what stands for the server in a context without one.
const coreServer = "kubernetes"

// options are the flags of login and relogin.
type options struct {
	name, username, password string
	sso                      bool
	port                     int
	callback                 string
	browser                  bool
	timeout                  time.Duration
	untested                 bool
}

func (o *options) bind(flags *pflag.FlagSet) {
	flags.StringVar(&o.password, "password", "", "password of the account")
	flags.IntVar(&o.port, "sso-port", defaultPort, "port of this machine that the browser comes back to")
	flags.StringVar(&o.callback, "callback", "", "how the browser names this machine, as scheme, host and port (default: http://localhost with the port)")
	flags.BoolVar(&o.browser, "sso-launch-browser", true, "open the browser")
	flags.DurationVar(&o.timeout, "sso-timeout", 5*time.Minute, "how long to wait for the browser")
}

// NewCmd returns the command login.
func NewCmd(s *session.Session) *cobra.Command {
	o := options{}
	cmd := &cobra.Command{
		Use: "login [SERVER]", Short: "Log in to a server, and work with it from now on",
		Long: `Log in to a server, and work with it from now on: with the password of a local account, with --sso in a browser, or with
--auth-token as whoever a token is of. With --core there is no server: commands work straight on the cluster.

The server's address and the token are kept in a context of the server's name, in the file that --config names.`,
		Args: command.AtMostOne("SERVER"),
		Example: command.Example("bowline login cd.example.com --username admin", "bowline login cd.example.com --sso",
			"bowline login cd.example.com --auth-token $TOKEN", "bowline login --core"),
		RunE: func(cmd *cobra.Command, args []string) error {
			address := strings.Join(args, "")
			switch {
			case s.Server.Core:
				return keepCore(cmd, s, o.name)
			case address == "" && s.Server.Address == "":
				return command.Usage(cmd, "it takes the address of a server")
			}
			return run(cmd, s, &o, cmp.Or(address, s.Server.Address))
		},
	}
	o.bind(cmd.Flags())
	cmd.Flags().StringVar(&o.name, "name", "", "name of the context (default: the address of the server)")
	cmd.Flags().StringVar(&o.username, "username", "", "name of the account")
	cmd.Flags().BoolVar(&o.sso, "sso", false, "sign in in a browser")
	cmd.Flags().BoolVar(&o.untested, "skip-test-tls", false, "without meaning: the connection is not tested beforehand")
	_ = cmd.Flags().MarkHidden("skip-test-tls") // it exists
	return cmd
}

// keepCore makes a context without a server the current one.
func keepCore(cmd *cobra.Command, s *session.Session, name string) error {
	file, err := s.Contexts()
	if err != nil {
		return err
	}
	return keep(cmd, file, contexts.Context{Name: cmp.Or(name, coreServer), Server: contexts.Server{Server: coreServer, Core: true}})
}

func keep(cmd *cobra.Command, file *contexts.File, c contexts.Context) error {
	file.Put(c)
	if err := file.Write(); err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "Context '%s' updated\n", c.Name)
	return nil
}

func run(cmd *cobra.Command, s *session.Session, o *options, address string) error {
	file, err := s.Contexts()
	if err != nil {
		return err
	}
	reached, err := reach(cmd.Context(), s, contexts.Server{Server: address})
	if err != nil {
		return err
	}
	tokens, err := o.tokens(cmd, s, reached)
	if err != nil {
		return err
	}
	claims, _ := signin.Read(tokens.ID)
	fmt.Fprintf(cmd.OutOrStdout(), "'%s' logged in successfully\n", claims.Who())
	v := s.Server
	name := o.name
	if name == "" {
		name = strings.TrimSuffix(address+"/"+strings.Trim(v.RootPath, "/"), "/")
	}
	return keep(cmd, file, contexts.Context{
		Name: name, User: contexts.User{AuthToken: tokens.ID, RefreshToken: tokens.Refresh},
		Server: reached.remembered(v),
	})
}

// tokens signs somebody in, in the way that the flags say.
func (o *options) tokens(cmd *cobra.Command, s *session.Session, r *reached) (signin.Tokens, error) {
	switch {
	case o.sso:
		return o.browse(cmd, r)
	case s.Server.Token != "" && o.username == "" && o.password == "":
		return given(cmd.Context(), r, s.Server.Token)
	}
	var err error
	if o.username == "" {
		if o.username, err = prompt.Line(cmd, "Username"); err != nil {
			return signin.Tokens{}, err
		}
	}
	if o.password == "" {
		if o.password, err = prompt.Password(cmd, "Password"); err != nil {
			return signin.Tokens{}, err
		}
	}
	return withPassword(cmd.Context(), r.services, o.username, o.password)
}

// withPassword asks the server for a token.
func withPassword(ctx context.Context, services *client.Services, username, password string) (signin.Tokens, error) {
	made, err := services.Sessions.Create(ctx, &sessionrpc.SessionCreateRequest{Username: username, Password: password})
	if err != nil {
		return signin.Tokens{}, unwelcome(err)
	}
	return signin.Tokens{ID: made.Token}, nil
}

// unwelcome takes the advice to log in out of an error: that is what was tried.
func unwelcome(err error) error {
	if fault.CodeOf(err) != fault.Unauthenticated {
		return err
	}
	return &fault.Error{Kind: fault.Forbidden, Code: fault.Unauthenticated, Op: "log in", Err: fault.New(fault.Forbidden, "", "", "", cause(err), ""),
		Fix: "check the name and the password, or sign in with --sso"}
}

// given checks that a token is one of the server's.
func given(ctx context.Context, r *reached, token string) (signin.Tokens, error) {
	who, err := r.as(token).Sessions.GetUserInfo(ctx, &sessionrpc.GetUserInfoRequest{})
	if err == nil && !who.LoggedIn {
		err = &fault.Error{Kind: fault.Forbidden, Code: fault.Unauthenticated, Op: "log in to", Thing: "server " + r.server.Address, Err: errNotItsToken,
			Fix: "use another token, or log in with --username or --sso"}
	}
	return signin.Tokens{ID: token}, err
}

func (o *options) browse(cmd *cobra.Command, r *reached) (signin.Tokens, error) {
	ctx, cancel := session.Limit(cmd.Context(), o.timeout)
	defer cancel()
	opts := signin.Options{Port: o.port, Callback: o.callback, Out: cmd.OutOrStdout()}
	if o.browser {
		opts.Browse = signin.Browse
	}
	return signin.Login(ctx, r.services.Settings, r.server, r.caller.HTTP(), opts)
}
