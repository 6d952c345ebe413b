// SPDX-License-Identifier: Apache-2.0

package kustomize

import (
	"bytes"
	"cmp"
	"errors"
	"maps"
	"path"
	"slices"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/render/helm"
	"github.com/bowline-cd/bowline/internal/tree"
)

const (
	// releaseName is what `helm template` calls a release that has no name.
	releaseName = "release-name"
	// releaseNamespace is where `helm template` puts a release if nobody says so.
	releaseNamespace = "default"
	// chartsFolder is the component that holds what the charts gave.
	chartsFolder = mark + "charts"
	chartsFile   = "charts.yaml"
)

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
