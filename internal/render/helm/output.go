// SPDX-License-Identifier: Apache-2.0

package helm

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	release "helm.sh/helm/v4/pkg/release/v1"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/render"
)

// manifests reads the objects out of what the templates gave, in the order of `helm template`: CRDs, then objects by
// Helm's order of kinds, then hooks. Hooks keep their annotations, which say when they run.
func (j *job) manifests(texts map[string]string) ([]object.Manifest, error) {
	for name := range texts {
		if strings.HasSuffix(name, notesSuffix) {
			delete(texts, name)
		}
	}
	hooks, generic, err := releaseutil.SortManifests(texts, nil, releaseutil.InstallOrder)
	if err != nil {
		return nil, j.badYAML(err, texts)
	}
	var out []object.Manifest
	if j.release.IncludeCRDs {
		for _, crd := range j.chart.CRDObjects() {
			if out, err = j.add(out, j.at[crd.File], string(crd.File.Data), false); err != nil {
				return nil, err
			}
		}
	}
	for _, m := range generic {
		if out, err = j.add(out, j.places[m.Name], m.Content, true); err != nil {
			return nil, err
		}
	}
	for _, h := range hooks {
		if j.release.SkipHooks || j.release.SkipTests && slices.Contains(h.Events, release.HookTest) {
			continue
		}
		if out, err = j.add(out, j.places[h.Path], h.Manifest, true); err != nil {
			return nil, err
		}
	}
	j.warnUnknownHooks(texts)
	return out, nil
}

// add reads the objects of one text. Lines are those of the file only if the file is no template.
func (j *job) add(out []object.Manifest, at, text string, rendered bool) ([]object.Manifest, error) {
	manifests, warnings, err := render.Documents(at, []byte(text), j.in.Index)
	if err != nil {
		return nil, ofRendered(err, at, rendered)
	}
	for _, w := range warnings {
		j.warn("%s", ofText(w, at, rendered))
	}
	for _, m := range manifests {
		if rendered {
			m.Origin.Line = 0
		}
		out = append(out, m)
	}
	if len(out) > j.in.Limits.Objects {
		return nil, j.mistake(at, fmt.Sprintf("it renders to more than %d objects", j.in.Limits.Objects),
			"split the application, or raise bowline.render.maxObjects")
	}
	return out, nil
}

// ofRendered says of an error in what a template gave that its line is not one of the template.
func ofRendered(err error, at string, rendered bool) error {
	var f *fault.Error
	if !rendered || !errors.As(err, &f) {
		return err
	}
	shown := *f
	if line, ok := strings.CutPrefix(f.Where, at+":"); ok {
		shown.Where, shown.Err = at, fmt.Errorf("in line %s of an object it renders: %w", line, f.Err)
	}
	shown.Op, shown.Thing, shown.Fix = "read", "what the template renders", "correct the template or its values"
	return &shown
}

func ofText(warning, at string, rendered bool) string {
	if rest, ok := strings.CutPrefix(warning, at+":"); ok && rendered {
		return at + ": in what it renders, line " + rest
	}
	return warning
}

// badYAML says which template gives no YAML. Helm reads the head of each object first, to find hooks.
func (j *job) badYAML(err error, texts map[string]string) error {
	text := err.Error()
	for name, at := range j.places {
		if rest, ok := strings.CutPrefix(text, "YAML parse error on "+name+": "); ok {
			if _, _, precise := render.Documents(at, []byte(texts[name]), j.in.Index); precise != nil {
				return ofRendered(precise, at, true)
			}
			return fault.New(fault.Mistake, "read", "what the template renders", at, rest, "correct the template or its values")
		}
	}
	return j.mistake("", text, "correct the template or its values")
}

var hookLine = regexp.MustCompile(`(?m)^\s*["']?helm\.sh/hook["']?\s*:\s*(.*?)\s*$`)

// warnUnknownHooks warns of hooks that Helm does not know, which it leaves out without a word.
func (j *job) warnUnknownHooks(texts map[string]string) {
	for name, text := range texts {
		for _, match := range hookLine.FindAllStringSubmatch(text, -1) {
			for event := range strings.SplitSeq(strings.Trim(match[1], `"'`), ",") {
				if event = strings.ToLower(strings.TrimSpace(event)); event != "" && !slices.Contains(knownHooks, event) {
					j.warn("%s: helm.sh/hook %q is none that Helm knows: the object is left out, as Helm does; correct or remove the annotation", j.places[name], event)
				}
			}
		}
	}
	slices.Sort(j.warnings)
}

// knownHooks are the events of Helm, https://helm.sh/docs/topics/charts_hooks/, with the old name of a test.
var knownHooks = []string{
	string(release.HookPreInstall), string(release.HookPostInstall), string(release.HookPreDelete), string(release.HookPostDelete),
	string(release.HookPreUpgrade), string(release.HookPostUpgrade), string(release.HookPreRollback), string(release.HookPostRollback),
	string(release.HookTest), "test-success",
}
