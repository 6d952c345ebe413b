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
	"github.com/bowline-cd/bowline/internal/cli/app/diff"
	"github.com/bowline-cd/bowline/internal/cli/app/pick"
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
	Pick      pick.Flags
	Resources []string
	Labels    []string
	Revisions []string
	Positions []int64
	Names     []string
	Strategy  string
	Applying  Applying
	Retry     Retry
	Info      []string
	Override  string
	Local     string
	// LocalSource is which of several sources Local stands in for, from 0.
	LocalSource  int
	Preview, Yes bool
	Async        bool
	Timeout      command.Timeout
	Output       output.Format

	chosen command.Selection
}

// NewCmd returns the command. Without a renderer there is no --local, without a differ no --preview-changes.
func NewCmd(s *session.Session, renderer render.Renderer, differ diff.Differ) *cobra.Command {
	opts := &Options{}
	cmd := &cobra.Command{
		Use:   "sync [NAME...]",
		Short: "Make the cluster equal to the source, and wait until that is done",
		Long: `Make the cluster equal to the source, and wait until that is done. With --async the id of the operation is printed, which
"bowline app wait --operation-id" takes.`,
		Example: command.Example(
			"bowline app sync web --prune",
			"bowline app sync web --revision v1.2.3 --dry-run",
			"bowline app sync web --resource apps:Deployment:web --async",
			"bowline app sync -l team=shop --apply-out-of-sync-only"),
		Args: opts.Pick.Args,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := opts.complete(cmd); err != nil {
				return err
			}
			if err := opts.overrideWindow(cmd); err != nil {
				return err
			}
			return run(cmd, s, renderer, differ, *opts, args)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&opts.Request.Prune, "prune", false, "delete what is no longer in the source")
	flags.BoolVar(&opts.Request.DryRun, "dry-run", false, "only check what would be done")
	flags.BoolVar(&opts.Request.Force, "force", false, "delete and make anew what cannot be changed in place")
	flags.StringVar(&opts.Request.Revision, "revision", "", "sync to this revision instead of the target revision")
	flags.StringArrayVar(&opts.Resources, "resource", nil, "only this object, as GROUP:KIND:NAME or GROUP:KIND:NAMESPACE/NAME, with * for any, and ! before it for all others; may be repeated")
	flags.StringArrayVar(&opts.Labels, "label", nil, "only objects with this label, as NAME=VALUE; may be repeated")
	flags.StringVar(&opts.Strategy, "strategy", "", "apply (without hooks) or hook (the default)")
	flags.StringArrayVar(&opts.Info, "info", nil, "KEY=VALUE that goes into the record of the operation; may be repeated")
	flags.StringVar(&opts.Override, "override-window", "", "pass closed sync windows, for this reason, which is recorded")
	if renderer != nil {
		flags.StringVar(&opts.Local, "local", "", "apply what a folder of this disk renders to, in the place of the repository; not with automated sync, but for --dry-run")
		flags.IntVar(&opts.LocalSource, "local-source", 0, "which of several sources --local stands in for, from 0")
	}
	if differ != nil {
		flags.BoolVar(&opts.Preview, "preview-changes", false, "show what would change, and ask")
		flags.BoolVar(&opts.Yes, "assumeYes", false, "do not ask")
	}
	opts.bindSources(flags)
	opts.Pick.Bind(flags, true)
	opts.Applying.bind(flags)
	flags.BoolVar(&opts.Async, "async", false, "do not wait")
	flags.Var(&opts.Timeout, "timeout", "how long to wait (default: no limit)")
	opts.Retry.bind(flags)
	output.Flag(flags, &opts.Output, output.Wide, output.JSON, output.YAML)
	return cmd
}

// asked is one operation that was asked for.
type asked struct {
	name    string
	request client.SyncRequest
	app     *v1alpha1.Application // as it was then
}

func run(cmd *cobra.Command, s *session.Session, renderer render.Renderer, differ diff.Differ, opts Options, names []string) error {
	c, err := s.Client()
	if err != nil {
		return err
	}
	ctx, cancel := session.Limit(cmd.Context(), time.Duration(opts.Timeout))
	defer cancel()
	if names, err = opts.Pick.Names(ctx, s, c, names); err != nil {
		return err
	}
	var all []asked
	for _, name := range names {
		if opts.Preview {
			goOn, err := opts.preview(cmd, s, differ, name)
			if err != nil {
				return err
			}
			if !goOn {
				continue
			}
		}
		one, err := ask(ctx, s, c, renderer, opts, name)
		if err != nil {
			return err
		}
		if opts.Async {
			fmt.Fprintf(cmd.OutOrStdout(), "application %s/%s: sync requested (operation %s)\n", one.app.Namespace, one.app.Name, idOf(one.request))
		}
		all = append(all, one)
	}
	if opts.Async {
		return nil
	}
	for i, one := range all {
		if i > 0 {
			output.Next(cmd.OutOrStdout(), opts.Output)
		}
		if err := await(ctx, s, c, opts, one, cmd.OutOrStdout()); err != nil {
			return err
		}
	}
	return nil
}

// ask asks for the operation of one application.
func ask(ctx context.Context, s *session.Session, c client.Applications, renderer render.Renderer, opts Options, name string) (asked, error) {
	request, err := opts.request(ctx, s, c, name)
	if err == nil && opts.Local != "" {
		request.Manifests, err = local(ctx, s, renderer, opts, name)
	}
	if err != nil {
		return asked{}, err
	}
	app, err := c.Sync(ctx, name, request)
	return asked{name, request, app}, err
}

// idOf returns the id by which the operation is known again.
func idOf(request client.SyncRequest) string {
	operation := v1alpha1.Operation{Info: request.Info}
	return client.RequestOf(operation)
}

// await follows the operation to its end and says how it ended.
func await(ctx context.Context, s *session.Session, c client.Applications, opts Options, one asked, w io.Writer) error {
	state := client.State{Request: idOf(one.request), From: one.app.ResourceVersion}
	app, err := view.Follow(w, opts.Output, s.Now, func(progress func(*v1alpha1.Application)) (*v1alpha1.Application, error) {
		return c.Wait(ctx, one.name, state, progress)
	})
	if err != nil {
		return err
	}
	if err := view.Show(w, opts.Output, app); err != nil {
		return err
	}
	return verdict(app, one.request)
}

// verdict is the error of an operation that did not do all it was asked for.
func verdict(app *v1alpha1.Application, request client.SyncRequest) error {
	thing := "application " + app.Namespace + "/" + app.Name
	state := app.Status.OperationState
	if state == nil {
		return fault.New(fault.Retry, "sync", thing, "", "the request is gone and nothing says what became of it", "look for who removed the operation, then sync again")
	}
	if other := client.RequestOf(state.Operation); other != "" && other != idOf(request) {
		return view.Outcome(app, idOf(request))
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
