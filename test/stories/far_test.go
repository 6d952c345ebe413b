// SPDX-License-Identifier: Apache-2.0

package stories

import (
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/test/devcluster"
)

// farCommands returns the commands about objects that can be about those of the far cluster.
func farCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"apply": apply, "create": create, "patch": patch, "annotate": annotate, "delete": remove, "await": await, "check": check, "show": show,
	}
}

// far start | stop | resume | keep | rewind, or far COMMAND ...: see README.md.
func far(ts *testscript.TestScript, neg bool, args []string) {
	s := of(ts)
	if len(args) == 0 || s.far == nil && args[0] != "start" {
		ts.Fatalf("usage: far start, then far stop, far resume, far keep, far rewind or a command about objects")
	}
	switch verb := args[0]; verb {
	case "start":
		ts.Check(s.startFar(ts))
	case "stop":
		s.far.cluster.Stop(s.tb)
	case "resume":
		s.far.cluster.Resume(s.tb)
		ts.Check(s.far.connect())
	case "keep":
		ts.Check(os.CopyFS(filepath.Join(s.dir, "far-kept"), os.DirFS(s.far.dir())))
	case "rewind":
		dir := s.far.dir()
		ts.Check(errors.Join(os.RemoveAll(dir), os.CopyFS(dir, os.DirFS(filepath.Join(s.dir, "far-kept")))))
	default:
		command, ok := farCommands()[verb]
		if !ok {
			ts.Fatalf("far %s: no such command", verb)
		}
		near := s.world
		defer func() { s.world = near }()
		s.world = s.far
		command(ts, neg, args[1:])
	}
}

// startFar starts a cluster that is the story's alone, with its destination namespace.
func (s *story) startFar(ts *testscript.TestScript) error {
	cluster := devcluster.Start(s.tb)
	s.far = &world{cluster: cluster, t: s.tb}
	if err := s.far.connect(); err != nil {
		return err
	}
	admin := cluster.RESTConfig()
	ts.Setenv("FAR_SERVER", admin.Host)
	for name, value := range map[string][]byte{"FAR_CA": admin.CAData, "FAR_CERT": admin.CertData, "FAR_KEY": admin.KeyData} {
		ts.Setenv(name, base64.StdEncoding.EncodeToString(value))
	}
	ctx, cancel := bounded()
	defer cancel()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.id}}
	_, err := cluster.Client().CoreV1().Namespaces().Create(ctx, ns, metav1.CreateOptions{})
	return err
}

// dir is where a cluster keeps its data.
func (w *world) dir() string { return filepath.Dir(w.cluster.Kubeconfig()) }
