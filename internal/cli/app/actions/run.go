// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/internal/action"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// running are the flags of run.
type running struct {
	target  Target
	all     bool
	params  []string
	dryRun  bool
	timeout command.Timeout
	output  output.Format
}

func newRunCmd(s *session.Session, open Opener) *cobra.Command {
	opts := running{}
	cmd := &cobra.Command{
		Use:   "run NAME ACTION",
		Short: "Run an action on an object of an application",
		Long: `Run an action on an object of an application. If several objects are chosen nothing is done without --all; with it
objects that do not offer the action, or for which it is disabled, are passed over.

The live object changes, the source does not: what the source sets is put back by the next sync.`,
		Example: command.Example(
			"bowline app actions run web restart --kind Deployment --resource-name front",
			"bowline app actions run web restart --kind Deployment --all",
			"bowline app actions run web scale --kind Deployment --resource-name front --param replicas=3"),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return command.Usage(cmd, fmt.Sprintf("it takes the name of one application and of one action, but got %d arguments", len(args)))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.target.Session, opts.target.App = s, s.Qualified(args[0])
			return run(cmd.Context(), open, opts, args[1], cmd)
		},
	}
	flags := cmd.Flags()
	opts.target.bind(flags)
	flags.BoolVar(&opts.all, "all", false, "run it on every object that is chosen")
	flags.StringArrayVar(&opts.params, "param", nil, "parameter of the action: name=value; may be repeated")
	flags.BoolVar(&opts.dryRun, "dry-run", false, "have the API server check it and do nothing")
	flags.Var(&opts.timeout, "timeout", "how long it may take (default: no limit)")
	output.Flag(flags, &opts.output, output.Wide, output.JSON, output.YAML)
	return cmd
}

func run(ctx context.Context, open Opener, opts running, name string, cmd *cobra.Command) error {
	params, err := pairs(cmd, opts.params)
	if err != nil {
		return err
	}
	ctx, cancel := session.Limit(ctx, time.Duration(opts.timeout))
	defer cancel()
	actor, err := open(ctx, opts.target)
	if err != nil {
		return err
	}
	defer actor.Close()
	found, err := actor.Objects(ctx)
	if err != nil {
		return err
	}
	chosen, err := choose(found, name, opts.all)
	if err != nil {
		return err
	}
	done, err := actor.Run(ctx, chosen, Order{Action: name, Params: params, DryRun: opts.dryRun})
	if done == nil {
		done = []Done{}
	}
	return errors.Join(report(cmd.OutOrStdout(), opts, done), err)
}

// pairs reads name=value.
func pairs(cmd *cobra.Command, list []string) (map[string]string, error) {
	out := map[string]string{}
	for _, item := range list {
		name, value, ok := strings.Cut(item, "=")
		if !ok || name == "" {
			return nil, command.Usage(cmd, fmt.Sprintf("--param %q is not name=value", item))
		}
		out[name] = value
	}
	return out, nil
}

// choose returns the objects to run on. Of one object whatever is wrong is an error; of several, those that do not offer
// the action are none of the chosen.
func choose(found []Object, name string, all bool) ([]Object, error) {
	if len(found) == 0 {
		return nil, fault.New(fault.Mistake, "run", "action "+name, "", "no object of the application is chosen", "see `bowline app resources`, and choose with --kind, --group, --resource-name")
	}
	if len(found) > 1 && !all {
		var names []string
		for _, o := range found {
			names = append(names, o.String())
		}
		return nil, fault.New(fault.Mistake, "run", "action "+name, "", fmt.Sprintf("%d objects are chosen: %s", len(found), strings.Join(names, ", ")), "choose one with --resource-name, or all with --all")
	}
	var chosen []Object
	for _, o := range found {
		if o.Err != nil {
			return nil, fmt.Errorf("%s: %w", o, o.Err)
		}
		offered := slices.ContainsFunc(o.Actions, func(a action.Action) bool { return a.Name == name && !a.Disabled })
		if offered || len(found) == 1 {
			chosen = append(chosen, o)
		}
	}
	if len(chosen) == 0 {
		return nil, fault.New(fault.Mistake, "run", "action "+name, "", fmt.Sprintf("none of the %d objects offers it now", len(found)), "see `bowline app actions list`")
	}
	return chosen, nil
}

func report(w io.Writer, opts running, done []Done) error {
	if ok, err := output.Encode(w, opts.output, done); ok {
		return err
	}
	suffix := ""
	if opts.dryRun {
		suffix = " (dry run)"
	}
	for _, d := range done {
		fmt.Fprintf(w, "%s %s%s\n", output.Clean(Object{Kind: d.Kind, Namespace: d.Namespace, Name: d.Name}.String()), d.Outcome, suffix)
	}
	return nil
}
