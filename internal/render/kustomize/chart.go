// SPDX-License-Identifier: Apache-2.0

package kustomize

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
	"sigs.k8s.io/kustomize/kyaml/yaml/merge2"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/render/helm"
	"github.com/bowline-cd/bowline/internal/tree"
)

// chart is an entry of helmCharts.
type chart struct {
	types.HelmChart
	field string
	at    string // the folder of the chart; "" as long as it is not there
	label string // what it is called in texts if it lies elsewhere
}

const (
	// releaseName is what `helm template` calls a release that has no name.
	releaseName = "release-name"
	// releaseNamespace is where `helm template` puts a release if nobody says so.
	releaseNamespace = "default"
	// chartsFolder is the component that holds what the charts gave.
	chartsFolder = mark + "charts"
	chartsFile   = "charts.yaml"
)

// helmFields finds the charts of a kustomization, and takes them out of it.
func (s *scout) helmFields(n *node) error {
	k := &n.k
	old, globals := types.SplitHelmParameters(k.HelmChartInflationGenerator)
	if k.HelmGlobals != nil {
		globals = *k.HelmGlobals
	}
	for i, c := range k.HelmCharts {
		n.charts = append(n.charts, chart{HelmChart: c, field: fmt.Sprintf("helmCharts[%d]", i)})
	}
	for i, c := range old {
		n.charts = append(n.charts, chart{HelmChart: c, field: fmt.Sprintf("helmChartInflationGenerator[%d]", i)})
	}
	if len(n.charts) == 0 {
		return nil
	}
	if !s.options.helm {
		err := s.refused(n, n.charts[0].field, errors.New("must specify --enable-helm"))
		err.Fix = "add --enable-helm to " + settingOptions + " in argocd-cm"
		return err
	}
	if globals.ConfigHome != "" {
		s.warnings = append(s.warnings, s.where(n, "helmGlobals.configHome")+": helmGlobals.configHome does nothing: charts are rendered without Helm's settings and plugins")
	}
	for i := range n.charts {
		if err := s.chart(n, &n.charts[i], cmp.Or(globals.ChartHome, types.HelmDefaultHome)); err != nil {
			return err
		}
	}
	// One of them stays, because a kustomization without any field is refused; without charts it means nothing.
	k.HelmCharts, k.HelmChartInflationGenerator, k.HelmGlobals = nil, nil, &types.HelmGlobals{ChartHome: types.HelmDefaultHome}
	n.changed = true
	return nil
}

// chart finds one chart and its values files.
func (s *scout) chart(n *node, c *chart, home string) error {
	switch {
	case c.Name == "":
		return s.refused(n, c.field, errors.New("the chart's name is missing"))
	case strings.Contains(c.Name, "://") || strings.Contains(home, "://"):
		return s.refused(n, c.field, errors.New("its name or the chartHome is an address; the repository of a chart stands in repo"))
	case strings.HasPrefix(c.Name, "-") || strings.HasPrefix(c.ReleaseName, "-") || strings.HasPrefix(c.Version, "-"):
		return s.refused(n, c.field, errOption)
	case c.ReleaseName != "" && c.NameTemplate != "":
		return s.refused(n, c.field, errors.New("it has both releaseName and nameTemplate"))
	case strings.Contains(c.NameTemplate, "{{"):
		return s.refused(n, c.field+".nameTemplate", errors.New("templates are not offered here; write the name"))
	case !slices.Contains([]string{"", "merge", "override", "replace"}, c.ValuesMerge):
		return s.refused(n, c.field+".valuesMerge", errors.New("it has to be merge, override or replace"))
	}
	if err := s.findChart(n, c, home); err != nil {
		return err
	}
	if err := s.optionalFile(n, c.field+".valuesFile", &c.ValuesFile); err != nil {
		return err
	}
	for i := range c.AdditionalValuesFiles {
		field := fmt.Sprintf("%s.additionalValuesFiles[%d]", c.field, i)
		if looksWeb(c.AdditionalValuesFiles[i]) {
			return s.refused(n, field, errors.New("it is an address, and has to be a path; only valuesFile may be an address"))
		}
		if err := s.file(n, field, &c.AdditionalValuesFiles[i]); err != nil {
			return err
		}
	}
	return nil
}

// findChart takes the chart in the chart home if there is one, as Kustomize does, else that of the repository.
func (s *scout) findChart(n *node, c *chart, home string) error {
	if path.IsAbs(home) {
		return s.refused(n, "helmGlobals.chartHome", errors.New("it is an absolute path; paths are relative to the kustomization"))
	}
	local := path.Join(home, c.Name)
	if c.Version != "" && c.Repo != "" {
		local = path.Join(home, c.Name+"-"+c.Version, c.Name)
	}
	found := s.files.resolve(filepath.Join(n.dir, local))
	if found.err == nil && found.entry.Mode == tree.Dir || found.err != nil && !errors.Is(found.err, tree.ErrAbsent) {
		found, err := s.local(n, c.field, local)
		if err != nil {
			return err
		}
		c.at = found.at
		if c.ValuesFile != "" {
			return nil
		}
		return s.confined(n, c.field, local, found)
	}
	if c.Repo == "" {
		return s.refused(n, c.field, fmt.Errorf("there is no chart at %s, and it has no repo to take it from", s.display(path.Join(n.dir, local))))
	}
	return s.remoteChart(n, c)
}

func (s *scout) remoteChart(n *node, c *chart) error {
	repo := strings.TrimSuffix(c.Repo, "/")
	if !looksWeb(repo) && !strings.HasPrefix(repo, "oci://") {
		return s.refused(n, c.field+".repo", errors.New("a chart repository has an address that begins with https://, http:// or oci://"))
	}
	if err := checkWeb(repo); err != nil {
		return s.refused(n, c.field+".repo", err)
	}
	need := render.Need{Kind: render.NeedChart, URL: repo, Chart: c.Name, Revision: c.Version, Where: s.whereField(n, c.field)}
	if need.Revision == "" && c.Devel {
		need.Revision = ">0.0.0-0"
	}
	if name, ok := s.have(n, need); ok {
		c.at, c.label = path.Join(n.dir, name), need.String()+": "
	}
	return nil
}

// inherit gives charts without a namespace that of the kustomization that has one, from inside to outside.
func (s *scout) inherit(n *node, w walk) error {
	namespace := cmp.Or(n.k.Namespace, w.namespace)
	if n.namespace != nil && *n.namespace != namespace {
		for _, c := range n.charts {
			if c.Namespace == "" {
				return s.refused(n, c.field, fmt.Errorf("it is reached with two namespaces, %q and %q, and one rendering cannot have both", *n.namespace, namespace))
			}
		}
	}
	n.namespace = &namespace
	return nil
}

// inflate renders all charts. What they give becomes a component before all others: that is the place, after resources
// and generators, where the library's generator would put it.
func (s *scout) inflate() error {
	for _, dir := range slices.Sorted(maps.Keys(s.nodes)) {
		n := s.nodes[dir]
		if len(n.charts) == 0 {
			continue
		}
		var text bytes.Buffer
		for i := range n.charts {
			manifests, err := s.template(n, &n.charts[i])
			if err != nil {
				return err
			}
			if err := writeCharts(&text, manifests); err != nil {
				return err
			}
		}
		if text.Len() > 0 {
			s.lay(n, text.String())
		}
	}
	return nil
}

func (s *scout) lay(n *node, objects string) {
	s.files.mount(path.Join(n.dir, chartsFolder), tree.Memory(map[string]tree.MemoryFile{
		"kustomization.yaml": {Content: "apiVersion: " + types.ComponentVersion + "\nkind: " + types.ComponentKind + "\nresources: [" + chartsFile + "]\n"},
		chartsFile:           {Content: objects},
	}))
	n.k.Components = append([]string{chartsFolder}, n.k.Components...)
	n.changed = true
}

func writeCharts(to *bytes.Buffer, manifests []object.Manifest) error {
	for _, m := range manifests {
		u := m.Object.DeepCopy()
		annotations := u.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[konfig.HelmGeneratedAnnotation] = "true" // so that the namespace is not changed, as in the library
		u.SetAnnotations(annotations)
		text, err := yaml.Marshal(u.Object)
		if err != nil {
			return fault.Wrap(fault.Bug, "write", m.Origin.String(), err, "report it")
		}
		to.WriteString("---\n")
		to.Write(text)
	}
	return nil
}

// template renders one chart.
func (s *scout) template(n *node, c *chart) ([]object.Manifest, error) {
	values, err := s.values(n, c)
	if err != nil {
		return nil, err
	}
	mount, dir, _ := s.files.mountOf(c.at)
	r := helm.Release{
		Chart: s.files.mounts[mount], Dir: dir, Label: c.label, Values: values,
		Name: cmp.Or(c.ReleaseName, c.NameTemplate, releaseName), Namespace: cmp.Or(c.Namespace, *n.namespace, releaseNamespace),
		IncludeCRDs: c.IncludeCRDs, SkipTests: c.SkipTests, SkipHooks: c.SkipHooks,
	}
	r.KubeVersion, r.APIVersions = s.cluster(c)
	if of, ok := s.remotes[mount]; ok && r.Label == "" {
		r.Label = of + ": "
	}
	manifests, warnings, err := helm.Template(s.ctx, s.in, r)
	var unmet *helm.Unmet
	if errors.As(err, &unmet) {
		for _, need := range unmet.Needs {
			s.ask(need)
		}
		return nil, nil
	}
	s.warnings = append(s.warnings, warnings...)
	return manifests, err
}

// cluster returns what a chart is told of the cluster; what is empty is asked of the destination.
func (s *scout) cluster(c *chart) (kube string, api []string) {
	kube, api = c.KubeVersion, c.ApiVersions
	if k := s.in.Source.Kustomize; k != nil {
		kube = cmp.Or(kube, k.KubeVersion)
		if len(api) == 0 {
			api = k.APIVersions
		}
	}
	if len(api) == 0 {
		api = s.options.helmAPI
	}
	return cmp.Or(kube, s.options.helmKube), api
}

// values returns what goes over the chart's own values: the values file, by itself the chart's, merged with the inline
// ones, and then the additional files.
func (s *scout) values(n *node, c *chart) ([]map[string]any, error) {
	at := path.Join(c.at, "values.yaml")
	if c.ValuesFile != "" {
		at = filepath.Join(n.dir, c.ValuesFile)
	}
	base, err := s.readValues(n, c, at, c.ValuesFile == "")
	if err != nil {
		return nil, err
	}
	layers := make([]map[string]any, 0, 1+len(c.AdditionalValuesFiles))
	first, err := mergeValues(c, base)
	if err != nil {
		return nil, s.refused(n, c.field, fmt.Errorf("its values do not fit together: %w", err))
	}
	layers = append(layers, first)
	for _, file := range c.AdditionalValuesFiles {
		content, err := s.readValues(n, c, filepath.Join(n.dir, file), false)
		if err != nil {
			return nil, err
		}
		layer, err := loader.LoadValues(bytes.NewReader(content))
		if err != nil {
			return nil, s.refused(n, c.field, fmt.Errorf("%s holds no values: %w", file, err))
		}
		layers = append(layers, layer)
	}
	return layers, nil
}

// readValues reads a values file; a chart's own may be absent.
func (s *scout) readValues(n *node, c *chart, at string, optional bool) ([]byte, error) {
	if found := s.files.resolve(at); optional && errors.Is(found.err, tree.ErrAbsent) {
		return nil, nil
	}
	content, err := s.files.ReadFile(at)
	if err != nil {
		return nil, s.unreadable(n, c.field, err)
	}
	return content, nil
}

// mergeValues merges inline values with a values file by the rules of valuesMerge.
func mergeValues(c *chart, base []byte) (map[string]any, error) {
	if len(c.ValuesInline) == 0 {
		return loader.LoadValues(bytes.NewReader(base))
	}
	if c.ValuesMerge == "replace" {
		return throughYAML(c.ValuesInline)
	}
	file, err := kyaml.Parse(string(base))
	if err != nil {
		return nil, err
	}
	inline, err := kyaml.FromMap(c.ValuesInline)
	if err != nil {
		return nil, err
	}
	over, under := inline, file
	if c.ValuesMerge == "merge" {
		over, under = file, inline
	}
	merged, err := merge2.Merge(over, under.Copy(), kyaml.MergeOptions{})
	if err != nil {
		return nil, err
	}
	values, err := merged.Map()
	if err != nil {
		return nil, err
	}
	return throughYAML(values)
}

// throughYAML brings values into the types that a values file gives.
func throughYAML(values map[string]any) (map[string]any, error) {
	text, err := yaml.Marshal(values)
	if err != nil {
		return nil, err
	}
	return loader.LoadValues(bytes.NewReader(text))
}
