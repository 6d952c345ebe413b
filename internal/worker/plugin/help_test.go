// SPDX-License-Identifier: Apache-2.0

package plugin_test

import (
	"context"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/tree"
	"github.com/bowline-cd/bowline/internal/worker/plugin"
	"github.com/bowline-cd/bowline/test/sidecar"
)

// bench holds a folder of sockets with sidecars behind them.
type bench struct {
	t             *testing.T
	sockets, work string
	client        *plugin.Client
}

// newBench takes changes to the client's options. The folder's name is short: a socket's path has at most 108 bytes.
func newBench(t *testing.T, change ...func(*plugin.Options)) *bench {
	t.Helper()
	b := &bench{t: t, sockets: shortDir(t), work: shortDir(t)}
	options := plugin.Options{Dir: b.sockets, Temp: shortDir(t)}
	for _, c := range change {
		c(&options)
	}
	b.client = plugin.New(options)
	t.Cleanup(func() {
		if left, err := os.ReadDir(options.Temp); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v %v", left, err)
		}
		if left := b.copies(); len(left) > 0 {
			t.Errorf("copies left behind: %v", left)
		}
	})
	return b
}

func settings(s plugin.Settings) func(*plugin.Options) {
	return func(o *plugin.Options) { o.Settings = func() plugin.Settings { return s } }
}

func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "cmp")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// copies are the private copies of repositories that sidecars have now.
func (b *bench) copies() []string {
	pattern := filepath.Join(b.work, "*")
	if cmpServer != "" {
		pattern = filepath.Join(b.work, "*", "_cmp_server", "*")
	}
	found, err := filepath.Glob(pattern)
	if err != nil {
		b.t.Fatal(err)
	}
	return found
}

// run starts a sidecar with a plugin.yaml, for which spec is what follows "spec:". It returns what ends it.
func (b *bench) run(name, spec string) (end func()) {
	b.t.Helper()
	return b.start("kind: ConfigManagementPlugin\nmetadata: {name: " + name + "}\nspec:\n  " + strings.ReplaceAll(strings.TrimSpace(spec), "\n", "\n  "))
}

// cmpServer is the path of an argocd-cmp-server, to run the tests against it instead of test/sidecar.
var cmpServer = os.Getenv("BOWLINE_CMP_SERVER")

func (b *bench) start(config string) (end func()) {
	b.t.Helper()
	if cmpServer != "" {
		return b.startReal(config)
	}
	s, err := sidecar.Start(sidecar.Options{Sockets: b.sockets, Work: b.work, Plugin: []byte(config), Env: []string{"OWN=sidecar"}})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(s.Close)
	return s.Close
}

// startReal runs an argocd-cmp-server and waits for its socket.
func (b *bench) startReal(config string) (end func()) {
	b.t.Helper()
	home, err := os.MkdirTemp(b.work, "")
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, "plugin.yaml"), []byte(config), 0o600); err != nil {
		b.t.Fatal(err)
	}
	var head struct {
		Metadata struct{ Name string }
		Spec     struct{ Version string }
	}
	if err := yaml.Unmarshal([]byte(config), &head); err != nil {
		b.t.Fatal(err)
	}
	socket := filepath.Join(b.sockets, strings.TrimSuffix(head.Metadata.Name+"-"+head.Spec.Version, "-")+".sock")
	cmd := exec.Command(cmpServer, "--config-dir-path", home)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "OWN=sidecar", "ARGOCD_PLUGINSOCKFILEPATH=" + b.sockets, "ARGOCD_CMP_WORKDIR=" + home}
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	end = sync.OnceFunc(func() { _ = cmd.Process.Kill(); _ = cmd.Wait(); _ = os.Remove(socket) }) // asked to end, it only removes its socket
	b.t.Cleanup(end)
	waitFor(b.t, "the server listens", func() bool {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	return end
}

// waitFor asks until a condition holds; only a defect takes a minute.
func waitFor(t testing.TB, what string, condition func() bool) {
	t.Helper()
	never := time.After(time.Minute)
	for !condition() {
		select {
		case <-never:
			t.Fatalf("it never came that %s", what)
		case <-time.After(time.Millisecond):
		}
	}
}

// echo is a generate command that prints a ConfigMap of shell words.
func echo(data string) string {
	return "generate:\n  command: [sh, -c]\n  args:\n  - |\n    echo '{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"made\"},\"data\":{'" + data + "'}}'"
}

type facts struct{}

func (facts) KubeVersion(context.Context) (string, error)   { return "v1.36.2", nil }
func (facts) APIVersions(context.Context) ([]string, error) { return []string{"apps/v1", "v1"}, nil }

// input is an application at apps/web of a repository. p may be nil.
func input(files map[string]string, p *v1alpha1.ApplicationSourcePlugin) render.Input {
	all := map[string]tree.MemoryFile{"apps/web/app.txt": {Content: "hello\n"}, "README.md": {Content: "read me\n"}}
	for name, content := range files {
		all[name] = tree.MemoryFile{Content: content}
	}
	return inputOf(tree.Memory(all), p)
}

func inputOf(t tree.Tree, p *v1alpha1.ApplicationSourcePlugin) render.Input {
	return render.Input{
		Tree: t, Source: v1alpha1.ApplicationSource{Path: "apps/web", Plugin: p}, App: "web", Cluster: facts{}, Trace: &render.Trace{},
		Build:  map[string]string{"ARGOCD_APP_NAME": "web", "ARGOCD_APP_REVISION": "abc123"},
		Limits: render.Limits{Time: 30 * time.Second},
	}
}

func named(name string) *v1alpha1.ApplicationSourcePlugin {
	return &v1alpha1.ApplicationSourcePlugin{Name: name}
}

// renderData renders and returns the data of the one ConfigMap.
func (b *bench) renderData(in render.Input) map[string]string {
	b.t.Helper()
	out, err := b.client.Render(b.t.Context(), in)
	if err != nil {
		b.t.Fatal(err)
	}
	if len(out.Manifests) != 1 {
		b.t.Fatalf("%d manifests: %v", len(out.Manifests), out.Manifests)
	}
	data := map[string]string{}
	values, _ := out.Manifests[0].Object.Object["data"].(map[string]any)
	for k, v := range values {
		data[k], _ = v.(string)
	}
	return data
}

func expectData(t *testing.T, got, want map[string]string) {
	t.Helper()
	if !maps.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// expectFault checks an error's kind and that its text has all parts.
func expectFault(t *testing.T, err error, kind fault.Kind, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want one with %q", parts)
	}
	if got := fault.KindOf(err); got != kind {
		t.Errorf("%v: is %s, want %s", err, got, kind)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%v\nhas no %q", err, part)
		}
	}
	if len(err.Error()) > 6000 {
		t.Errorf("an error of %d bytes", len(err.Error()))
	}
}
