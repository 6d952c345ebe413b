// SPDX-License-Identifier: Apache-2.0

// Package demo shows the whole of Bowline on one machine: a real control plane, a Git repository, and Bowline between
// them. What it tells is what it watched happen.
//
// The words of this room:
//
//   - Act: one thing that is done and then watched until its effect is seen in the cluster.
//   - Stage: everything an act needs: the control plane, the repository, the running Bowline and a client of its own.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Bowline runs Bowline against a kubeconfig until ctx ends. ready is called with the address it listens on.
type Bowline func(ctx context.Context, kubeconfig, dataDir string, log io.Writer, ready func(address string)) error

// Options of a demo.
type Options struct {
	Out     io.Writer
	Exit    bool // end after the narration instead of waiting for Ctrl-C
	Bowline Bowline
}

// stage is what the acts play on.
type stage struct {
	out      io.Writer
	client   client.WithWatch
	repo     *repository
	address  string
	password string // of admin
	began    time.Time
}

// Run plays the demo. It returns nil only if everything it tells of happened.
func Run(ctx context.Context, opts Options) error {
	dir, err := os.MkdirTemp("", "bowline-demo-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	s := &stage{out: opts.Out, began: time.Now()}

	s.say("starting a Kubernetes control plane (API server, etcd, controllers) …")
	plane, err := startControlPlane(ctx, filepath.Join(dir, "cluster"))
	if err != nil {
		return err
	}
	defer plane.stop()
	s.say("it is ready; kubeconfig: %s", plane.kubeconfig)

	s.repo, err = serveRepository(ctx, dir)
	defer s.repo.close()
	if err != nil {
		return err
	}
	s.say("serving a Git repository at %s", s.repo.url)

	if s.client, err = newClient(plane.kubeconfig); err != nil {
		return err
	}
	logPath := filepath.Join(dir, "bowline.log")
	stop, err := s.startBowline(ctx, opts.Bowline, plane.kubeconfig, filepath.Join(dir, "data"), logPath)
	if err != nil {
		return err
	}
	if err := s.play(ctx); err != nil {
		return errors.Join(err, tail(logPath), stop())
	}
	if !opts.Exit {
		s.sayHowToGoOn(plane.kubeconfig, logPath)
		<-ctx.Done()
		s.say("cleaning up …")
	}
	return stop()
}

func (s *stage) play(ctx context.Context) error {
	for _, act := range []func(context.Context) error{s.deploy, s.drift, s.push, s.deployAll, s.signIn} {
		if err := act(ctx); err != nil {
			return err
		}
	}
	return nil
}

// startBowline runs Bowline beside the demo and returns how to end it.
func (s *stage) startBowline(ctx context.Context, run Bowline, kubeconfig, data, logPath string) (stop func() error, err error) {
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- run(ctx, kubeconfig, data, log, func(address string) { ready <- address }) }()
	stop = func() error {
		cancel()
		err := <-ended
		return errors.Join(err, log.Close())
	}
	select {
	case s.address = <-ready:
		s.say("Bowline is running; health: http://%s/readyz", s.address)
		return stop, nil
	case err := <-ended:
		cancel()
		return nil, errors.Join(fmt.Errorf("Bowline ended before it was ready: %w", err), tail(logPath))
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), stop())
	}
}

func (s *stage) say(format string, args ...any) {
	_, _ = fmt.Fprintf(s.out, "[%6.1fs] %s\n", time.Since(s.began).Seconds(), fmt.Sprintf(format, args...))
}

func (s *stage) sayHowToGoOn(kubeconfig, logPath string) {
	_, _ = fmt.Fprintf(s.out, `
It all goes on until you press Ctrl-C. Open http://%s in a browser and sign in as admin with %s.
Things to try in another terminal:

  export KUBECONFIG=%s
  bin/bowline app list
  bin/bowline app get %s

  # the same through the server, as a user of it
  bin/bowline login %s --plaintext --username admin --password %s
  bin/bowline app list

  # take an object away, if you have kubectl, and watch it come back
  kubectl -n %s delete deployment api

  # change something below %s and push it to main
  git clone %s

  # whether Bowline is ready, and what it logged
  curl -s http://%s/readyz
  less %s

`, s.address, s.password, kubeconfig, appName, s.address, s.password, appNamespace, samplePath, s.repo.url, s.address, logPath)
}

func newClient(kubeconfig string) (client.WithWatch, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{v1alpha1.AddToScheme, appsv1.AddToScheme, corev1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	return client.NewWithWatch(config, client.Options{Scheme: scheme})
}

// tailBytes is how much of Bowline's log a failure shows.
const tailBytes = 4000

func tail(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if len(data) > tailBytes {
		data = data[len(data)-tailBytes:]
	}
	return fmt.Errorf("the end of Bowline's log:\n%s", data)
}
