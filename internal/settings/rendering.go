// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// Rendering are the settings of what renders sources.
type Rendering struct {
	// HelmOff, KustomizeOff and JsonnetOff turn a tool off (helm.enable, kustomize.enable, jsonnet.enable).
	HelmOff, KustomizeOff, JsonnetOff bool
	// ValuesFileSchemes are the schemes of value files that are URLs (helm.valuesFileSchemes); none forbids them.
	ValuesFileSchemes []string
	// KustomizeBuildOptions are flags of kustomize build (kustomize.buildOptions), KustomizeVersions those for a version
	// that a source names (kustomize.buildOptions.<version>).
	KustomizeBuildOptions string
	KustomizeVersions     map[string]string
	// PluginTarExclusions are globs of files that plugins do not get (reposerver.plugin.tar.exclusions).
	PluginTarExclusions []string
	// PluginTarBytes bounds what a plugin gets of a repository (bowline.plugin.maxTar); 0 is the default of the room worker.
	PluginTarBytes int64
	// PluginsExpected are plugins without which nothing is rendered that names no tool (bowline.plugin.expected).
	PluginsExpected []string

	// DirectoryBytes bounds the manifests of one directory (reposerver.max.combined.directory.manifests.size).
	DirectoryBytes int64
	// Time, Memory, OutputBytes, Objects and Files bound one render (bowline.render.*); 0 is the default of the room
	// render.
	Time           time.Duration
	Memory         int64
	OutputBytes    int64
	Objects, Files int
}

// Fetching are the settings of what brings sources in.
type Fetching struct {
	// Submodules is whether Git submodules are followed (reposerver.enable.git.submodule).
	Submodules bool
	// OCILayerMediaTypes are the layers of OCI sources that are read (reposerver.oci.layer.media.types).
	OCILayerMediaTypes []string
	// ChartBytes and OCIBytes bound an unpacked chart and OCI layer (reposerver.helm.manifest.max.extracted.size and
	// reposerver.oci.manifest.max.extracted.size).
	ChartBytes, OCIBytes int64
	// ArchiveBytes bounds an archive as it is fetched (bowline.source.maxArchive), IndexBytes the index of a chart
	// repository (bowline.source.maxIndex).
	ArchiveBytes, IndexBytes int64
	// PrivateHosts are globs of hosts at private addresses that value files and remote files may be read from
	// (bowline.source.privateHosts).
	PrivateHosts []string
}

var (
	defaultRendering = Rendering{ValuesFileSchemes: []string{"https", "http"}, DirectoryBytes: 10 << 20}
	defaultFetching  = Fetching{
		Submodules: true, ChartBytes: 1 << 30, OCIBytes: 1 << 30, ArchiveBytes: 100 << 20, IndexBytes: 100 << 20,
		OCILayerMediaTypes: []string{
			"application/vnd.oci.image.layer.v1.tar", "application/vnd.oci.image.layer.v1.tar+gzip",
			"application/vnd.cncf.helm.chart.content.v1.tar+gzip",
		},
	}
)

// sourceKeys are the settings of rendering and fetching.
var sourceKeys = []reader{
	inCM("bowline.plugin.expected", func(s *Settings) *[]string { return &s.Rendering.PluginsExpected }, list),
	inCM("bowline.plugin.maxTar", func(s *Settings) *int64 { return &s.Rendering.PluginTarBytes }, size),
	inCM("bowline.render.maxFiles", func(s *Settings) *int { return &s.Rendering.Files }, count),
	inCM("bowline.render.maxObjects", func(s *Settings) *int { return &s.Rendering.Objects }, count),
	inCM("bowline.render.maxOutput", func(s *Settings) *int64 { return &s.Rendering.OutputBytes }, size),
	inCM("bowline.render.memory", func(s *Settings) *int64 { return &s.Rendering.Memory }, size),
	inCM("bowline.render.timeout", func(s *Settings) *duration { return &s.Rendering.Time }, positiveSpan),
	inCM("bowline.source.maxArchive", func(s *Settings) *int64 { return &s.Fetching.ArchiveBytes }, size),
	inCM("bowline.source.maxIndex", func(s *Settings) *int64 { return &s.Fetching.IndexBytes }, size),
	inCM("bowline.source.privateHosts", func(s *Settings) *[]string { return &s.Fetching.PrivateHosts }, list),
	inCM("helm.enable", func(s *Settings) *bool { return &s.Rendering.HelmOff }, off),
	inCM("jsonnet.enable", func(s *Settings) *bool { return &s.Rendering.JsonnetOff }, off),
	inCM("kustomize.buildOptions", func(s *Settings) *string { return &s.Rendering.KustomizeBuildOptions }, text),
	inCM("kustomize.enable", func(s *Settings) *bool { return &s.Rendering.KustomizeOff }, off),
	inParams("reposerver.enable.git.submodule", func(s *Settings) *bool { return &s.Fetching.Submodules }, boolean),
	inParams("reposerver.helm.manifest.max.extracted.size", func(s *Settings) *int64 { return &s.Fetching.ChartBytes }, size),
	inParams("reposerver.max.combined.directory.manifests.size", func(s *Settings) *int64 { return &s.Rendering.DirectoryBytes }, size),
	inParams("reposerver.oci.layer.media.types", func(s *Settings) *[]string { return &s.Fetching.OCILayerMediaTypes }, list),
	inParams("reposerver.oci.manifest.max.extracted.size", func(s *Settings) *int64 { return &s.Fetching.OCIBytes }, size),
	inParams("reposerver.plugin.tar.exclusions", func(s *Settings) *[]string { return &s.Rendering.PluginTarExclusions }, semicolons),
	{v1alpha1.ConfigMapName, "helm.valuesFileSchemes", valuesFileSchemes},
	{v1alpha1.ConfigMapName, "kustomize.version.*", kustomizeVersions},
}

// valuesFileSchemes differs from other settings: blank forbids every scheme.
func valuesFileSchemes(next *Settings, _ Settings, cm, _ map[string]string) error {
	raw, ok := cm["helm.valuesFileSchemes"]
	if !ok {
		return nil
	}
	next.Rendering.ValuesFileSchemes, _ = list(raw)
	return nil
}

const kustomizeOptionsPrefix = "kustomize.buildOptions."

// kustomizeVersions reads the build options of each version. Where a version's own program would lie (kustomize.path.<version>)
// names the version too: there is one Kustomize, linked in, so that it renders with the options for all.
func kustomizeVersions(next *Settings, _ Settings, cm, _ map[string]string) error {
	versions := map[string]string{}
	for key := range cm {
		for _, prefix := range []string{"kustomize.path.", "kustomize.version.", kustomizeOptionsPrefix} {
			version, ok := strings.CutPrefix(key, prefix)
			if !ok {
				continue
			}
			options, own := cm[kustomizeOptionsPrefix+version]
			if !own {
				options = cm["kustomize.buildOptions"]
			}
			versions[version] = strings.TrimSpace(options)
		}
	}
	if len(versions) > 0 {
		next.Rendering.KustomizeVersions = versions
	}
	return nil
}

// off reads whether a tool is on, for a field that says that it is off.
func off(raw string) (bool, error) {
	on, err := boolean(raw)
	return err == nil && !on, err
}

// size reads a Kubernetes quantity of bytes, such as 10M, 1Gi or 4096.
func size(raw string) (int64, error) {
	wrong := hint{quoted(raw) + " is not a size", "write one such as 10M, 512Mi or 1G"}
	q, err := resource.ParseQuantity(raw)
	if err != nil {
		return 0, wrong
	}
	n, exact := q.AsInt64()
	if !exact || n < 1 {
		return 0, wrong
	}
	return n, nil
}

func count(raw string) (int, error) {
	q, err := resource.ParseQuantity(raw)
	n, exact := q.AsInt64()
	if err != nil || !exact || n < 1 || n > 1<<31-1 {
		return 0, hint{quoted(raw) + " is not a limit", "write a whole number such as 20"}
	}
	return int(n), nil
}

func positiveSpan(raw string) (time.Duration, error) {
	value, err := span(raw)
	if err == nil && value == 0 {
		return 0, hint{"a limit of 0 lets nothing be done", "write one such as 90s"}
	}
	return value, err
}

// semicolons reads a list separated by semicolons.
func semicolons(raw string) ([]string, error) {
	return list(strings.ReplaceAll(raw, ";", ","))
}
