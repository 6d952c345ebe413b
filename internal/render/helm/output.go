// SPDX-License-Identifier: Apache-2.0

package helm

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	release "helm.sh/helm/v4/pkg/release/v1"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/render"
)

// rendered is one document that a template gave.
type rendered struct {
	at   string // the template
	data map[string]any
	kind string
	// hooks are the events at which Helm runs it; none if it is an ordinary object.
	hooks []string
}

// manifests reads the objects out of what the templates gave, in the order of `helm template`: CRDs, then objects by
// Helm's order of kinds, then hooks. Hooks keep their annotations, which say when they run.
func (j *job) manifests(texts map[string]string) ([]object.Manifest, error) {
	out := output{job: j}
	if j.release.IncludeCRDs {
		if err := out.crds(); err != nil {
			return nil, err
		}
	}
	var objects, hooks []rendered
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		docs, err := j.documents(j.places[name], texts[name])
		if err != nil {
			return nil, err
		}
		for _, doc := range docs {
			switch {
			case doc.hooks == nil:
				objects = append(objects, doc)
			case j.keepsHook(doc):
				hooks = append(hooks, doc)
			}
		}
	}
	slices.SortStableFunc(objects, byKind)
	slices.SortStableFunc(hooks, byKind)
	for _, doc := range slices.Concat(objects, hooks) {
		if err := out.add(doc.at, 0, doc.data); err != nil {
			return nil, err
		}
	}
	return out.manifests, nil
}

// output collects manifests.
type output struct {
	job       *job
	manifests []object.Manifest
}

func (o *output) add(at string, line int, data map[string]any) error {
	manifests, err := render.Manifest(data, object.Origin{File: at, Line: line, Source: o.job.in.Index})
	if err != nil {
		return ofTemplate(err, line)
	}
	if o.manifests = append(o.manifests, manifests...); len(o.manifests) > o.job.in.Limits.Objects {
		return o.job.mistake(at, fmt.Sprintf("it renders to more than %d objects", o.job.in.Limits.Objects),
			"split the application, or raise "+render.SettingObjects)
	}
	return nil
}

// ofTemplate says of an error in an object that a template gave, and that so has no line, what to correct.
func ofTemplate(err error, line int) error {
	var f *fault.Error
	if line != 0 || !errors.As(err, &f) {
		return err
	}
	shown := *f
	shown.Thing, shown.Fix = "what the template renders", "correct the template or its values"
	return &shown
}

// crds adds what lies in the crds folders, which are no templates.
func (o *output) crds() error {
	for _, crd := range o.job.chart.CRDObjects() {
		at := o.job.at[crd.File]
		docs, err := object.ParseYAML(at, crd.File.Data)
		if err != nil {
			return badDocument(err, at, false)
		}
		for _, doc := range docs {
			if err := o.add(at, doc.Line, doc.Data); err != nil {
				return err
			}
		}
	}
	return nil
}

// documents reads what one template gave. Helm cuts the text at every line that begins with ---, whatever follows.
func (j *job) documents(at, text string) ([]rendered, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	parts := releaseutil.SplitManifests(text)
	keys := slices.Collect(maps.Keys(parts))
	slices.SortFunc(keys, func(a, b string) int {
		if releaseutil.BySplitManifestsOrder([]string{a, b}).Less(0, 1) {
			return -1
		}
		return 1
	})
	var out []rendered
	for _, key := range keys {
		docs, err := object.ParseYAML(at, []byte(parts[key]))
		if err != nil {
			return nil, badDocument(err, at, true)
		}
		for _, doc := range docs {
			for _, r := range doc.Repeated {
				j.warn("%s: in an object it renders key %q stands in the same mapping twice: the last one counts; remove one", at, r.Key)
			}
			if doc.Data == nil {
				return nil, fault.New(fault.Mistake, "read", "what the template renders", at, "it is no Kubernetes object but a plain text or a list",
					"correct the template or its values")
			}
			out = append(out, head(at, doc.Data))
		}
	}
	return out, nil
}

// head reads what decides on the place of a document.
func head(at string, data map[string]any) rendered {
	doc := rendered{at: at, data: data}
	doc.kind, _ = data["kind"].(string)
	meta, _ := data["metadata"].(map[string]any)
	annotations, _ := meta["annotations"].(map[string]any)
	if text, ok := annotations[release.HookAnnotation].(string); ok {
		for event := range strings.SplitSeq(text, ",") {
			doc.hooks = append(doc.hooks, strings.ToLower(strings.TrimSpace(event)))
		}
	}
	return doc
}

// knownHooks are the events of Helm, https://helm.sh/docs/topics/charts_hooks/, with the old name of a test.
var knownHooks = []string{
	string(release.HookPreInstall), string(release.HookPostInstall), string(release.HookPreDelete), string(release.HookPostDelete),
	string(release.HookPreUpgrade), string(release.HookPostUpgrade), string(release.HookPreRollback), string(release.HookPostRollback),
	string(release.HookTest), oldTest,
}

const oldTest = "test-success"

// keepsHook reports whether a hook is part of the output. One that names an event Helm does not know is not, and Helm
// says nothing of it.
func (j *job) keepsHook(doc rendered) bool {
	for _, event := range doc.hooks {
		if !slices.Contains(knownHooks, event) {
			j.warn("%s: helm.sh/hook %q of a %s is none that Helm knows: the object is left out, as Helm does; correct or remove the annotation", doc.at, event, doc.kind)
			return false
		}
	}
	isTest := slices.Contains(doc.hooks, string(release.HookTest)) || slices.Contains(doc.hooks, oldTest)
	return !j.release.SkipHooks && (!j.release.SkipTests || !isTest)
}

var rank = func() map[string]int {
	ranks := map[string]int{}
	for i, kind := range releaseutil.InstallOrder {
		ranks[kind] = i
	}
	return ranks
}()

// byKind orders documents as Helm installs them: known kinds in their order, all others after them by name.
func byKind(a, b rendered) int {
	rankA, knownA := rank[a.kind]
	rankB, knownB := rank[b.kind]
	switch {
	case knownA && knownB:
		return rankA - rankB
	case knownA:
		return -1
	case knownB:
		return 1
	default:
		return strings.Compare(a.kind, b.kind)
	}
}

// badDocument says where a document is broken. The line in what a template gave is not one of the template.
func badDocument(err error, at string, fromTemplate bool) error {
	var parse *object.ParseError
	if !errors.As(err, &parse) {
		return err
	}
	if !fromTemplate {
		return &fault.Error{Kind: fault.Mistake, Op: "read", Thing: "the manifest", Where: object.Origin{File: at, Line: parse.Line}.String(), Err: parse.Err,
			Fix: "correct the file and push"}
	}
	return &fault.Error{Kind: fault.Mistake, Op: "read", Thing: "what the template renders", Where: at,
		Err: fmt.Errorf("line %d of an object is no YAML: %w", parse.Line, parse.Err), Fix: "correct the template or its values"}
}
