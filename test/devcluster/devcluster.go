// SPDX-License-Identifier: Apache-2.0

// Package devcluster gives tests a real Kubernetes control plane: it runs
// bin/devcluster as a child process.
//
//   - The shared cluster is started by the first test of a test binary that asks for
//     it with [Shared], and ended by [Main]. Each test works in a
//     namespace of its own ([Cluster.Namespace]) and leaves alone what others made.
//   - A dedicated cluster ([Start]) is for tests that stop the cluster, fill it, or look at
//     everything in it. It costs about four seconds.
//
// How a pod behaves is chosen by the annotation [PodAnnotation] or the tag of its image: see
// devcluster/README.md.
//
// The API server's audit log is always on, so that a test can prove who wrote what:
// see [Cluster.Audit].
package devcluster

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// PodAnnotation chooses what a simulated pod does: run (the default), fail, crash, hang or
// missing. DelayAnnotation puts its becoming ready or ending off by a duration such as 500ms.
const (
	PodAnnotation   = "devcluster.bowline.dev/pod"
	DelayAnnotation = "devcluster.bowline.dev/delay"
)

// BinaryEnv names the environment variable that holds the path of another devcluster binary than
// bin/devcluster of this repository.
const BinaryEnv = "BOWLINE_DEVCLUSTER"

// Cluster is a running control plane.
type Cluster struct {
	binary string
	dir    string
	nodes  int
	shared bool

	process *process
	config  *rest.Config
	client  *kubernetes.Clientset
}

// Option changes what Start starts.
type Option func(*Cluster)

// Nodes sets how many simulated nodes there are. Without it there is one.
func Nodes(n int) Option { return func(c *Cluster) { c.nodes = n } }

// sharing is the shared cluster of this test binary.
var sharing struct {
	sync.Mutex
	allowed bool // Main will end it
	cluster *Cluster
	err     error
}

// Main runs the tests of a test binary, ends the shared cluster and exits. It is for TestMain
// of packages that use Shared:
//
//	func TestMain(m *testing.M) { devcluster.Main(m) }
func Main(m *testing.M) {
	flag.Parse()
	sharing.Lock()
	sharing.allowed = true
	sharing.Unlock()

	status := m.Run()

	sharing.Lock()
	defer sharing.Unlock()
	if c := sharing.cluster; c != nil {
		if err := errors.Join(c.process.stop(), os.RemoveAll(c.dir)); err != nil {
			fmt.Fprintln(os.Stderr, "ending the shared cluster:", err)
			status = max(status, 1)
		}
	}
	os.Exit(status)
}

// Shared returns the cluster that all tests of this test binary share, and starts it when
// there is none yet.
func Shared(t testing.TB) *Cluster {
	t.Helper()
	sharing.Lock()
	defer sharing.Unlock()
	if !sharing.allowed {
		t.Fatal("devcluster.Shared needs `func TestMain(m *testing.M) { devcluster.Main(m) }` in this package, or nobody would end the cluster")
	}
	if sharing.cluster == nil && sharing.err == nil {
		sharing.cluster, sharing.err = startShared()
	}
	if sharing.err != nil {
		t.Fatal(sharing.err)
	}
	return sharing.cluster
}

func startShared() (*Cluster, error) {
	dir, err := os.MkdirTemp("", "devcluster-")
	if err != nil {
		return nil, err
	}
	c := &Cluster{dir: dir, nodes: 1, shared: true}
	if err := c.start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return c, nil
}

// Start starts a cluster for this test alone, and ends it when the test does.
func Start(t testing.TB, opts ...Option) *Cluster {
	t.Helper()
	c := &Cluster{dir: t.TempDir(), nodes: 1}
	for _, opt := range opts {
		opt(c)
	}
	if err := c.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if c.process == nil {
			return
		}
		if err := c.process.stop(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// start runs the binary on the cluster's directory and connects to it.
func (c *Cluster) start() error {
	var err error
	if c.binary == "" {
		if c.binary, err = findBinary(); err != nil {
			return err
		}
	}
	c.process, err = startProcess(c.binary, "up", "--dir", c.dir, "--nodes", strconv.Itoa(c.nodes), "--audit", c.AuditLog())
	if err != nil {
		return err
	}
	if c.config, err = clientcmd.BuildConfigFromFlags("", c.Kubeconfig()); err != nil {
		return errors.Join(err, c.process.stop())
	}
	// Tests wait for the cluster, never for their own client's rate limit.
	c.config.QPS = -1
	config := c.RESTConfig()
	config.UserAgent = "devcluster-test-helper"
	if c.client, err = kubernetes.NewForConfig(config); err != nil {
		return errors.Join(err, c.process.stop())
	}
	return nil
}

// Stop ends a dedicated cluster and keeps its data. Resume goes on with them.
func (c *Cluster) Stop(t testing.TB) {
	t.Helper()
	if c.shared {
		t.Fatal("the shared cluster cannot be stopped: use devcluster.Start")
	}
	if c.process == nil {
		t.Fatal("the cluster is stopped already")
	}
	err := c.process.stop()
	c.process = nil
	if err != nil {
		t.Fatal(err)
	}
}

// Resume starts a stopped cluster again, with the same data and, unless somebody took it,
// the same port; clients made before go on working then.
func (c *Cluster) Resume(t testing.TB) {
	t.Helper()
	if c.process != nil {
		t.Fatal("the cluster was not stopped")
	}
	if err := c.start(); err != nil {
		t.Fatal(err)
	}
}

// Kubeconfig returns the path of a kubeconfig of a cluster administrator.
func (c *Cluster) Kubeconfig() string { return filepath.Join(c.dir, "kubeconfig") }

// RESTConfig returns a configuration of a cluster administrator without a rate limit. It is
// the caller's own.
func (c *Cluster) RESTConfig() *rest.Config { return rest.CopyConfig(c.config) }

// PodLog returns the path of the file that holds the log of every container. Lines appended
// in the format of a container runtime ("<RFC 3339 time> stdout F text") show up in
// logs that are followed.
func (c *Cluster) PodLog() string { return filepath.Join(c.dir, "pods.log") }

// ComponentLog returns the path of the log of a component, such as kube-apiserver.
func (c *Cluster) ComponentLog(component string) string {
	return filepath.Join(c.dir, "logs", component+".log")
}

// findBinary finds bin/devcluster from the working directory upwards.
func findBinary() (string, error) {
	if path := os.Getenv(BinaryEnv); path != "" {
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("%s: %w", BinaryEnv, err)
		}
		return path, nil
	}
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		path := filepath.Join(dir, "bin", "devcluster")
		_, err := os.Stat(path)
		if err == nil {
			return path, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no bin/devcluster above %s: these tests run against a real control plane; `make build` builds it (about ten minutes the first time)", start)
		}
	}
}
