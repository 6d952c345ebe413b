// SPDX-License-Identifier: Apache-2.0

package application

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
)

// How an object changed between two deployments.
const (
	objectAdded   = "added"
	objectRemoved = "removed"
	objectChanged = "changed"
)

// The limits of a comparison: how much of a value is shown, and how much all values have together before they are cut short.
const (
	comparedValue  = 16 << 10
	comparedValues = 8 << 20
)

// side is one of two deployments that are compared.
type side struct {
	name    string // in errors
	app     *v1alpha1.Application
	sources []v1alpha1.ApplicationSource
	// revisions are those of the sources; nil for what they say now.
	revisions []string
}

// Compare says what changed between two deployments of an application, or since one: both are rendered from their sources again,
// and compared object by object. A caller needs the right to see the application.
func (s *Service) Compare(ctx context.Context, q *bowline.CompareQuery) (*bowline.Comparison, error) {
	app, err := s.load(ctx, access.Get, "", q.AppNamespace, q.Name)
	if err != nil {
		return nil, err
	}
	from, err := deployed(app, q.From)
	if err != nil {
		return nil, err
	}
	to := &side{name: "what " + thing(app) + " asks for now", app: app, sources: sourcesOf(app)}
	if q.To != nil {
		if to, err = deployed(app, *q.To); err != nil {
			return nil, err
		}
	}
	done, err := s.turns.take(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	before, err := s.asked(ctx, from)
	if err != nil {
		return nil, err
	}
	after, err := s.asked(ctx, to)
	if err != nil {
		return nil, err
	}
	out := &bowline.Comparison{From: before.Revisions, To: after.Revisions, Objects: []bowline.ChangedObject{}}
	if out.Sources, err = compareSources(from.sources, to.sources); err != nil {
		return nil, err
	}
	return out, s.compare(out, before.Objects, after.Objects)
}

// asked renders a side.
func (s *Service) asked(ctx context.Context, at *side) (Rendered, error) {
	out, err := s.Unsaved.Asked(ctx, at.app, at.revisions)
	if err == nil {
		return out, nil
	}
	said := (*fault.Error)(nil)
	if errors.As(err, &said) && said.Kind != fault.Forbidden {
		return out, &fault.Error{Kind: said.Kind, Code: said.Code, Op: "render", Thing: at.name, Err: err}
	}
	return out, &fault.Error{Kind: fault.Mistake, Op: "render", Thing: at.name, Err: err}
}

// deployed is an entry of the history: the application as it would be with the sources of that time.
func deployed(app *v1alpha1.Application, id int64) (*side, error) {
	at := slices.IndexFunc(app.Status.History, func(h v1alpha1.RevisionHistory) bool { return h.ID == id })
	if at < 0 {
		return nil, &fault.Error{Kind: fault.Mistake, Code: fault.NotFound, Op: "find", Thing: fmt.Sprintf("deployment %d of %s", id, thing(app)),
			Err: errors.New("its history does not have it"), Fix: "see `bowline app history`"}
	}
	h := &app.Status.History[at]
	then := app.DeepCopy()
	out := &side{name: fmt.Sprintf("deployment %d of %s", id, thing(app)), app: then, revisions: slices.Clone(h.Revisions)}
	if len(h.Sources) > 0 {
		then.Spec.Source, then.Spec.Sources = nil, slices.Clone(h.Sources)
	} else {
		then.Spec.Source, then.Spec.Sources = h.Source.DeepCopy(), nil
		out.revisions = []string{h.Revision}
	}
	out.sources = sourcesOf(then)
	return out, nil
}

func sourcesOf(app *v1alpha1.Application) []v1alpha1.ApplicationSource {
	if len(app.Spec.Sources) > 0 || app.Spec.Source == nil {
		return app.Spec.Sources
	}
	return []v1alpha1.ApplicationSource{*app.Spec.Source}
}

// compareSources returns the fields in which sources differ, revisions aside.
func compareSources(before, after []v1alpha1.ApplicationSource) (out []bowline.Difference, err error) {
	for i := range max(len(before), len(after)) {
		was, err := fieldsOf(before, i)
		if err != nil {
			return nil, err
		}
		is, err := fieldsOf(after, i)
		if err != nil {
			return nil, err
		}
		fields, err := diff.Between(was, is, nil, nil, comparedValue)
		if err != nil {
			return nil, fault.Wrap(fault.Bug, "compare", fmt.Sprintf("source %d", i), err, "")
		}
		for _, f := range fields {
			one := differenceOf(f)
			rest := strings.TrimPrefix(f.Path, "source")
			if one.Path = "spec.source" + rest; max(len(before), len(after)) > 1 {
				one.Path = fmt.Sprintf("spec.sources[%d]%s", i, rest)
			}
			out = append(out, one)
		}
	}
	return out, nil
}

// fieldsOf is one of some sources in the form in which objects are compared; empty if there are fewer.
func fieldsOf(sources []v1alpha1.ApplicationSource, i int) (*unstructured.Unstructured, error) {
	content := map[string]any{}
	if i < len(sources) {
		source := sources[i].DeepCopy()
		source.TargetRevision = ""
		normaliseSource(source)
		text, err := json.Marshal(source)
		if err != nil {
			return nil, fault.Wrap(fault.Bug, "read", fmt.Sprintf("source %d", i), err, "")
		}
		if err := utiljson.Unmarshal(text, &content); err != nil {
			return nil, fault.Wrap(fault.Bug, "read", fmt.Sprintf("source %d", i), err, "")
		}
	}
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Source", "source": content}}, nil
}

// compare adds to an answer what changed between two sets of objects.
func (s *Service) compare(out *bowline.Comparison, before, after []*unstructured.Unstructured) error {
	rules, err := diff.NewRules(diff.RuleSettings{SensitiveAnnotations: s.Settings().MaskAnnotations})
	if err != nil {
		return err
	}
	was, is := byName(before), byName(after)
	names := slices.SortedFunc(maps.Keys(merge(was, is)), object.Key.Compare)
	left := comparedValues
	for _, key := range names {
		changed := bowline.ChangedObject{Group: key.Group, Kind: key.Kind, Namespace: key.Namespace, Name: key.Name}
		switch a, b := was[key], is[key]; {
		case a == nil:
			changed.Change = objectAdded
		case b == nil:
			changed.Change = objectRemoved
		default:
			most := comparedValue
			if left <= 0 {
				most = 0
			}
			fields, err := diff.Between(a, b, nil, rules, most)
			if err != nil {
				return fault.Wrap(fault.Mistake, "compare", key.String(), err, "")
			}
			if len(fields) == 0 {
				out.Same++
				continue
			}
			changed.Change = objectChanged
			for _, f := range fields {
				left -= len(f.Live) + len(f.Desired)
				changed.Differences = append(changed.Differences, differenceOf(f))
			}
		}
		out.Objects = append(out.Objects, changed)
	}
	return nil
}

// byName are objects by their keys. Objects whose names the API server makes are told apart by their places.
func byName(all []*unstructured.Unstructured) map[object.Key]*unstructured.Unstructured {
	out := make(map[object.Key]*unstructured.Unstructured, len(all))
	for _, u := range all {
		key := object.KeyOf(u)
		key.Name = cmp.Or(key.Name, u.GetGenerateName()+"*")
		for out[key] != nil {
			key.Name += "*"
		}
		out[key] = u
	}
	return out
}

func merge(a, b map[object.Key]*unstructured.Unstructured) map[object.Key]*unstructured.Unstructured {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}
