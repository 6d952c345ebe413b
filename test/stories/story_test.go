// SPDX-License-Identifier: Apache-2.0

package stories

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/bowline-cd/bowline/test/devcluster"
	"github.com/bowline-cd/bowline/test/gitserver"
	"github.com/bowline-cd/bowline/test/page/browser"
)

// patience bounds every wait. It is for what never comes: all that stories wait for takes a second or a few.
var patience = flag.Duration("patience", 90*time.Second, "how long a story waits for what does not come")

// world is a cluster and how to reach it; all stories share one.
type world struct {
	cluster *devcluster.Cluster
	client  dynamic.Interface
	mapper  *restmapper.DeferredDiscoveryRESTMapper
	t       testing.TB
}

func newWorld(t testing.TB) *world {
	w := &world{cluster: devcluster.Shared(t), t: t}
	if err := w.connect(); err != nil {
		t.Fatal(err)
	}
	return w
}

// connect makes the clients.
func (w *world) connect() (err error) {
	w.client, err = dynamic.NewForConfig(w.cluster.RESTConfig())
	w.mapper = restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(w.cluster.Client().Discovery()))
	return err
}

// story is one running script.
type story struct {
	*world
	far       *world     // a cluster of its own, if it has one
	tb        testing.TB // the story's own
	id        string     // unique in the cluster, a DNS label
	dir       string
	git       *gitserver.Server
	repos     map[string]*gitserver.Repo
	processes map[string]*process
	marks     map[string]devcluster.AuditMark
	gate      *gate
	admitter  *admitter
	page      *browser.Browser  // the story's Chromium, if it has one
	revisions map[string]uint64 // of the cluster's store, at the same moments
}

type storyKey struct{}

func of(ts *testscript.TestScript) *story { return ts.Value(storyKey{}).(*story) }

var notInLabel = regexp.MustCompile(`[^a-z0-9]+`)

// setup gives a story its own places, and their names as variables.
func (w *world) setup(env *testscript.Env) error {
	t := env.T().(testing.TB)
	suffix := make([]byte, 2)
	if _, err := rand.Read(suffix); err != nil {
		return err
	}
	name := strings.TrimPrefix(t.Name(), "TestStories/")
	s := &story{
		world: w, tb: t, dir: env.WorkDir, repos: map[string]*gitserver.Repo{}, processes: map[string]*process{}, revisions: map[string]uint64{},
		id: strings.Trim(notInLabel.ReplaceAllString(strings.ToLower(name), "-"), "-") + "-" + hex.EncodeToString(suffix),
	}
	server, err := gitserver.Start(gitserver.Options{})
	if err != nil {
		return err
	}
	s.git = server
	env.Defer(server.Close)
	env.Defer(func() { s.end(t) })
	s.marks = map[string]devcluster.AuditMark{"": w.cluster.AuditMark(t)}
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.id}}
	if _, err := w.cluster.Client().CoreV1().Namespaces().Create(context.Background(), ns, metav1.CreateOptions{}); err != nil {
		return err
	}
	for k, v := range map[string]string{"S": s.id, "NS": s.id, "CD": s.id + "-cd", "GIT": server.URL, "KUBECONFIG": w.cluster.Kubeconfig(),
		"HERE": "https://kubernetes.default.svc"} {
		env.Setenv(k, v)
	}
	admin := w.cluster.RESTConfig()
	env.Setenv("SERVER", admin.Host)
	for k, v := range map[string][]byte{"CA": admin.CAData, "CERT": admin.CertData, "KEY": admin.KeyData} {
		env.Setenv(k, base64.StdEncoding.EncodeToString(v))
	}
	env.Values[storyKey{}] = s
	return nil
}

// end ends the story's processes; if the story failed it tells what they said last.
func (s *story) end(t testing.TB) {
	if s.page != nil {
		s.page.Close()
	}
	for name, p := range s.processes {
		if err := p.kill(); err != nil {
			t.Errorf("end bowline %s: %v", name, err)
		}
		text, err := os.ReadFile(p.log)
		if err != nil {
			t.Error(err)
		}
		if at := strings.Index(string(text), "WARNING: DATA RACE"); at >= 0 {
			t.Errorf("bowline %s has a data race:\n%.8000s", name, text[at:])
		}
		if t.Failed() {
			t.Logf("log of bowline %s ends with:\n%s", name, tail(string(text), 60))
		}
	}
	if t.Failed() {
		t.Log(s.describeApplications())
	}
}

func tail(text string, lines int) string {
	all := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// kubeconfig writes a kubeconfig that acts under a name of its own, so that the audit log tells who did what.
func (s *story) kubeconfig(as string, groups ...string) (string, error) {
	config, err := clientcmd.LoadFromFile(s.cluster.Kubeconfig())
	if err != nil {
		return "", err
	}
	for _, user := range config.AuthInfos {
		user.Impersonate, user.ImpersonateGroups = as, groups
	}
	path := filepath.Join(s.dir, "kubeconfig-"+notInLabel.ReplaceAllString(as, "-"))
	return path, write(config, path)
}

// throughGate has a kubeconfig go through the story's gate, which has the rights.
func (s *story) throughGate(path string) error {
	config, err := clientcmd.LoadFromFile(path)
	if err != nil {
		return err
	}
	for _, c := range config.Clusters {
		*c = clientcmdapi.Cluster{Server: s.gate.server.URL}
	}
	for _, user := range config.AuthInfos {
		*user = clientcmdapi.AuthInfo{Impersonate: user.Impersonate, ImpersonateGroups: user.ImpersonateGroups}
	}
	return write(config, path)
}

func write(config *clientcmdapi.Config, path string) error {
	return clientcmd.WriteToFile(*config, path)
}

// user is the name under which a process of the story writes.
func (s *story) user(process string) string { return s.id + "/" + process }

var variable = regexp.MustCompile(`\$(?:\{([A-Z][A-Z0-9_]*)\}|([A-Z][A-Z0-9_]*))`)

// expand replaces $NAME and ${NAME} by the script's variables; what is not a variable stays as it is.
func expand(ts *testscript.TestScript, text string) string {
	return variable.ReplaceAllStringFunc(text, func(found string) string {
		if value := ts.Getenv(strings.Trim(found, "${}")); value != "" {
			return value
		}
		return found
	})
}

// options splits name=value arguments with a known name from the rest.
func options(args []string, names ...string) (map[string]string, []string) {
	known := map[string]string{}
	var rest []string
	for _, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		matched := false
		for _, n := range names {
			if ok && n == name {
				known[name], matched = value, true
			}
		}
		if !matched {
			rest = append(rest, arg)
		}
	}
	return known, rest
}

func bounded() (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(context.Background(), *patience, fmt.Errorf("nothing of it came within %s", *patience))
}
