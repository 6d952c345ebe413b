// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/tree"
)

// ArtifactInfo is what an artifact says of itself. All of it is text of its publisher, to be shown and not to be believed.
type ArtifactInfo struct {
	Title, Description, Version string
	AppVersion                  string // of a chart
	Home                        string
	Maintainers                 []string // "name <email>"
	Created                     string
	// Annotations are those of the manifest that begin with org.opencontainers.image. (OCI image specification).
	Annotations map[string]string
}

const (
	annotationPrefix = "org.opencontainers.image."
	maxChartFile     = 1 << 20
)

// DescribeArtifact returns what an artifact says of itself: a chart in its Chart.yaml, a manifest in its annotations. What is
// not in the data folder is fetched; the errors are those of ArtifactTree. A file says nothing.
func (s *Store) DescribeArtifact(ctx context.Context, r Repository, a Artifact, p Pin) (ArtifactInfo, error) {
	files, err := s.ArtifactTree(ctx, r, a, p)
	if err != nil {
		return ArtifactInfo{}, err
	}
	info := ArtifactInfo{Version: p.Version}
	if inRegistry(r, a.Kind) {
		shop, err := s.artifacts.shop(r, a.Kind)
		if err != nil {
			return ArtifactInfo{}, err
		}
		if content, ok := shop.shelf.read(p.Digest, maxManifest); ok {
			info.annotate(content)
		}
	}
	if a.Kind == ArtifactChart {
		return info, info.addChart(ctx, files)
	}
	return info, nil
}

func (info *ArtifactInfo) annotate(content []byte) {
	m, err := parseManifest(content)
	if err != nil {
		return
	}
	info.Annotations = map[string]string{}
	for key, value := range m.Annotations {
		if strings.HasPrefix(key, annotationPrefix) {
			info.Annotations[key] = value
		}
	}
	of := func(key string) string { return info.Annotations[annotationPrefix+key] }
	info.Title, info.Description, info.Home, info.Created = of("title"), of("description"), of("url"), of("created")
	if version := of("version"); version != "" {
		info.Version = version
	}
	if authors := of("authors"); authors != "" {
		info.Maintainers = []string{authors}
	}
}

func (info *ArtifactInfo) addChart(ctx context.Context, files tree.Tree) error {
	content, err := tree.ReadFile(ctx, files, "Chart.yaml", maxChartFile)
	if err != nil {
		return err
	}
	var chart struct {
		Name        string `json:"name"`
		Description string `json:"description"`
		Version     string `json:"version"`
		AppVersion  string `json:"appVersion"`
		Home        string `json:"home"`
		Maintainers []struct {
			Name  string `json:"name"`
			Email string `json:"email"`
		} `json:"maintainers"`
	}
	if object.CheckExpansion("Chart.yaml", content) != nil || yaml.Unmarshal(content, &chart) != nil {
		return nil // rendering says what is wrong with it
	}
	info.Title, info.Description, info.Version, info.AppVersion, info.Home = chart.Name, chart.Description, chart.Version, chart.AppVersion, chart.Home
	info.Maintainers = nil
	for _, m := range chart.Maintainers {
		who := m.Name
		if m.Email != "" {
			who = strings.TrimSpace(who + " <" + m.Email + ">")
		}
		info.Maintainers = append(info.Maintainers, who)
	}
	return nil
}
