// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"errors"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
	"github.com/bowline-cd/bowline/internal/settings"
	"github.com/bowline-cd/bowline/internal/sync"
)

// howOf returns how an object is written, and so compared.
func howOf(o plan.Options) diff.How {
	if o.Replace {
		return diff.Replace
	}
	return diff.ServerSide
}

// ask sends the write that a sync would make as a dry run, and compares live with the answer.
func (c *comparer) ask(ctx context.Context, in diff.Input, how diff.How) (diff.Result, error) {
	answer, err := c.dryRun(ctx, in, how)
	if err != nil {
		return diff.Result{}, err
	}
	res := diff.Confirm(in, answer)
	if !res.NeedsProbe {
		return res, nil
	}
	if in.Probed, err = c.probe(ctx, in); err != nil || in.Probed == nil {
		return res, err
	}
	return diff.Confirm(in, answer), nil
}

// dryRun returns what the API server would make of the object.
func (c *comparer) dryRun(ctx context.Context, in diff.Input, how diff.How) (*unstructured.Unstructured, error) {
	options, _ := c.options.For(in.Desired)
	send, err := diff.ForApply(in, options.RespectIgnoreDifferences)
	if err != nil {
		return nil, err
	}
	w := sync.Write{Method: sync.Apply, Object: send, Manager: diff.Manager, Force: true, DryRun: true, DropUnknown: options.SkipValidation}
	switch how {
	case diff.Replace:
		w.Method = sync.Replace
	case diff.ThreeWay:
		w.Method = sync.Patch
		if w.PatchType, w.Patch, err = diff.ThreeWayPatch(in, send); err != nil {
			return nil, err
		}
	}
	return c.writes.Write(ctx, w)
}

// probe asks which of the fields that earlier writers left the API server would fill in again; nil if there are none.
func (c *comparer) probe(ctx context.Context, in diff.Input) (*unstructured.Unstructured, error) {
	probe, err := diff.Probe(in)
	if err != nil || probe == nil {
		return nil, err
	}
	return c.writes.Write(ctx, sync.Write{Method: sync.Replace, Object: probe, Manager: diff.Manager, DryRun: true, DropUnknown: true})
}

// answered returns the API server's answer to a dry run about an object, for people who want to see it, with the input that
// it answers. It is nil if the answer is plain without asking.
func (c *comparer) answered(ctx context.Context, in diff.Input) (diff.Input, *unstructured.Unstructured, error) {
	in.Accepted = nil
	candidate := diff.Compare(in)
	if !candidate.NeedsConfirmation {
		return in, nil, nil
	}
	answer, err := c.dryRun(ctx, in, candidate.How)
	if errors.Is(err, cluster.ApplyRefused) && in.How != diff.ThreeWay {
		in.How = diff.ThreeWay
		if candidate = diff.Compare(in); !candidate.NeedsConfirmation {
			return in, nil, nil
		}
		answer, err = c.dryRun(ctx, in, candidate.How)
	}
	if err == nil && candidate.NeedsProbe {
		in.Probed, err = c.probe(ctx, in)
	}
	return in, answer, err
}

// ignoreRules compiles the rules of settings and of the application about what is not compared.
func (p *pass) ignoreRules() (*diff.Rules, error) {
	s := p.rules.Settings
	ignored := slices.Concat(p.app.Spec.IgnoreDifferences, p.unproven())
	key := ignoreKey{settings: p.rules.Version, app: object.DigestOf(ignored)}
	if p.st.ignore != nil && p.st.ignoreKey == key {
		return p.st.ignore, nil
	}
	rules, err := diff.NewRules(diff.RuleSettings{
		Common: s.IgnoreDifferences, Ignore: ignored, Status: statusMode(s.Compare.IgnoreStatus), AggregatedRoles: s.Compare.IgnoreAggregatedRoles,
		SensitiveAnnotations: s.MaskAnnotations, JQTimeout: s.JQTimeout, FindPaths: p.FindPaths,
	})
	if err != nil {
		return nil, err
	}
	p.st.ignore, p.st.ignoreKey = rules, key
	p.st.touch()
	return rules, nil
}

func statusMode(m settings.IgnoreStatus) diff.StatusMode {
	switch m {
	case settings.IgnoreStatusCRD:
		return diff.StatusIgnoredForCRDs
	case settings.IgnoreStatusNone:
		return diff.StatusCompared
	default:
		return diff.StatusIgnoredForAll
	}
}

type ignoreKey struct {
	settings string
	app      object.Digest
}
