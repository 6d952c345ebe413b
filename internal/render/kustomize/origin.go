// SPDX-License-Identifier: Apache-2.0

package kustomize

import (
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/bowline-cd/bowline/internal/render"
)

// The annotations of buildMetadata.
const (
	originAnnotation          = "config.kubernetes.io/origin"
	transformationsAnnotation = "alpha.config.kubernetes.io/transformations"
)

// origins makes the annotations that a kustomization asked for say where things come from, not where they are mounted.
func (s *scout) origins(r *resource.Resource) error {
	metadata := s.nodes[s.root].k.BuildMetadata
	if !slices.Contains(metadata, types.OriginAnnotations) && !slices.Contains(metadata, types.TransformerAnnotations) {
		return nil
	}
	annotations := r.GetAnnotations()
	for _, key := range []string{originAnnotation, transformationsAnnotation} {
		text, ok := annotations[key]
		if !ok || !strings.Contains(text, mark) {
			continue
		}
		changed, err := s.originText(key, text)
		if err != nil {
			return err
		}
		annotations[key] = changed
	}
	return r.SetAnnotations(annotations)
}

func (s *scout) originText(key, text string) (string, error) {
	if key == transformationsAnnotation {
		var all resource.Transformations
		if err := kyaml.Unmarshal([]byte(text), &all); err != nil {
			return "", err
		}
		for _, o := range all {
			s.origin(o)
		}
		return all.String()
	}
	var o resource.Origin
	if err := kyaml.Unmarshal([]byte(text), &o); err != nil {
		return "", err
	}
	s.origin(&o)
	return o.String()
}

// mounted matches what lies in a mount: the folders above it, the number of the Remote, and the path in it.
var mounted = regexp.MustCompile(`^(.*?)` + regexp.QuoteMeta(mark) + `remote-(\d+)(?:/(.*))?$`)

func (s *scout) origin(o *resource.Origin) {
	if dir, ok := strings.CutSuffix(o.Path, chartsFolder+"/"+chartsFile); ok {
		n := s.nodes[filepath.Join(s.root, dir)]
		o.Path, o.ConfiguredIn = "", path.Join(dir, path.Base(n.file))
		o.ConfiguredBy.TypeMeta = kyaml.TypeMeta{APIVersion: builtin, Kind: "HelmChartInflationGenerator"}
	}
	for _, p := range []*string{&o.Path, &o.ConfiguredIn} {
		for m := mounted.FindStringSubmatch(*p); m != nil; m = mounted.FindStringSubmatch(*p) {
			i, err := strconv.Atoi(m[2])
			if err != nil || i >= len(s.in.Remotes) {
				return
			}
			s.originOf(s.in.Remotes[i].Need, o, p, m[1], m[3])
		}
	}
}

func (s *scout) originOf(need render.Need, o *resource.Origin, p *string, above, rest string) {
	if need.Kind == render.NeedGit {
		o.Repo, o.Ref, *p = need.URL, need.Revision, rest
		return
	}
	if a, ok, err := parseAddress(need.URL); ok && err == nil {
		o.Repo, o.Ref, *p = a.repo, a.ref, a.path
		return
	}
	*p = filepath.Join(above, need.URL)
}
