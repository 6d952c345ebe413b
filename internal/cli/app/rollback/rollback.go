// SPDX-License-Identifier: Apache-2.0

// Package rollback is the verb `bowline app rollback`.
package rollback

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/cli/app/view"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Options are the flags.
type Options struct {
	Request client.RollbackRequest
	Until   string
	Revert  bool
	Branch  string
	Async   bool
	Timeout command.Timeout
	Output  output.Format
}

// NewCmd returns the command. Without a reverter there is no --revert.
func NewCmd(s *session.Session, reverter Reverter) *cobra.Command {
	opts := Options{}
	cmd := &cobra.Command{
		Use:   "rollback NAME [ID]",
		Short: "Go back to an earlier deployment, and stay there until something else is in the source",
		Long: `Go back to an earlier deployment: an entry of the history, by default what was deployed before what is there now.
It is rendered again from the commits it was made of; the Git server need not answer. Hooks do not run.

With automated sync on, a hold goes with it: automated sync does not apply again what was taken back. The hold ends when
something else is rendered (a fix; a commit that does not change this application does not count), with
"bowline app hold NAME --end", or at the time of --until. An automated operation that is under way is ended.

With --revert nothing is applied. Instead one commit is pushed, to the branch that the application follows or to --branch,
which gives the files that the application reads the content they had then; all else in the repository stays as it is. It
is rendered before it is pushed: it has to give what was deployed.`,
		Example: command.Example(
			"bowline app rollback web --reason 'checkout fails'",
			"bowline app rollback web 7 --prune --until 2h",
			"bowline app rollback web --revert --branch take-back-web"),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return command.Usage(cmd, fmt.Sprintf("it takes the name of one application and the id of an entry of its history, but got %d arguments", len(args)))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := opts.complete(cmd, s, args); err != nil {
				return err
			}
			if opts.Revert {
				return runRevert(cmd.Context(), reverter, opts, Revert{
					Session: s, Name: s.Qualified(args[0]), ID: opts.Request.ID, Branch: opts.Branch, Reason: opts.Request.Reason, DryRun: opts.Request.DryRun,
				}, cmd.OutOrStdout())
			}
			return run(cmd.Context(), s, opts, args[0], cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&opts.Request.Reason, "reason", "", "why; shown wherever the application is")
	flags.StringVar(&opts.Until, "until", "", "end the hold by itself: after a length of time such as 2h, or at a time")
	flags.BoolVar(&opts.Request.Prune, "prune", false, "delete what was not there then")
	flags.BoolVar(&opts.Request.DryRun, "dry-run", false, "only check what would be done")
	flags.StringVar(&opts.Request.OverrideWindow, "override-window", "", "pass closed sync windows, for this reason, which is recorded")
	if reverter != nil {
		flags.BoolVar(&opts.Revert, "revert", false, "push a commit that takes it back in Git, instead of applying anything")
		flags.StringVar(&opts.Branch, "branch", "", "with --revert: the branch to push to (default: the one that the application follows)")
	}
	flags.BoolVar(&opts.Async, "async", false, "do not wait")
	flags.Var(&opts.Timeout, "timeout", "how long to wait (default: no limit)")
	output.Flag(flags, &opts.Output, output.Wide, output.JSON, output.YAML)
	return cmd
}

// complete reads arguments and flags whose values have a form of their own into the request.
func (o *Options) complete(cmd *cobra.Command, s *session.Session, args []string) (err error) {
	if len(args) == 2 {
		id, err := strconv.ParseInt(args[1], 10, 64)
		if err != nil {
			return command.Usage(cmd, fmt.Sprintf("%q is no id of an entry of the history: those are numbers", args[1]))
		}
		o.Request.ID = &id
	}
	switch {
	case o.Branch != "" && !o.Revert:
		return command.Usage(cmd, "--branch is where --revert pushes to: give --revert too")
	case o.Revert && (o.Until != "" || o.Request.Prune || o.Async):
		return command.Usage(cmd, "--revert applies nothing: leave --until, --prune and --async out")
	}
	if o.Request.Until, err = command.Until(o.Until, s.Now()); err != nil {
		return command.Usage(cmd, err.Error())
	}
	return nil
}

func run(ctx context.Context, s *session.Session, opts Options, name string, w io.Writer) error {
	c, err := s.Client()
	if err != nil {
		return err
	}
	ctx, cancel := session.Limit(ctx, time.Duration(opts.Timeout))
	defer cancel()
	app, err := c.Rollback(ctx, s.Qualified(name), opts.Request)
	if err != nil {
		return err
	}
	if opts.Async {
		fmt.Fprintf(w, "application %s/%s: rollback requested\n", app.Namespace, app.Name)
		return nil
	}
	app, err = view.Follow(w, opts.Output, s.Now, func(progress func(*v1alpha1.Application)) (*v1alpha1.Application, error) {
		return c.Wait(ctx, s.Qualified(name), client.State{Operation: true}, progress)
	})
	if err != nil {
		return err
	}
	if err := view.Show(w, opts.Output, app); err != nil {
		return err
	}
	return verdict(app)
}

// verdict is the error of a rollback that failed.
func verdict(app *v1alpha1.Application) error {
	state := app.Status.OperationState
	if state != nil && state.Phase.Successful() {
		return nil
	}
	cause := "the request is gone and nothing says what became of it"
	if state != nil {
		cause = fmt.Sprintf("the operation ended as %s: %s", state.Phase, state.Message)
	}
	fix := "see `bowline app get`"
	if _, held := app.Annotations[v1alpha1.AnnotationHold]; held {
		fix += "; automated sync is held all the same, until something else is in the source or `bowline app hold " + app.Name + " --end`"
	}
	return fault.New(fault.Retry, "roll back", "application "+app.Namespace+"/"+app.Name, "", cause, fix)
}
