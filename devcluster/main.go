// SPDX-License-Identifier: Apache-2.0

// Devcluster runs a real Kubernetes control plane on this machine, for
// demonstrations, tests and benchmarks: etcd, kube-apiserver,
// kube-controller-manager and kube-scheduler built from source, and kwok in the
// place of the kubelets, so that pods start, become ready and finish without
// containers.
//
//	devcluster up --dir DIR [--port P] [--nodes N] [--audit FILE]
//
// It is one binary. "up" starts each component as a child process of itself,
// the binary started again under the component's name.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/bowline-cd/bowline/devcluster/internal/component"
	"github.com/bowline-cd/bowline/devcluster/internal/plane"
)

const usage = `usage: devcluster up --dir DIR [--port P] [--nodes N] [--audit FILE]

Starts a Kubernetes control plane in the foreground, with its data in DIR.
Prints "ready" when it can be used, and ends all of it on SIGINT or SIGTERM.
Starting again on the same DIR goes on with the same data.

`

func main() {
	if status, ran := component.Run(os.Args[0]); ran {
		os.Exit(status)
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 || args[0] != "up" {
		fmt.Fprint(stderr, usage)
		return 2
	}
	opts, err := parseUp(args[1:], stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, "devcluster:", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	opts.Ready = func(kubeconfig string) {
		fmt.Fprintf(stderr, "devcluster: export KUBECONFIG=%s\n", kubeconfig)
		fmt.Fprintln(stdout, "ready")
	}
	if err := plane.Run(ctx, opts); err != nil {
		fmt.Fprintln(stderr, "devcluster:", err)
		return 1
	}
	return 0
}

func parseUp(args []string, stderr io.Writer) (plane.Options, error) {
	var opts plane.Options
	flags := flag.NewFlagSet("up", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
	}
	flags.StringVar(&opts.Dir, "dir", "", "directory of the data, the logs and the kubeconfig; made when absent")
	flags.IntVar(&opts.Port, "port", 0, "port of the API server on 127.0.0.1; 0 takes the port DIR had before, or a free one")
	flags.IntVar(&opts.Nodes, "nodes", 1, "how many simulated nodes there are at least")
	flags.StringVar(&opts.Audit, "audit", "", "file to append the API server's audit log to, one JSON event per line")
	if err := flags.Parse(args); err != nil {
		return opts, err
	}
	switch {
	case flags.NArg() > 0:
		return opts, fmt.Errorf("up: unexpected argument %q", flags.Arg(0))
	case opts.Dir == "":
		return opts, errors.New("up: --dir is missing: it names the directory to keep the cluster in")
	case opts.Port < 0 || opts.Port > 65535:
		return opts, fmt.Errorf("up: --port %d is not a port", opts.Port)
	case opts.Nodes < 0:
		return opts, fmt.Errorf("up: --nodes %d: it cannot be negative", opts.Nodes)
	}
	return opts, nil
}
