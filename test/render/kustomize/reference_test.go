// SPDX-License-Identifier: Apache-2.0

package kustomize_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/cli"
	"helm.sh/helm/v4/pkg/cli/values"
	"helm.sh/helm/v4/pkg/getter"
	release "helm.sh/helm/v4/pkg/release/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// asHelm makes this program the helm that Kustomize starts for a chart.
const asHelm = "BOWLINE_TEST_AS_HELM"

func TestMain(m *testing.M) {
	if os.Getenv(asHelm) == "" {
		os.Exit(m.Run())
	}
	if err := beHelm(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// byKustomize has the library build the folder on disk, as the program does.
func byKustomize(t testing.TB, s scenario) ([]string, error) {
	t.Helper()
	root := s.write(t)
	options := &krusty.Options{Reorder: krusty.ReorderOptionUnspecified, PluginConfig: types.DisabledPluginConfig()}
	words := strings.Fields(s.Build)
	if slices.Contains(words, "LoadRestrictionsNone") {
		options.LoadRestrictions = types.LoadRestrictionsNone
	} else {
		options.LoadRestrictions = types.LoadRestrictionsRootOnly
	}
	if slices.Contains(words, "none") {
		options.Reorder = krusty.ReorderOptionNone
	}
	options.AddManagedbyLabel = slices.Contains(words, "--enable-managedby-label")
	if slices.Contains(words, "--enable-helm") {
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Setenv(asHelm, "1"); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = os.Unsetenv(asHelm) }()
		options.PluginConfig.HelmConfig = types.HelmConfig{Enabled: true, Command: self, KubeVersion: kubeVersion}
	}
	m, err := krusty.MakeKustomizer(options).Run(filesys.MakeFsOnDisk(), filepath.Join(root, s.Reference))
	if err != nil {
		return nil, err
	}
	text, err := m.AsYaml()
	if err != nil {
		return nil, err
	}
	return parsed(t, text), nil
}

// facts are what the destination can do.
type facts struct{}

func (facts) KubeVersion(context.Context) (string, error)   { return kubeVersion, nil }
func (facts) APIVersions(context.Context) ([]string, error) { return nil, nil }

// beHelm does what Kustomize asks of helm, with what the helm program is made of.
func beHelm(args []string) error {
	if args[0] == "version" {
		fmt.Println("v4.2.4")
		return nil
	}
	if args[0] != "template" {
		return fmt.Errorf("helm %s: there is no network here", args[0])
	}
	var names []string
	args = args[1:]
	for len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		names, args = append(names, args[0]), args[1:]
	}
	if len(names) < 2 && args[0] == "--generate-name" {
		names, args = []string{"release-name", args[1]}, args[2:]
	}
	install := action.NewInstall(action.NewConfiguration())
	install.DryRunStrategy, install.Replace = action.DryRunClient, true
	install.ReleaseName, install.Namespace = names[0], "default"
	var options values.Options
	flags := flag.NewFlagSet("helm", flag.ContinueOnError)
	flags.StringVar(&install.Namespace, "namespace", "default", "")
	flags.Func("f", "", func(v string) error { options.ValueFiles = append(options.ValueFiles, v); return nil })
	flags.Func("api-versions", "", func(v string) error { install.APIVersions = append(install.APIVersions, v); return nil })
	flags.Func("kube-version", "", func(v string) (err error) { install.KubeVersion, err = common.ParseKubeVersion(v); return err })
	flags.BoolVar(&install.IncludeCRDs, "include-crds", false, "")
	skipTests := flags.Bool("skip-tests", false, "")
	flags.BoolVar(&install.DisableHooks, "no-hooks", false, "")
	flags.StringVar(&install.ReleaseName, "name-template", names[0], "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	return template(install, names[1], options, *skipTests)
}

func template(install *action.Install, dir string, options values.Options, skipTests bool) error {
	chart, err := loader.Load(dir)
	if err != nil {
		return err
	}
	merged, err := options.MergeValues(getter.All(cli.New()))
	if err != nil {
		return err
	}
	made, err := install.RunWithContext(context.Background(), chart, merged)
	if err != nil {
		return err
	}
	rel := made.(*release.Release)
	fmt.Println(strings.TrimSpace(rel.Manifest))
	for _, hook := range rel.Hooks {
		if install.DisableHooks || skipTests && slices.Contains(hook.Events, release.HookTest) {
			continue
		}
		fmt.Printf("---\n# Source: %s\n%s\n", hook.Path, hook.Manifest)
	}
	return nil
}
