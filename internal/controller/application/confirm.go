// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"slices"

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
func (c *comparer) ask(ctx context.Context, in diff.Input, candidate diff.Result) (diff.Result, error) {
	options, _ := c.options.For(in.Desired)
	send, err := diff.ForApply(in, options.RespectIgnoreDifferences)
	if err != nil {
		return diff.Result{}, err
	}
	w := sync.Write{Method: sync.Apply, Object: send, Manager: diff.Manager, Force: true, DryRun: true, DropUnknown: options.SkipValidation}
	switch candidate.How {
	case diff.Replace:
		w.Method = sync.Replace
	case diff.ThreeWay:
		w.Method = sync.Patch
		if w.PatchType, w.Patch, err = diff.ThreeWayPatch(in, send); err != nil {
			return diff.Result{}, err
		}
	}
	answer, err := c.writes.Write(ctx, w)
	if err != nil {
		return diff.Result{}, err
	}
	res := diff.Confirm(in, answer)
	if !res.NeedsProbe {
		return res, nil
	}
	probe, err := diff.Probe(in)
	if err != nil || probe == nil {
		return res, err
	}
	in.Probed, err = c.writes.Write(ctx, sync.Write{Method: sync.Replace, Object: probe, Manager: diff.Manager, DryRun: true, DropUnknown: true})
	if err != nil {
		return diff.Result{}, err
	}
	return diff.Confirm(in, answer), nil
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
