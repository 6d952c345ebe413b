// SPDX-License-Identifier: Apache-2.0

// Package delete is the verb `bowline app delete`.
package delete

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/cli/app/pick"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/session"
)

// Options are the flags.
type Options struct {
	Cascade     bool
	Propagation string
	Yes, Wait   bool
	Timeout     command.Timeout
	Pick        pick.Flags
}

// NewCmd returns the command.
func NewCmd(s *session.Session) *cobra.Command {
	opts := &Options{}
	cmd := &cobra.Command{
		Use:   "delete [NAME...]",
		Short: "Delete applications, with or without their objects",
		Example: command.Example(
			"bowline app delete web",
			"bowline app delete web --cascade=false --yes",
			"bowline app delete -l team=shop"),
		Args: opts.Pick.Args,
		RunE: func(cmd *cobra.Command, args []string) error {
			request, err := opts.request(cmd)
			if err != nil {
				return err
			}
			return run(cmd, s, *opts, request, args)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&opts.Cascade, "cascade", true, "delete the application's objects too")
	flags.StringVarP(&opts.Propagation, "propagation-policy", "p", "foreground", "how the objects are deleted: foreground or background; orphan leaves them")
	flags.BoolVarP(&opts.Yes, "yes", "y", false, "do not ask")
	flags.BoolVar(&opts.Wait, "wait", false, "wait until the applications are gone")
	opts.Pick.Bind(flags, false)
	flags.Var(&opts.Timeout, "timeout", "how long to wait (default: no limit)")
	return cmd
}

func (o Options) request(cmd *cobra.Command) (client.DeleteRequest, error) {
	if !slices.Contains([]string{"foreground", "background", "orphan"}, o.Propagation) {
		return client.DeleteRequest{}, command.Usage(cmd, fmt.Sprintf("--propagation-policy is %q and has to be foreground, background or orphan", o.Propagation))
	}
	if !o.Cascade || o.Propagation == "orphan" {
		return client.DeleteRequest{Cascade: client.CascadeNone}, nil
	}
	return client.DeleteRequest{Cascade: client.Cascade(o.Propagation)}, nil
}

func run(cmd *cobra.Command, s *session.Session, opts Options, request client.DeleteRequest, names []string) error {
	c, err := s.Client()
	if err != nil {
		return err
	}
	ctx, cancel := session.Limit(cmd.Context(), time.Duration(opts.Timeout))
	defer cancel()
	names, err = opts.Pick.Names(ctx, s, c, names)
	if err != nil {
		return err
	}
	answers := bufio.NewReader(cmd.InOrStdin())
	for _, name := range names {
		if !opts.Yes {
			yes, err := ask(cmd, answers, name, request)
			if err != nil {
				return err
			}
			if !yes {
				fmt.Fprintf(cmd.OutOrStdout(), "application %s: left as it is\n", name)
				continue
			}
		}
		if err := remove(ctx, c, opts.Wait, request, name, cmd.OutOrStdout()); err != nil {
			return err
		}
	}
	return nil
}

func remove(ctx context.Context, c client.Applications, wait bool, request client.DeleteRequest, name string, w io.Writer) error {
	if err := c.Delete(ctx, name, request); err != nil {
		return err
	}
	if !wait {
		fmt.Fprintf(w, "application %s: deletion requested\n", name)
		return nil
	}
	if _, err := c.Wait(ctx, name, client.State{Deleted: true}, nil); err != nil {
		return err
	}
	fmt.Fprintf(w, "application %s: deleted\n", name)
	return nil
}

// ask asks on standard error, so that the answer of the command stays readable by programs.
func ask(cmd *cobra.Command, answers *bufio.Reader, name string, request client.DeleteRequest) (bool, error) {
	what := "and all its objects"
	if request.Cascade == client.CascadeNone {
		what = "and leave its objects in the cluster"
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "Delete application %s %s? [y/N] ", name, what)
	answer, err := answers.ReadString('\n')
	if errors.Is(err, io.EOF) && answer == "" {
		fmt.Fprintln(cmd.ErrOrStderr())
		return false, command.Usage(cmd, "there is nobody to ask; say --yes")
	}
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes", nil
}
