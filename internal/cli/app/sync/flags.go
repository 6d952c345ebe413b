// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/cli/app/manifests"
	"github.com/bowline-cd/bowline/internal/cli/command"
)

// Retry are the flags about retrying; they stand in for the policy of the application once a limit is given.
type Retry struct {
	Limit                 int64
	Duration, MaxDuration string
	Factor                int64
	Refresh               bool
}

func (r *Retry) bind(flags *pflag.FlagSet) {
	flags.Int64Var(&r.Limit, "retry-limit", 0, "how often a failed sync is tried again; below zero without end (default: as the application says)")
	flags.StringVar(&r.Duration, "retry-backoff-duration", "5s", "wait before the first retry")
	flags.Int64Var(&r.Factor, "retry-backoff-factor", 2, "factor of the wait after each retry")
	flags.StringVar(&r.MaxDuration, "retry-backoff-max-duration", "3m", "longest wait")
	flags.BoolVar(&r.Refresh, "retry-refresh", false, "let a retry take the newest revision instead of the first one")
}

func (r *Retry) strategy() *v1alpha1.RetryStrategy {
	if r.Limit == 0 {
		return nil
	}
	return &v1alpha1.RetryStrategy{Limit: r.Limit, Refresh: r.Refresh, Backoff: &v1alpha1.Backoff{Duration: r.Duration, Factor: &r.Factor, MaxDuration: r.MaxDuration}}
}

// Applying are the flags about how objects are applied. They are added to the sync options of the application.
type Applying struct{ Replace, ServerSide, OutOfSyncOnly bool }

func (a *Applying) bind(flags *pflag.FlagSet) {
	flags.BoolVar(&a.Replace, "replace", false, "replace objects instead of applying them")
	flags.BoolVar(&a.ServerSide, "server-side", false, "have the API server apply (ServerSideApply=true)")
	flags.BoolVar(&a.OutOfSyncOnly, "apply-out-of-sync-only", false, "apply only what is not in sync")
}

// options are the sync options that the flags stand for.
func (a *Applying) options() v1alpha1.SyncOptions {
	var out v1alpha1.SyncOptions
	for _, o := range []struct {
		given  bool
		option string
	}{{a.Replace, "Replace=true"}, {a.ServerSide, "ServerSideApply=true"}, {a.OutOfSyncOnly, "ApplyOutOfSyncOnly=true"}} {
		if o.given {
			out = append(out, o.option)
		}
	}
	return out
}

// bindSources adds the flags that give revisions to some of several sources.
func (o *Options) bindSources(flags *pflag.FlagSet) {
	flags.StringArrayVar(&o.Revisions, "revisions", nil, "revision of each source, in their order, or of the source that --source-positions or --source-names name; may be repeated")
	flags.Int64SliceVar(&o.Positions, "source-positions", nil, "which of several sources, counted from 1; may be repeated")
	flags.StringArrayVar(&o.Names, "source-names", nil, "which of several sources, by its name; may be repeated")
}

// complete reads the flags whose values have a form of their own into the request.
func (o *Options) complete(cmd *cobra.Command) error {
	if err := manifests.CheckRevisions(cmd, o.Revisions, o.Positions, o.Names); err != nil {
		return err
	}
	chosen, err := command.Select(o.Resources)
	if err != nil {
		return command.Usage(cmd, err.Error())
	}
	o.chosen = chosen
	switch {
	case len(o.Revisions) > 0 && cmd.Flags().NArg() != 1:
		return command.Usage(cmd, "--revisions is about one application: name it")
	case o.Local != "" && (o.Request.Revision != "" || len(o.Revisions) > 0):
		return command.Usage(cmd, "--local stands in for a revision: leave --revision and --revisions out")
	case o.Local == "" && cmd.Flags().Changed("local-source"):
		return command.Usage(cmd, "--local-source says what --local stands in for: give --local too")
	}
	o.Request.Strategy = client.Strategy(o.Strategy)
	switch o.Request.Strategy {
	case "", client.StrategyApply, client.StrategyHook:
	default:
		return command.Usage(cmd, fmt.Sprintf("--strategy is %q and has to be apply or hook", o.Strategy))
	}
	if !command.Patterns(o.Resources) {
		for _, raw := range o.Resources {
			resource, err := command.Resource(raw)
			if err != nil {
				return command.Usage(cmd, err.Error())
			}
			o.Request.Resources = append(o.Request.Resources, resource)
		}
	}
	for _, raw := range o.Info {
		key, value, ok := strings.Cut(raw, "=")
		if !ok || key == "" {
			return command.Usage(cmd, fmt.Sprintf("--info is %q and has to be KEY=VALUE", raw))
		}
		o.Request.Info = append(o.Request.Info, &v1alpha1.Info{Name: key, Value: value})
	}
	o.Request.Retry = o.Retry.strategy()
	return nil
}
