// SPDX-License-Identifier: Apache-2.0

// Package helm renders charts the way `helm template` does, with Helm's own library, but without disk and network: every
// byte comes from the trees of its input. docs/reference/helm-sources.md has the rules it follows and where they are from.
//
// The words of this room:
//
//   - Release: one rendering of a chart: its name, namespace, values and switches.
//   - Place: where a value file lies: a path in a tree, or an address.
//   - Vendored: a dependency that lies in the chart's own charts folder, unpacked or as an archive.
//   - Lock: Chart.lock (requirements.lock in old charts), which says the exact version of every dependency.
//   - Volatile function: a template function whose answer differs from call to call.
package helm

import (
	"context"
	"fmt"
	"slices"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/tree"
)

// Render renders a source of type Helm: the chart in its folder, with the values and switches of spec.source.helm.
// Errors are *fault.Error, with file and line where there is one.
func Render(ctx context.Context, in render.Input) (render.Output, error) {
	in.Limits = in.Limits.WithDefaults()
	out := render.Output{Type: v1alpha1.ApplicationSourceTypeHelm}
	err := renderSource(ctx, in, &out)
	out.Used = in.Trace.Used()
	return out, err
}

func renderSource(ctx context.Context, in render.Input, out *render.Output) error {
	dir, err := in.Folder(ctx)
	if err != nil {
		return err
	}
	settings := in.Source.Helm
	if settings == nil {
		settings = &v1alpha1.ApplicationSourceHelm{}
	}
	if !slices.Contains([]string{"", "v2", "v3", "v4"}, settings.Version) {
		return fault.New(fault.Mistake, "render", "the source", in.Field("helm.version"),
			fmt.Sprintf("%q is no version of Helm", settings.Version), "leave it out: one version of Helm renders every chart")
	}
	j := newJob(in, releaseOf(in, settings, dir))
	if err := j.load(ctx); err != nil {
		return err
	}
	if err := j.sourceValues(ctx, settings); err != nil {
		return err
	}
	if len(j.needs) == 0 {
		out.Manifests, err = j.render(ctx)
	}
	out.Warnings = j.said()
	if len(j.needs) > 0 {
		out.Needs, out.Manifests = j.needs, nil
		return nil
	}
	return err
}

// releaseOf returns what the settings of a source say of its release, without the values.
func releaseOf(in render.Input, settings *v1alpha1.ApplicationSourceHelm, dir string) Release {
	r := Release{
		Chart: in.Tree, Dir: dir, Name: in.Release, Namespace: in.Namespace,
		IncludeCRDs: !settings.SkipCrds, SkipTests: settings.SkipTests, SkipSchema: settings.SkipSchemaValidation,
		KubeVersion: settings.KubeVersion, APIVersions: settings.APIVersions,
	}
	if settings.ReleaseName != "" {
		r.Name = settings.ReleaseName
	}
	if settings.Namespace != "" {
		r.Namespace = settings.Namespace
	}
	return r
}

// Release is one rendering of a chart.
type Release struct {
	// Chart is the tree that holds the chart, in its folder Dir ("" is the root).
	Chart tree.Tree
	Dir   string
	// Label goes before the paths of the chart in origins and error texts; "" for a chart of the source's own tree.
	Label string
	// Name and Namespace are what templates see as .Release.Name and .Release.Namespace.
	Name, Namespace string
	// Values are merged over the chart's own, the later over the earlier.
	Values []map[string]any
	// IncludeCRDs puts what lies in the crds folders first. SkipTests leaves out test hooks, SkipHooks all hooks.
	// SkipSchema leaves values.schema.json aside.
	IncludeCRDs, SkipTests, SkipHooks, SkipSchema bool
	// KubeVersion and APIVersions are what templates see of the cluster; what is empty is asked of the input when a
	// template asks. APIVersions come on top of those that Helm knows by itself.
	KubeVersion string
	APIVersions []string
}

// Unmet says what has to be had before a chart can be rendered.
type Unmet struct{ Needs []render.Need }

func (u *Unmet) Error() string {
	return fmt.Sprintf("the chart needs %s first (%d in all)", u.Needs[0], len(u.Needs))
}

// Template renders a release, and returns warnings beside the manifests. If something has to be had first, the error is
// an *Unmet; any other is a *fault.Error. in.Source is not looked at.
func Template(ctx context.Context, in render.Input, r Release) ([]object.Manifest, []string, error) {
	in.Limits = in.Limits.WithDefaults()
	j := newJob(in, r)
	if err := j.load(ctx); err != nil {
		return nil, nil, err
	}
	var manifests []object.Manifest
	var err error
	if len(j.needs) == 0 {
		manifests, err = j.render(ctx)
	}
	if len(j.needs) > 0 {
		return nil, nil, &Unmet{Needs: j.needs}
	}
	return manifests, j.said(), err
}
