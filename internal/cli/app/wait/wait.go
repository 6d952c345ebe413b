// SPDX-License-Identifier: Apache-2.0

// Package wait is the verb `bowline app wait`.
package wait

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/cli/app/pick"
	"github.com/bowline-cd/bowline/internal/cli/app/view"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/session"
)

// Options are the flags.
type Options struct {
	State     client.State
	Pick      pick.Flags
	Resources []string
	Timeout   command.Timeout
	Output    output.Format
}

// NewCmd returns the command.
func NewCmd(s *session.Session) *cobra.Command {
	opts := &Options{}
	cmd := &cobra.Command{
		Use:   "wait [NAME...]",
		Short: "Wait until applications are in a state",
		Long: `Wait until applications are in a state. All flags have to hold at once; of the three about health any one will do.
Without any of them it waits for --sync, --health and --operation.

An operation counts as under way until the comparison after it was made, so that what is seen then is its outcome.
--operation-id waits for one operation, by what "bowline app sync --async" prints, and fails if that one failed.`,
		Example: command.Example(
			"bowline app wait web",
			"bowline app wait web --health --suspended --timeout 5m",
			"bowline app wait -l team=shop --sync --revision 4f0c2a1",
			"bowline app wait web --health --resource apps:Deployment:front"),
		Args: opts.Pick.Args,
		RunE: func(cmd *cobra.Command, args []string) error {
			chosen, err := command.Select(opts.Resources)
			if err != nil {
				return command.Usage(cmd, err.Error())
			}
			if len(chosen) > 0 {
				opts.State.Chosen = func(r v1alpha1.ResourceStatus) bool { return chosen.Match(r.Group, r.Kind, r.Namespace, r.Name) }
			}
			return run(cmd.Context(), s, *opts, args, cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&opts.State.Synced, "sync", false, "wait until it is Synced")
	flags.BoolVar(&opts.State.Healthy, "health", false, "wait until it is Healthy")
	flags.BoolVar(&opts.State.Suspended, "suspended", false, "wait until it is Suspended")
	flags.BoolVar(&opts.State.Degraded, "degraded", false, "wait until it is Degraded")
	flags.BoolVar(&opts.State.Operation, "operation", false, "wait until no operation is under way")
	flags.BoolVar(&opts.State.Deleted, "delete", false, "wait until it is gone")
	flags.BoolVar(&opts.State.Hydrated, "hydrated", false, "wait until its dry source is rendered")
	flags.StringVar(&opts.State.Revision, "revision", "", "wait until it is compared with this revision, or one that begins so")
	flags.StringVar(&opts.State.Request, "operation-id", "", "wait until this operation has ended")
	flags.StringArrayVar(&opts.Resources, "resource", nil, "--sync and those about health are about this object, as GROUP:KIND:NAME, with * for any, and ! before it for all others; may be repeated")
	opts.Pick.Bind(flags, false)
	flags.Var(&opts.Timeout, "timeout", "how long to wait (default: no limit)")
	output.Flag(flags, &opts.Output, output.Wide, output.JSON, output.YAML)
	return cmd
}

func run(ctx context.Context, s *session.Session, opts Options, names []string, w io.Writer) error {
	opts.State = completed(opts.State)
	c, err := s.Client()
	if err != nil {
		return err
	}
	ctx, cancel := session.Limit(ctx, time.Duration(opts.Timeout))
	defer cancel()
	names, err = opts.Pick.Names(ctx, s, c, names)
	if err != nil {
		return err
	}
	for i, name := range names {
		if i > 0 && !opts.State.Deleted {
			output.Next(w, opts.Output)
		}
		app, err := view.Follow(w, opts.Output, s.Now, func(progress func(*v1alpha1.Application)) (*v1alpha1.Application, error) {
			return c.Wait(ctx, name, opts.State, progress)
		})
		if err != nil {
			return err
		}
		if opts.State.Deleted {
			continue
		}
		if err := view.Show(w, opts.Output, app); err != nil {
			return err
		}
		if err := view.Outcome(app, opts.State.Request); err != nil {
			return err
		}
	}
	return nil
}

// completed is what to wait for if no flag says so.
func completed(state client.State) client.State {
	asked := state
	asked.Chosen = nil
	if asked.Empty() {
		state.Synced, state.Healthy, state.Operation = true, true, true
	}
	return state
}
