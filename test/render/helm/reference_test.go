// SPDX-License-Identifier: Apache-2.0

package helm_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart/common"
	helmchart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/cli"
	"helm.sh/helm/v4/pkg/cli/values"
	"helm.sh/helm/v4/pkg/getter"
	release "helm.sh/helm/v4/pkg/release/v1"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// pack makes a chart archive of files. The folder in it has no special name.
func pack(t testing.TB, files map[string]string) string {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	archive := tar.NewWriter(zipped)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		header := &tar.Header{Name: "packed/" + name, Mode: 0o644, Size: int64(len(files[name]))}
		if err := archive.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write([]byte(files[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(archive.Close(), zipped.Close()); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// byHelm renders a chart with Helm from a folder on disk, and returns the objects in Helm's order as JSON.
func byHelm(t *testing.T, c chart) ([]string, error) {
	t.Helper()
	root := t.TempDir()
	write(t, root, c)
	dir := filepath.Join(root, c.Path)
	ch, err := loader.LoadDir(dir)
	if err != nil {
		return nil, err
	}
	if err := installable(ch); err != nil {
		return nil, err
	}
	vals, err := mergeValues(t, root, dir, c)
	if err != nil {
		return nil, err
	}
	install := newInstall(t, c.Helm)
	released, err := install.Run(ch, vals)
	if err != nil {
		return nil, err
	}
	rel := released.(*release.Release)
	out := documents(t, rel.Manifest)
	for _, hook := range rel.Hooks {
		if !c.Helm.SkipTests || !slices.Contains(hook.Events, release.HookTest) {
			out = append(out, documents(t, hook.Manifest)...)
		}
	}
	return out, nil
}

// installable is what `helm template` checks before it renders.
func installable(ch *helmchart.Chart) error {
	if ch.Metadata.Type != "" && ch.Metadata.Type != "application" {
		return errors.New("not installable")
	}
	var missing []string
	for _, d := range ch.Metadata.Dependencies {
		if !slices.ContainsFunc(ch.Dependencies(), func(sub *helmchart.Chart) bool { return sub.Name() == d.Name }) {
			missing = append(missing, d.Name)
		}
	}
	if len(missing) > 0 {
		return errors.New("found in Chart.yaml, but missing in charts/ directory: " + strings.Join(missing, ", "))
	}
	return nil
}

func newInstall(t *testing.T, settings *v1alpha1.ApplicationSourceHelm) *action.Install {
	t.Helper()
	install := action.NewInstall(action.NewConfiguration())
	install.DryRunStrategy, install.Replace = action.DryRunClient, true
	install.ReleaseName, install.Namespace = releaseName, namespace
	if settings.ReleaseName != "" {
		install.ReleaseName = settings.ReleaseName
	}
	if settings.Namespace != "" {
		install.Namespace = settings.Namespace
	}
	install.IncludeCRDs, install.SkipSchemaValidation = !settings.SkipCrds, settings.SkipSchemaValidation
	version := kubeVersion
	if settings.KubeVersion != "" {
		version = settings.KubeVersion
	}
	parsed, err := common.ParseKubeVersion(version)
	if err != nil {
		t.Fatal(err)
	}
	install.KubeVersion, install.APIVersions = parsed, apiVersions
	if len(settings.APIVersions) > 0 {
		install.APIVersions = settings.APIVersions
	}
	return install
}

// mergeValues gives Helm the values of a source the way Argo CD does: files, then the inline values as a file, then
// parameters.
func mergeValues(t *testing.T, root, dir string, c chart) (map[string]any, error) {
	t.Helper()
	var options values.Options
	names := c.Helm.ValueFiles
	if c.Expands != nil {
		names = c.Expands
	}
	for _, name := range names {
		file := place(root, dir, name, c)
		if _, err := os.Stat(file); err != nil && c.Helm.IgnoreMissingValueFiles {
			continue
		}
		options.ValueFiles = append(options.ValueFiles, file)
	}
	inline := []byte(c.Helm.Values)
	if c.Helm.ValuesObject != nil {
		var err error
		if inline, err = yaml.JSONToYAML(c.Helm.ValuesObject.Raw); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(t.TempDir(), "inline.yaml")
	if err := os.WriteFile(file, inline, 0o600); err != nil {
		t.Fatal(err)
	}
	options.ValueFiles = append(options.ValueFiles, file)
	for _, p := range c.Helm.Parameters {
		value := os.Expand(p.Value, func(name string) string { return c.Build[name] })
		if !strings.HasPrefix(value, "{") {
			value = strings.ReplaceAll(value, ",", `\,`)
		}
		if p.ForceString {
			options.StringValues = append(options.StringValues, p.Name+"="+value)
		} else {
			options.Values = append(options.Values, p.Name+"="+value)
		}
	}
	for _, p := range c.Helm.FileParameters {
		options.FileValues = append(options.FileValues, p.Name+"="+place(root, dir, p.Path, c))
	}
	return options.MergeValues(getter.All(cli.New()))
}

// place returns where a value file is on disk.
func place(root, dir, name string, c chart) string {
	if from, ok := c.Web[name]; ok {
		return filepath.Join(root, from)
	}
	if ref, rest, ok := strings.Cut(name, "/"); ok && strings.HasPrefix(ref, "$") && c.Build[ref[1:]] == "" {
		return filepath.Join(root, "refs", ref[1:], rest)
	}
	name = os.Expand(name, func(name string) string { return c.Build[name] })
	if strings.HasPrefix(name, "/") {
		return filepath.Join(root, name)
	}
	return filepath.Join(dir, name)
}

// write lays a chart out on disk, with what it fetches as archives in its charts folder, where `helm dependency build`
// puts them.
func write(t *testing.T, root string, c chart) {
	t.Helper()
	files := maps.Clone(c.files)
	for _, f := range c.Fetched {
		files[c.Path+"/charts/"+f.Chart+"-"+filepath.Base(f.From)+".tgz"] = pack(t, c.below(f.From))
	}
	for name, content := range files {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range c.Links {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, file); err != nil {
			t.Fatal(err)
		}
	}
	for _, from := range c.Built {
		build(t, filepath.Join(root, from), filepath.Join(root, c.Path, "charts"))
	}
}

// build packs a neighbour of a chart into its charts folder, as `helm dependency build` does.
func build(t *testing.T, from, to string) {
	t.Helper()
	ch, err := loader.LoadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := chartutil.Save(ch, to); err != nil {
		t.Fatal(err)
	}
}

func documents(t *testing.T, manifest string) []string {
	t.Helper()
	split := releaseutil.SplitManifests(manifest)
	keys := slices.Collect(maps.Keys(split))
	slices.SortFunc(keys, func(a, b string) int {
		if releaseutil.BySplitManifestsOrder([]string{a, b}).Less(0, 1) {
			return -1
		}
		return 1
	})
	var out []string
	for _, key := range keys {
		data, err := yaml.YAMLToJSON([]byte(split[key]))
		if err != nil {
			t.Fatal(err)
		}
		if string(data) != "null" {
			out = append(out, compact(t, data))
		}
	}
	return out
}
