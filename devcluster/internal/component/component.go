// SPDX-License-Identifier: Apache-2.0

// Package component holds the programs of a Kubernetes control plane that
// this binary can become: etcd, kube-apiserver, kube-controller-manager,
// kube-scheduler and kwok. A component is chosen by the name it is started
// under (argv[0]), so that process lists and the user agents in audit logs
// show the usual names.
//
// This is the only package that links Kubernetes itself. Everything else in
// the module compiles in seconds, its tests included.
package component

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/bowline-cd/bowline/devcluster/internal/gate"
)

var components = map[string]func() int{
	"etcd":                    runEtcd,
	"kube-apiserver":          runAPIServer,
	"kube-controller-manager": runControllerManager,
	"kube-scheduler":          runScheduler,
	"kwok":                    runKwok,
}

// Run runs the component that argv0 names, once its gate is open, and returns its
// exit status. The second result is false when argv0 names none; then nothing was run.
func Run(argv0 string) (int, bool) {
	run, ok := components[filepath.Base(argv0)]
	if !ok {
		return 0, false
	}
	if err := gate.Wait(); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", argv0, err)
		return 1, true
	}
	return run(), true
}
