// SPDX-License-Identifier: Apache-2.0

// Package sync is the verb `bowline app sync`.
package sync

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/cli/app/view"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/render"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Options are the flags.
type Options struct {
	Request   client.SyncRequest
	Resources []string
	Strategy  string
	Retry     Retry
	Info      []string
	Override  string
	Local     string
	// LocalSource is which of several sources Local stands in for, from 0.
	LocalSource int
	Async       bool
	Timeout     command.Timeout
	Output      output.Format
}

// NewCmd returns the command. Without a renderer there is no --local.
func NewCmd(s *session.Session, renderer render.Renderer) *cobra.Command {
	opts := Options{}
	cmd := &cobra.Command{
		Use:   "sync NAME...",
		Short: "Make the cluster equal to the source, and wait until that is done",
		Example: command.Example(
			"bowline app sync web --prune",
			"bowline app sync web --revision v1.2.3 --dry-run",
			"bowline app sync web --resource apps:Deployment:web --async"),
		Args: command.Names,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := opts.complete(cmd); err != nil {
				return err
			}
			if err := opts.overrideWindow(cmd); err != nil {
				return err
			}
			return run(cmd.Context(), s, renderer, opts, args, cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&opts.Request.Prune, "prune", false, "delete what is no longer in the source")
	flags.BoolVar(&opts.Request.DryRun, "dry-run", false, "only check what would be done")
	flags.BoolVar(&opts.Request.Force, "force", false, "delete and make anew what cannot be changed in place")
	flags.StringVar(&opts.Request.Revision, "revision", "", "sync to this revision instead of the target revision")
	flags.StringArrayVar(&opts.Request.Revisions, "revisions", nil, "revision of each source, in their order, for an application with several")
	flags.StringArrayVar(&opts.Resources, "resource", nil, "only this object, as GROUP:KIND:NAME or GROUP:KIND:NAMESPACE/NAME; may be repeated")
	flags.StringVar(&opts.Strategy, "strategy", "", "apply (without hooks) or hook (the default)")
	flags.StringArrayVar(&opts.Info, "info", nil, "KEY=VALUE that goes into the record of the operation; may be repeated")
	flags.StringVar(&opts.Override, "override-window", "", "pass closed sync windows, for this reason, which is recorded")
	if renderer != nil {
		flags.StringVar(&opts.Local, "local", "", "apply what a folder of this disk renders to, in the place of the repository; not with automated sync, but for --dry-run")
		flags.IntVar(&opts.LocalSource, "local-source", 0, "which of several sources --local stands in for, from 0")
	}
	flags.BoolVar(&opts.Async, "async", false, "do not wait")
	flags.Var(&opts.Timeout, "timeout", "how long to wait (default: no limit)")
	opts.Retry.bind(flags)
	output.Flag(flags, &opts.Output, output.Wide, output.JSON, output.YAML)
	return cmd
}

func run(ctx context.Context, s *session.Session, renderer render.Renderer, opts Options, names []string, w io.Writer) error {
	c, err := s.Client()
	if err != nil {
		return err
	}
	ctx, cancel := session.Limit(ctx, time.Duration(opts.Timeout))
	defer cancel()
	for _, name := range names {
		if opts.Local != "" {
			if opts.Request.Manifests, err = local(ctx, s, renderer, opts, name); err != nil {
				return err
			}
		}
		app, err := c.Sync(ctx, s.Qualified(name), opts.Request)
		if err != nil {
			return err
		}
		if opts.Async {
			fmt.Fprintf(w, "application %s/%s: sync requested\n", app.Namespace, app.Name)
		}
	}
	if opts.Async {
		return nil
	}
	for i, name := range names {
		if i > 0 {
			output.Next(w, opts.Output)
		}
		if err := await(ctx, s, c, opts, name, w); err != nil {
			return err
		}
	}
	return nil
}

// await follows the operation to its end and says how it ended.
func await(ctx context.Context, s *session.Session, c client.Applications, opts Options, name string, w io.Writer) error {
	app, err := view.Follow(w, opts.Output, s.Now, func(progress func(*v1alpha1.Application)) (*v1alpha1.Application, error) {
		return c.Wait(ctx, s.Qualified(name), client.State{Operation: true}, progress)
	})
	if err != nil {
		return err
	}
	if err := view.Show(w, opts.Output, app); err != nil {
		return err
	}
	return verdict(app, opts.Request)
}

// verdict is the error of an operation that did not do all it was asked for.
func verdict(app *v1alpha1.Application, request client.SyncRequest) error {
	thing := "application " + app.Namespace + "/" + app.Name
	state := app.Status.OperationState
	if state == nil {
		return fault.New(fault.Retry, "sync", thing, "", "the request is gone and nothing says what became of it", "look for who removed the operation, then sync again")
	}
	if !state.Phase.Successful() {
		return fault.New(fault.Retry, "sync", thing, "", fmt.Sprintf("the operation ended as %s: %s", state.Phase, state.Message), "see `bowline app get`")
	}
	left := 0
	if state.SyncResult != nil {
		for _, result := range state.SyncResult.Resources {
			if result.Status == v1alpha1.ResultCodePruneSkipped {
				left++
			}
		}
	}
	if left > 0 && !request.DryRun && len(request.Resources) == 0 && app.Status.Sync.Status != v1alpha1.SyncStatusCodeSynced {
		return fault.New(fault.Mistake, "sync", thing, "", fmt.Sprintf("objects that are no longer in the source and were left: %d", left),
			"delete them with --prune; their messages say what else keeps them")
	}
	return nil
}
