// SPDX-License-Identifier: Apache-2.0

package kustomize

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/types"

	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/tree"
)

// chart is an entry of helmCharts.
type chart struct {
	types.HelmChart
	field string
	at    string // the folder of the chart; "" as long as it is not there
	label string // what it is called in texts if it lies elsewhere
}

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
	for i, c := range k.HelmChartInflationGenerator {
		if field := fmt.Sprintf("helmChartInflationGenerator[%d].helmBin", i); c.HelmBin != "" {
			s.warnings = append(s.warnings, s.where(n, field)+": "+field+" does nothing: charts are rendered by the Helm library of this program")
		}
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
