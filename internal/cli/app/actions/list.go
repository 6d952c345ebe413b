// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/internal/action"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/session"
)

// listing are the flags of list.
type listing struct {
	target  Target
	timeout command.Timeout
	output  output.Format
}

// listed is one action of one object, in the form that `argocd app actions list` gives programs.
type listed struct {
	Group, Kind, Namespace, Name, Action string
	Disabled                             bool
	Params                               []action.Param `json:",omitempty"`
}

func newListCmd(s *session.Session, open Opener) *cobra.Command {
	opts := listing{}
	cmd := &cobra.Command{
		Use:   "list NAME",
		Short: "List the actions that objects of an application offer now",
		Example: command.Example(
			"bowline app actions list web --kind Deployment",
			"bowline app actions list web --kind Rollout --resource-name front -o json"),
		Args: command.OneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.target.Session, opts.target.App = s, s.Qualified(args[0])
			return list(cmd.Context(), open, opts, cmd.OutOrStdout())
		},
	}
	opts.target.bind(cmd.Flags())
	cmd.Flags().Var(&opts.timeout, "timeout", "how long it may take (default: no limit)")
	output.Flag(cmd.Flags(), &opts.output, output.Wide, output.JSON, output.YAML)
	return cmd
}

func list(ctx context.Context, open Opener, opts listing, w io.Writer) error {
	ctx, cancel := session.Limit(ctx, time.Duration(opts.timeout))
	defer cancel()
	actor, err := open(ctx, opts.target)
	if err != nil {
		return err
	}
	defer actor.Close()
	objects, err := actor.Objects(ctx)
	if err != nil {
		return err
	}
	all := []listed{} // a program is to read an empty list
	var failed []error
	for _, o := range objects {
		if o.Err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", o, o.Err))
		}
		for _, a := range o.Actions {
			all = append(all, listed{o.Group, o.Kind, o.Namespace, o.Name, a.Name, a.Disabled, a.Params})
		}
	}
	if ok, err := output.Encode(w, opts.output, all); ok {
		return errors.Join(append(failed, err)...)
	}
	rows := make([][]string, 0, len(all))
	for _, l := range all {
		rows = append(rows, []string{l.Group, l.Kind, l.Namespace, l.Name, output.Clean(l.Action), strconv.FormatBool(l.Disabled)})
	}
	output.Table(w, []string{"GROUP", "KIND", "NAMESPACE", "NAME", "ACTION", "DISABLED"}, rows)
	return errors.Join(failed...)
}
