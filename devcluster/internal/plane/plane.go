// SPDX-License-Identifier: Apache-2.0

// Package plane starts, watches and ends one control plane.
//
//   - A plane is everything that one "devcluster up" runs; all of its state is in one
//     directory, and nothing is shared between two planes but the binary.
//   - A component is one child process of it. When one ends, the plane ends.
//   - A plane is ready when a user may start: the API server answers, the
//     controllers have filled the default namespace, and the nodes are ready.
package plane

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/bowline-cd/bowline/devcluster/internal/gate"
)

// Options say what plane to run.
type Options struct {
	// Dir holds the data, the logs and the kubeconfig. It is made when absent.
	Dir string
	// Port is the API server's port on 127.0.0.1. 0 means the one Dir used before
	// if it is still free, else any free one.
	Port int
	// Nodes is how many simulated nodes there are at least.
	Nodes int
	// Audit is the file the audit log is appended to. Empty means none.
	Audit string
	// Ready is called once, with the path of the kubeconfig, when the plane can be used.
	Ready func(kubeconfig string)
}

const (
	// readyTimeout is far above the few seconds a start takes, for machines that are
	// busy with builds and other clusters.
	readyTimeout = 3 * time.Minute
	// startAttempts bounds how often other ports are tried when somebody else
	// took one between its choice and its use.
	startAttempts = 3
)

// Run runs the plane until ctx ends, which is no error. Otherwise it returns why the
// plane could not start or did not go on; a component that died is named,
// with the end of its log. All components have ended when Run returns.
func Run(ctx context.Context, opts Options) error {
	home, err := openLayout(opts.Dir)
	if err != nil {
		return err
	}
	defer home.close()
	if opts.Audit != "" {
		// The components have another working directory.
		if opts.Audit, err = filepath.Abs(opts.Audit); err != nil {
			return fmt.Errorf("--audit: %w", err)
		}
	}

	for attempt := 1; ; attempt++ {
		err = runOnce(ctx, home, opts)
		var died *diedError
		if attempt == startAttempts || !errors.As(err, &died) || !died.portTaken() {
			return err
		}
	}
}

func runOnce(ctx context.Context, home *layout, opts Options) error {
	ports, err := choosePorts(home, opts.Port)
	if err != nil {
		return err
	}
	p := &plane{layout: home, ports: ports, opts: opts}
	if err := p.prepare(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	p.group = newGroup(home, cancel)
	defer p.group.stop()

	if err := p.start(ctx); err != nil {
		if died := p.group.died(); died != nil {
			return died
		}
		if ctx.Err() != nil {
			return nil // told to end before it was ready
		}
		return err
	}
	if opts.Ready != nil {
		opts.Ready(home.path(kubeconfigFile))
	}
	<-ctx.Done()
	if died := p.group.died(); died != nil {
		return died
	}
	return nil
}

// plane is one attempt to run: a choice of ports and the processes that use them.
type plane struct {
	*layout
	ports ports
	opts  Options
	group *group
}

// prepare writes everything the components read.
func (p *plane) prepare() error {
	if err := p.writePKI(); err != nil {
		return fmt.Errorf("certificates: %w", err)
	}
	if err := p.writeKubeconfigs(); err != nil {
		return err
	}
	return p.writeConfigs()
}

// start brings the components up in the order they need each other. Those that
// only follow the API server are loaded at once and held at their gates.
func (p *plane) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()

	if err := p.group.start("etcd", p.etcdArgs()); err != nil {
		return err
	}
	if err := p.group.start("kube-apiserver", p.apiServerArgs()); err != nil {
		return err
	}
	followers := map[string][]string{
		"kube-controller-manager": p.controllerManagerArgs(),
		"kube-scheduler":          p.schedulerArgs(),
		"kwok":                    p.kwokArgs(),
	}
	gates := make([]*gate.Gate, 0, len(followers))
	for name, args := range followers {
		g, err := p.group.startGated(name, args)
		if err != nil {
			return err
		}
		defer g.Close()
		gates = append(gates, g)
	}
	client, err := p.client()
	if err != nil {
		return err
	}
	if err := waitForAPI(ctx, client); err != nil {
		return err
	}
	if err := releaseNodes(ctx, client); err != nil {
		return err
	}
	for _, g := range gates {
		if err := g.Open(); err != nil {
			return err
		}
	}
	return waitUntilUsable(ctx, client, p.ports.kubelet, p.opts.Nodes)
}
