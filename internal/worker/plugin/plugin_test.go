// SPDX-License-Identifier: Apache-2.0

package plugin_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/worker/plugin"
)

func examplePlugin(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../../docs/examples/plugin/plugin.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestExample(t *testing.T) {
	b := newBench(t)
	b.start(examplePlugin(t))
	in := input(map[string]string{"apps/web/web.env": "# a comment\nGREETING=say \"hi\"\nPATTERN=\\d+\n"}, &v1alpha1.ApplicationSourcePlugin{
		Env:        v1alpha1.Env{{Name: "SUFFIX", Value: "-$ARGOCD_APP_NAME"}},
		Parameters: v1alpha1.ApplicationSourcePluginParameters{{Name: "team", String_: new("checkout")}},
	})
	prepared, err := render.Prepare(t.Context(), in, b.client.Discover)
	if err != nil || prepared.Type != v1alpha1.ApplicationSourceTypePlugin || prepared.Source.Plugin.Name != "env-files-v1.0" {
		t.Fatalf("discovered %+v, %v", prepared, err)
	}
	out, err := b.client.Render(t.Context(), prepared.Input)
	if err != nil || len(out.Manifests) != 1 || len(out.Warnings) > 0 {
		t.Fatalf("%+v, %v", out, err)
	}
	object := out.Manifests[0].Object
	if object.GetName() != "web-web" || object.GetLabels()["team"] != "checkout" || out.Type != v1alpha1.ApplicationSourceTypePlugin {
		t.Errorf("%v", object)
	}
	if data := object.Object["data"]; !reflect.DeepEqual(data, map[string]any{"GREETING": `say "hi"`, "PATTERN": `\d+`}) {
		t.Errorf("data %v", data)
	}
	_, err = b.client.Render(t.Context(), input(map[string]string{"apps/web/web.env": "good=1\n bad line\n"}, named("env-files-v1.0")))
	expectFault(t, err, fault.Retry, "plugin env-files-v1.0", `path "apps/web"`, "web.env:2: bad line")
}

func TestDiscoveryByEachRule(t *testing.T) {
	for name, test := range map[string]struct {
		discover string
		files    map[string]string
		want     bool
	}{
		"file name":                      {"fileName: app.txt", nil, true},
		"file name is a glob":            {"fileName: '*.txt'", nil, true},
		"file name below":                {"fileName: '*.txt'", map[string]string{"apps/web/app.txt": ""}, true},
		"file name is of the app folder": {"fileName: README.md", nil, false},
		"glob":                           {"find: {glob: '**/deep.yaml'}", map[string]string{"apps/web/a/b/deep.yaml": "x"}, true},
		"glob without match":             {"find: {glob: '**/deep.yaml'}", map[string]string{"deep.yaml": "x"}, false},
		"command that prints":            {"find: {command: [cat, app.txt]}", nil, true},
		"command that prints nothing":    {"find: {command: ['true']}", nil, false},
		"command that fails":             {"find: {command: [sh, -c, 'echo found; exit 3']}", nil, false},
		"command sees the environment":   {"find: {command: [sh, -c, 'test $ARGOCD_APP_NAME = web && echo $OWN']}", nil, true},
		"first rule counts":              {"{fileName: none, find: {glob: '*'}}", nil, false},
		"no rule":                        {"{}", nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.run("one", "discover: "+flow(test.discover)+"\n"+echo(""))
			got, ok, err := b.client.Discover(t.Context(), input(test.files, nil))
			if err != nil || ok != test.want || ok && got != "one" {
				t.Errorf("%q %v %v", got, ok, err)
			}
		})
	}
}

// flow makes a mapping of one line a flow mapping.
func flow(text string) string {
	if strings.HasPrefix(text, "{") {
		return text
	}
	return "{" + text + "}"
}

func TestDiscoveryAsksInTheOrderOfNames(t *testing.T) {
	b := newBench(t)
	b.run("zulu", "discover: {fileName: app.txt}\n"+echo(""))
	b.run("alpha", "discover: {fileName: other.txt}\n"+echo(""))
	b.run("mike", "discover: {fileName: app.txt}\n"+echo(""))
	b.run("bravo", echo("")) // no rule: never discovered
	if name, ok, err := b.client.Discover(t.Context(), input(nil, nil)); err != nil || !ok || name != "mike" {
		t.Errorf("%q %v %v", name, ok, err)
	}
}

func TestNoPluginsInstalled(t *testing.T) {
	for _, dir := range []string{shortDir(t), filepath.Join(shortDir(t), "absent")} {
		client := plugin.New(plugin.Options{Dir: dir})
		if name, ok, err := client.Discover(t.Context(), input(nil, nil)); err != nil || ok {
			t.Errorf("%q %v %v", name, ok, err)
		}
		_, err := client.Render(t.Context(), input(nil, named("mine")))
		expectFault(t, err, fault.Wait, `plugin "mine"`, "spec.source.plugin.name", "no plugin is installed")
	}
}

// A socket without a sidecar behind it must not make plain folders of what its plugin renders.
func TestDiscoveryWithADeadSidecarIsAnError(t *testing.T) {
	b := newBench(t)
	end := b.run("mine", "discover: {fileName: app.txt}\n"+echo(""))
	path := filepath.Join(b.sockets, "mine.sock")
	if err := os.Link(path, path+".kept"); err != nil {
		t.Fatal(err)
	}
	end() // takes its socket with it
	if err := os.Rename(path+".kept", path); err != nil {
		t.Fatal(err)
	}
	_, ok, err := b.client.Discover(t.Context(), input(nil, nil))
	if ok {
		t.Error("discovered")
	}
	expectFault(t, err, fault.Retry, "plugin mine", "does not answer", "remove its socket")
	if _, err := b.client.Render(t.Context(), input(nil, named("mine"))); !fault.Is(err, fault.Retry) {
		t.Errorf("render: %v", err)
	}
}

func TestDiscoveryWaitsForExpectedPlugins(t *testing.T) {
	b := newBench(t, settings(plugin.Settings{Expected: []string{"late"}}))
	_, _, err := b.client.Discover(t.Context(), input(nil, nil))
	expectFault(t, err, fault.Wait, "plugin late", "expected")
	b.run("late", echo(""))
	if _, ok, err := b.client.Discover(t.Context(), input(nil, nil)); ok || err != nil {
		t.Errorf("%v %v", ok, err)
	}
}

func TestNames(t *testing.T) {
	b := newBench(t)
	b.run("tool", "version: v2\n"+echo(`'"which":"v2"'`))
	b.run("tool", echo(`'"which":"plain"'`))
	b.run("picky", "discover: {fileName: other.txt}\n"+echo(""))
	expectData(t, b.renderData(input(nil, named("tool-v2"))), map[string]string{"which": "v2"})
	expectData(t, b.renderData(input(nil, named("tool"))), map[string]string{"which": "plain"})
	for _, name := range []string{"tool-v3", "v2", "../" + filepath.Base(b.sockets) + "/tool", "tool.sock"} {
		_, err := b.client.Render(t.Context(), input(nil, named(name)))
		expectFault(t, err, fault.Wait, "spec.source.plugin.name", "those installed are picky, tool-v2, tool")
	}
	_, err := b.client.Render(t.Context(), input(nil, named("picky")))
	expectFault(t, err, fault.Mistake, "picky", "discovery rule", "does not match", `path "apps/web"`)
	_, err = b.client.Render(t.Context(), input(nil, nil))
	expectFault(t, err, fault.Mistake, "names no plugin")
}

func TestEnvironmentAndParameters(t *testing.T) {
	b := newBench(t)
	b.run("show", `generate:
  command: [sh, -c]
  args:
  - |
    printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: made}\ndata:\n'
    env | grep -e ^ARGOCD_APP -e ^ARGOCD_ENV -e ^PARAM -e ^KUBE -e ^OWN | sed -e "s/'/''/g" -e "s/^\([^=]*\)=\(.*\)$/  \1: '\2'/"`)
	in := input(nil, &v1alpha1.ApplicationSourcePlugin{
		Name: "show",
		Env:  v1alpha1.Env{{Name: "FOO", Value: "at-${ARGOCD_APP_REVISION}-$$-$UNKNOWN"}, {Name: "PATH", Value: "/evil"}},
		Parameters: v1alpha1.ApplicationSourcePluginParameters{
			{Name: "image.tag", String_: new("v1")},
			{Name: "values-files", Array: []string{"a.yaml", "b.yaml"}},
			{Name: "set", Map: map[string]string{"replica-count": "3"}},
			{Name: "empty", Array: []string{}},
		},
	})
	expectData(t, b.renderData(in), map[string]string{
		"ARGOCD_APP_NAME": "web", "ARGOCD_APP_REVISION": "abc123", "KUBE_VERSION": "v1.36.2", "KUBE_API_VERSIONS": "apps/v1,v1", "OWN": "sidecar",
		"ARGOCD_ENV_FOO": "at-abc123-$-", "ARGOCD_ENV_PATH": "/evil",
		"PARAM_IMAGE_TAG": "v1", "PARAM_VALUES_FILES_0": "a.yaml", "PARAM_VALUES_FILES_1": "b.yaml", "PARAM_SET_REPLICA_COUNT": "3",
		"ARGOCD_APP_PARAMETERS": `[{"name":"image.tag","string":"v1"},{"name":"values-files","array":["a.yaml","b.yaml"]},{"name":"set","map":{"replica-count":"3"}},{"name":"empty","array":[]}]`,
	})
	used := in.Trace.Used()
	if !slices.Equal(used.Build, []string{"ARGOCD_APP_NAME", "ARGOCD_APP_REVISION"}) || !used.KubeVersion || !used.APIVersions {
		t.Errorf("used %+v", used)
	}
	in.Source.Plugin.Env = v1alpha1.Env{{Name: "A=B", Value: "x"}}
	_, err := b.client.Render(t.Context(), in)
	expectFault(t, err, fault.Mistake, "spec.source.plugin.env[0].name", `"A=B"`)
	in.Source.Plugin.Env, in.Cluster = nil, nil
	_, err = b.client.Render(t.Context(), in)
	expectFault(t, err, fault.Wait, "cluster can do is not known")
}

func TestFailures(t *testing.T) {
	b := newBench(t)
	b.run("fails", "generate: {command: [sh, -c, 'echo out; printf \"no \\033[31msuch chart\" >&2; exit 3']}")
	b.run("init-fails", "init: {command: [sh, -c, 'echo not ready >&2; exit 1']}\n"+echo(""))
	b.run("talks", "generate: {command: [sh, -c, 'yes blah | head -c 100000 >&2; echo the end >&2; exit 1']}")
	b.run("yaml", "generate: {command: [echo, 'a: [']}")
	b.run("nothing", "generate: {command: ['true']}")
	b.run("half", "generate: {command: [echo, 'kind: ConfigMap']}")
	b.run("many", "generate: {command: [sh, -c, 'for i in 1 2 3; do echo \"{apiVersion: v1, kind: ConfigMap, metadata: {name: m$i}}\"; echo ---; done']}")
	b.run("long", "generate: {command: [sh, -c, 'head -c 100000 /dev/zero | tr \"\\\\0\" x']}")
	b.run("credentials", "provideGitCreds: true\n"+echo(""))

	for name, want := range map[string]struct {
		kind  fault.Kind
		parts []string
	}{
		"fails":      {fault.Retry, []string{"plugin fails", "spec.source.plugin", "exit status 3", "no [31msuch chart"}},
		"init-fails": {fault.Retry, []string{"plugin init-fails", "not ready"}},
		"talks":      {fault.Retry, []string{"yes blah", "the end"}},
		"yaml":       {fault.Mistake, []string{"part 1 of what plugin yaml gave", "standard output must be nothing but Kubernetes objects"}},
		"half":       {fault.Mistake, []string{"plugin half", "apiVersion is missing"}},
		"many":       {fault.Mistake, []string{"plugin many gave more than 2 objects", "bowline.render.maxObjects"}},
		"long":       {fault.Mistake, []string{"plugin long", "bowline.render.maxOutput"}},
	} {
		if name == "yaml" && cmpServer != "" {
			continue // argocd-cmp-server finds that itself
		}
		in := input(nil, named(name))
		in.Limits.Objects, in.Limits.OutputBytes = 2, 64<<10
		out, err := b.client.Render(t.Context(), in)
		expectFault(t, err, want.kind, want.parts...)
		if len(out.Manifests) > 0 {
			t.Errorf("%s: manifests beside an error: %v", name, out.Manifests)
		}
	}
	out, err := b.client.Render(t.Context(), input(nil, named("nothing")))
	if err != nil || len(out.Manifests) != 0 || len(out.Warnings) != 1 || !strings.Contains(out.Warnings[0], "no manifests") {
		t.Errorf("%+v %v", out, err)
	}
	out, err = b.client.Render(t.Context(), input(nil, named("credentials")))
	if err != nil || len(out.Warnings) != 1 || !strings.Contains(out.Warnings[0], "provideGitCreds") {
		t.Errorf("%+v %v", out, err)
	}
}

func TestTimeout(t *testing.T) {
	b := newBench(t)
	b.run("slow", "generate: {command: [sleep, '600']}")
	in := input(nil, named("slow"))
	in.Limits.Time = time.Second
	_, err := b.client.Render(t.Context(), in)
	expectFault(t, err, fault.Mistake, "plugin slow", "within 1s", "bowline.render.timeout", "ARGOCD_EXEC_TIMEOUT")

	ctx, cancel := context.WithCancelCause(t.Context())
	over := errors.New("the pass is over")
	in.Limits.Time = time.Minute
	done := make(chan error)
	go func() { _, err := b.client.Render(ctx, in); done <- err }()
	waitFor(t, "the sidecar has its copy", func() bool { return len(b.copies()) > 0 })
	cancel(over)
	if err := <-done; !errors.Is(err, over) {
		t.Errorf("%v", err)
	}
	waitFor(t, "the sidecar noticed by itself, and its copy is gone", func() bool { return len(b.copies()) == 0 })
}

func TestAnnouncements(t *testing.T) {
	b := newBench(t)
	b.run("params", `discover: {fileName: app.txt}
`+echo("")+`
parameters:
  static:
  - {name: s, title: T, tooltip: P, required: true, itemType: number, string: "1"}
  - {name: a, collectionType: array, array: [one, two]}
  dynamic: {command: [echo, '[{"name": "m", "collectionType": "map", "map": {"k": "v"}}]']}`)
	want := []plugin.Announcement{
		{Name: "m", CollectionType: "map", Map: map[string]string{"k": "v"}},
		{Name: "s", Title: "T", Tooltip: "P", Required: true, ItemType: "number", String: "1"},
		{Name: "a", CollectionType: "array", Array: []string{"one", "two"}},
	}
	for _, p := range []*v1alpha1.ApplicationSourcePlugin{nil, {}, named("params")} {
		got, err := b.client.Announce(t.Context(), input(nil, p))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v %v", got, err)
		}
	}
}

func TestInstalledTellsOfEveryChange(t *testing.T) {
	b := newBench(t)
	seen := map[string]bool{}
	look := func() {
		t.Helper()
		text, err := b.client.Installed()
		if err != nil || seen[text] {
			t.Errorf("%q seen before: %v (%v)", text, seen[text], err)
		}
		seen[text] = true
	}
	look()
	b.run("a", echo(""))
	look()
	end := b.run("b", echo(""))
	look()
	end()
	b.run("b", echo(""))
	look()
}
