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
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// GateEnv names the environment variable which tells a component that it has
// to wait, already loaded, until one byte arrives on GateFD. Loading a binary of
// this size takes noticeable time; the gate lets that time overlap with the
// start of the component it depends on.
const GateEnv = "DEVCLUSTER_GATE"

// GateFD is the file descriptor of the gate: the first of exec.Cmd.ExtraFiles.
const GateFD = 3

var components = map[string]func() int{
	"etcd":                    runEtcd,
	"kube-apiserver":          runAPIServer,
	"kube-controller-manager": runControllerManager,
	"kube-scheduler":          runScheduler,
	"kwok":                    runKwok,
}

// Run runs the component that argv0 names and returns its exit status. The
// second result is false when argv0 names none; then nothing was run.
func Run(argv0 string) (int, bool) {
	run, ok := components[filepath.Base(argv0)]
	if !ok {
		return 0, false
	}
	if err := waitAtGate(); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", argv0, err)
		return 1, true
	}
	return run(), true
}

func waitAtGate() error {
	if os.Getenv(GateEnv) == "" {
		return nil
	}
	gate := os.NewFile(GateFD, "gate")
	defer gate.Close()
	if _, err := gate.Read(make([]byte, 1)); err != nil {
		if errors.Is(err, io.EOF) {
			return errors.New("the parent ended before it opened the gate")
		}
		return fmt.Errorf("waiting for the parent: %w", err)
	}
	return nil
}
