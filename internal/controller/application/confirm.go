// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	stdsync "sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
	"github.com/bowline-cd/bowline/internal/settings"
	"github.com/bowline-cd/bowline/internal/sync"
)

// optionsOf returns the sync options that hold for an object.
func optionsOf(app *v1alpha1.Application, want *unstructured.Unstructured) plan.Options {
	options, _ := plan.ParseOptions(syncOptions(app))
	of, _ := options.For(want)
	return of
}

// adoptOf returns the field managers whose fields are taken over from earlier writers.
func adoptOf(app *v1alpha1.Application) []string {
	options, _ := plan.ParseOptions(syncOptions(app))
	return options.Adopt(app)
}

// howOf returns how an object is written, and so compared.
func howOf(o plan.Options) diff.How {
	if o.Replace {
		return diff.Replace
	}
	return diff.ServerSide
}

// ask sends the write that a sync would make as a dry run, and compares live with the answer.
func (t *table) ask(ctx context.Context, in diff.Input, candidate diff.Result) (diff.Result, error) {
	options := optionsOf(t.p.app, in.Desired)
	send, err := diff.ForApply(in, options.RespectIgnoreDifferences)
	if err != nil {
		return diff.Result{}, err
	}
	target := clusterTarget{c: t.p.cluster}
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
	answer, err := target.Write(ctx, w)
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
	in.Probed, err = target.Write(ctx, sync.Write{Method: sync.Replace, Object: probe, Manager: diff.Manager, DryRun: true, DropUnknown: true})
	if err != nil {
		return diff.Result{}, err
	}
	return diff.Confirm(in, answer), nil
}

// schemas turns the structural schemas of custom resources into what comparisons use, each once.
type schemas struct {
	mu       stdsync.Mutex
	compiled map[schemaKey]*diff.Schema
}

type schemaKey struct {
	gvk    schema.GroupVersionKind
	digest object.Digest
}

// get returns the schema of a custom resource; nil for kinds that are built in or have none.
func (s *schemas) get(ctx context.Context, c *cluster.Cluster, gvk schema.GroupVersionKind) (*diff.Schema, error) {
	if diff.BuiltIn(gvk) != nil {
		return nil, nil
	}
	found, err := c.Schema(ctx, gvk)
	if err != nil {
		return nil, fmt.Errorf("read the schema of %s: %w", gvk, err)
	}
	if found == nil {
		return nil, nil
	}
	key := schemaKey{gvk, found.Digest}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.compiled[key]; known != nil {
		return known, nil
	}
	raw, err := json.Marshal(found.Props)
	if err != nil {
		return nil, fmt.Errorf("read the schema of %s: %w", gvk, err)
	}
	var props map[string]any
	if err := json.Unmarshal(raw, &props); err != nil {
		return nil, fmt.Errorf("read the schema of %s: %w", gvk, err)
	}
	compiled, err := diff.ForCRD(gvk, props, nil)
	if err != nil {
		return nil, err
	}
	s.compiled[key] = compiled
	return compiled, nil
}

// ignoreRules compiles the rules of settings and of the application about what is not compared.
func (p *pass) ignoreRules() (*diff.Rules, error) {
	s := p.rules.Settings
	ignored := slices.Concat(p.app.Spec.IgnoreDifferences, p.unproven())
	key := ignoreKey{settings: p.rules.Version, app: object.DigestOf(ignored)}
	if p.st.ignore != nil && p.st.ignoreKey == key {
		return p.st.ignore, nil
	}
	rules, err := diff.NewRules(diff.RuleSettings{Common: s.IgnoreDifferences, Ignore: ignored, Status: statusMode(s.Compare.IgnoreStatus), AggregatedRoles: s.Compare.IgnoreAggregatedRoles})
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
