// SPDX-License-Identifier: Apache-2.0

package spec

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

type application = v1alpha1.ApplicationSpec

func (f *Flags) onSpec(name string, apply func(*application) error) {
	f.spec = append(f.spec, change[application]{name, func(_ context.Context, spec *application) error { return apply(spec) }})
}

func (f *Flags) bindSpec() {
	word := func(name, usage string, into func(*application) *string) {
		value := f.set.String(name, "", usage)
		f.onSpec(name, func(spec *application) error { *into(spec) = *value; return nil })
	}
	word("project", "project of the application", func(spec *application) *string { return &spec.Project })
	word("dest-server", "URL of the cluster, such as https://kubernetes.default.svc", func(spec *application) *string { return &spec.Destination.Server })
	word("dest-name", "name of the cluster, such as in-cluster", func(spec *application) *string { return &spec.Destination.Name })
	word("dest-namespace", "namespace in the cluster", func(spec *application) *string { return &spec.Destination.Namespace })
	limit := f.set.Int64("revision-history-limit", 10, "how many past deployments to remember")
	f.onSpec("revision-history-limit", func(spec *application) error { spec.RevisionHistoryLimit = limit; return nil })
}

func (f *Flags) bindPolicy() {
	mode := f.set.String("sync-policy", "", "manual (or none), or automated (or auto, automatic)")
	f.onSpec("sync-policy", func(spec *application) error { return setPolicy(spec, *mode) })
	options := f.set.StringArray("sync-option", nil, "sync option to add, such as Prune=false, or with ! before it to remove; may be repeated")
	f.onSpec("sync-option", func(spec *application) error { setOptions(policy(spec), *options); return nil })
	f.automated("auto-prune", "let automated sync delete what is no longer desired", func(a *v1alpha1.SyncPolicyAutomated) **bool { return &a.Prune })
	f.automated("self-heal", "let automated sync undo changes in the cluster", func(a *v1alpha1.SyncPolicyAutomated) **bool { return &a.SelfHeal })
	f.automated("allow-empty", "let automated sync delete everything", func(a *v1alpha1.SyncPolicyAutomated) **bool { return &a.AllowEmpty })
	f.bindRetry()
}

func (f *Flags) automated(name, usage string, into func(*v1alpha1.SyncPolicyAutomated) **bool) {
	value := f.set.Bool(name, false, usage)
	f.onSpec(name, func(spec *application) error {
		p := policy(spec)
		if p.Automated == nil { // the flag is about how, and turns nothing on
			off := false
			p.Automated = &v1alpha1.SyncPolicyAutomated{Enabled: &off}
		}
		*into(p.Automated) = value
		return nil
	})
}

func (f *Flags) bindRetry() {
	limit := f.set.Int64("sync-retry-limit", 0, "how often a failed sync is tried again")
	first := f.set.Duration("sync-retry-backoff-duration", 5*time.Second, "wait before the first retry")
	longest := f.set.Duration("sync-retry-backoff-max-duration", 3*time.Minute, "longest wait")
	factor := f.set.Int64("sync-retry-backoff-factor", 2, "factor of the wait after each retry")
	refresh := f.set.Bool("sync-retry-refresh", false, "let a retry take the newest revision instead of the first one")
	f.onSpec("sync-retry-limit", func(spec *application) error {
		switch {
		case *limit < 0:
			return fmt.Errorf("%d is below zero", *limit)
		case *limit == 0:
			policy(spec).Retry = nil
			return nil
		}
		policy(spec).Retry = &v1alpha1.RetryStrategy{
			Limit:   *limit,
			Backoff: &v1alpha1.Backoff{Duration: first.String(), MaxDuration: longest.String(), Factor: factor},
		}
		return nil
	})
	f.onSpec("sync-retry-refresh", func(spec *application) error {
		p := policy(spec)
		if p.Retry == nil {
			p.Retry = &v1alpha1.RetryStrategy{}
		}
		p.Retry.Refresh = *refresh
		return nil
	})
}

func policy(spec *application) *v1alpha1.SyncPolicy {
	if spec.SyncPolicy == nil {
		spec.SyncPolicy = &v1alpha1.SyncPolicy{}
	}
	return spec.SyncPolicy
}

func setPolicy(spec *application, mode string) error {
	switch mode {
	case "none", "manual":
		policy(spec).Automated = nil
	case "auto", "automatic", "automated":
		policy(spec).Automated = &v1alpha1.SyncPolicyAutomated{}
	default:
		return fmt.Errorf("%q has to be manual or automated", mode)
	}
	return nil
}

// setOptions adds and removes options. One that is there stays where it is.
func setOptions(p *v1alpha1.SyncPolicy, options []string) {
	for _, option := range options {
		if removed, ok := strings.CutPrefix(option, "!"); ok {
			p.SyncOptions = slices.DeleteFunc(p.SyncOptions, func(o string) bool { return o == removed })
		} else if !slices.Contains(p.SyncOptions, option) {
			p.SyncOptions = append(p.SyncOptions, option)
		}
	}
	if len(p.SyncOptions) == 0 {
		p.SyncOptions = nil
	}
}

// trimPolicy takes out a policy that says nothing.
func trimPolicy(spec *application) {
	if spec.SyncPolicy != nil && reflect.ValueOf(*spec.SyncPolicy).IsZero() {
		spec.SyncPolicy = nil
	}
}
