// SPDX-License-Identifier: Apache-2.0

package helm

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"

	"helm.sh/helm/v4/pkg/chart/common"
	valuesutil "helm.sh/helm/v4/pkg/chart/common/util"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/render"
)

// job is one rendering.
type job struct {
	in      render.Input
	release Release
	chart   *chart.Chart
	// at says where each file of the charts lies, for origins and error texts.
	at map[*common.File]string
	// places says where each template lies, by the name the engine gives it.
	places   map[string]string
	files    int   // read so far
	bytes    int64 // unpacked so far
	caps     *capabilities
	needs    []render.Need
	warnings []string
	unsaid   int // warnings past maxWarnings
}

// maxWarnings bounds how much a chart can have us say.
const maxWarnings = 100

func newJob(in render.Input, r Release) *job {
	return &job{in: in, release: r, at: map[*common.File]string{}, places: map[string]string{}, caps: &capabilities{in: in, release: r}}
}

// need notes something that has to be had first, once.
func (j *job) need(n render.Need) {
	for _, other := range j.needs {
		if other.Key() == n.Key() {
			return
		}
	}
	j.needs = append(j.needs, n)
}

// warn notes something odd, once.
func (j *job) warn(format string, args ...any) {
	switch text := fmt.Sprintf(format, args...); {
	case slices.Contains(j.warnings, text):
	case len(j.warnings) >= maxWarnings:
		j.unsaid++
	default:
		j.warnings = append(j.warnings, text)
	}
}

// said returns all warnings.
func (j *job) said() []string {
	if j.unsaid == 0 {
		return j.warnings
	}
	return append(j.warnings, fmt.Sprintf("and %d more of this kind", j.unsaid))
}

// path returns how a path of the release's tree is shown.
func (j *job) path(p string) string { return j.release.Label + p }

// thing names the chart for errors.
func (j *job) thing() string {
	if j.release.Dir == "" {
		return "the chart" + strings.TrimRight(" "+j.release.Label, "/: ")
	}
	return "the chart in " + j.path(j.release.Dir)
}

func (j *job) mistake(where, cause, fix string) error {
	return fault.New(fault.Mistake, "render", j.thing(), where, cause, fix)
}

// render turns the loaded chart into manifests, in the order of `helm template`.
func (j *job) render(ctx context.Context) ([]object.Manifest, error) {
	if err := j.check(); err != nil {
		return nil, err
	}
	values := map[string]any{}
	for _, layer := range j.release.Values {
		values = loader.MergeMaps(values, layer)
	}
	if err := chartutil.ProcessDependencies(j.chart, values); err != nil {
		return nil, j.mistake(j.path(path.Join(j.release.Dir, "Chart.yaml")), withoutValues(err).Error(), "correct the dependencies or the values meant for them")
	}
	j.warnUnmet(j.chart)
	coalesced, err := valuesutil.CoalesceValues(j.chart, values)
	if err != nil {
		return nil, j.mistake("", withoutValues(err).Error(), "give each dependency's values as a mapping")
	}
	if !j.release.SkipSchema {
		if err := j.validate(ctx, coalesced); err != nil || len(j.needs) > 0 {
			return nil, err
		}
	}
	if err := j.checkKubeVersion(ctx); err != nil {
		return nil, err
	}
	texts, err := j.execute(ctx, coalesced)
	if err != nil {
		return nil, err
	}
	return j.manifests(texts)
}

// check refuses what `helm template` refuses before it renders.
func (j *job) check() error {
	if version := j.chart.Metadata.APIVersion; version != chart.APIVersionV1 && version != chart.APIVersionV2 {
		return j.mistake(j.path(path.Join(j.release.Dir, "Chart.yaml")), fmt.Sprintf("apiVersion %q is none of charts", version), "write apiVersion: v2")
	}
	if kind := j.chart.Metadata.Type; kind != "" && kind != "application" {
		return j.mistake(j.path(path.Join(j.release.Dir, "Chart.yaml")), "charts of type "+kind+" render nothing by themselves",
			"name a chart that depends on it")
	}
	if err := chartutil.ValidateReleaseName(j.release.Name); err != nil {
		return j.mistake(j.in.Field("helm.releaseName"), fmt.Sprintf("%q: %v", j.release.Name, err),
			"set a release name of at most 53 lower case letters, digits, - and .")
	}
	return nil
}

// checkKubeVersion holds the cluster's version against what the chart says it runs on.
func (j *job) checkKubeVersion(ctx context.Context) error {
	constraint := j.chart.Metadata.KubeVersion
	if constraint == "" {
		return nil
	}
	version, err := j.caps.kube(ctx)
	if err != nil {
		return err
	}
	if chartutil.IsCompatibleRange(constraint, version.String()) {
		return nil
	}
	return j.mistake(j.path(path.Join(j.release.Dir, "Chart.yaml")),
		fmt.Sprintf("the chart is for Kubernetes %s, and the cluster has %s", constraint, version.Version),
		"use another version of the chart, or set helm.kubeVersion of the source")
}

// missing reports whether an error says that something is to be had, so that the render is tried again.
func missing(err error) bool {
	var m interface{ MissingPath() string }
	return errors.As(err, &m)
}
