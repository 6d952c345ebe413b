// SPDX-License-Identifier: Apache-2.0

// Package app builds each role of Bowline and runs it. Here the rooms meet: use cases are given the adapters they
// declared interfaces for, and this package is the only one that knows all of them.
//
// The words of this room:
//
//   - Role: what one process does. `bowline run` has all of them.
//   - Leader: the process that acts. Others keep their caches warm and wait.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/install"
)

// RunOptions are the flags of `bowline run`.
type RunOptions struct {
	Kubeconfig     string // "" means in the cluster, or the default kubeconfig
	Namespace      string
	Listen         string
	Metrics        string
	Data           string
	Plugins        string // folder with the sockets of plugins; "" is where sidecars put them
	Observe        bool
	Install        string // "true", "settings" or "false"; "" is settings in a cluster and true outside of one
	AllowFileRepos bool
	Insecure       bool
	LogFormat      string // "text" or "json"
	LogLevel       string
	Log            io.Writer
	// Ready is called once, with the address of the listener, when it answers.
	Ready func(address string)
}

// installTimeout bounds the installation, CRDs becoming established included.
const installTimeout = time.Minute

// Run runs all roles in one process until ctx ends.
func Run(ctx context.Context, opts RunOptions) error {
	log, err := newLogger(opts)
	if err != nil {
		return err
	}
	kube, inCluster, err := kubeConfig(opts.Kubeconfig)
	if err != nil {
		return err
	}
	if err := prepare(ctx, opts, kube, inCluster, log); err != nil {
		return err
	}
	if err := os.MkdirAll(opts.Data, 0o700); err != nil {
		return fault.Wrap(fault.Stalled, "make", "the data folder", err, "choose another with --data")
	}
	lead, err := newLead(kube, opts.Namespace)
	if err != nil {
		return err
	}
	served, err := readNamespaces(ctx, kube, opts.Namespace)
	if err != nil {
		return err
	}
	mgr, err := newManager(kube, opts, served, lead, log)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	r, err := newRoles(ctx, opts, kube, mgr, served, lead, log)
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.register(mgr); err != nil {
		return err
	}
	group.Go(func() error { return r.serve(ctx, opts) })
	group.Go(func() error { r.poller.Run(ctx); return nil })
	group.Go(func() error { return r.remember(ctx) })
	group.Go(func() error { return lead.watch(ctx) })
	group.Go(func() error { return mgr.Start(ctx) })
	defer tellOfStragglers(ctx, log)()
	err = group.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// prepare installs or verifies what Bowline needs in the cluster.
func prepare(ctx context.Context, opts RunOptions, kube *rest.Config, inCluster bool, log *slog.Logger) error {
	what, err := whatToInstall(opts, inCluster)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, installTimeout)
	defer cancel()
	report, err := install.Run(ctx, install.Options{Config: kube, Namespace: opts.Namespace, What: what})
	report.Log(log)
	return err
}

// whatToInstall reads --install.
func whatToInstall(opts RunOptions, inCluster bool) (install.What, error) {
	switch what, known := map[string]install.What{"true": install.Everything, "settings": install.Settings, "false": install.Nothing}[opts.Install]; {
	case opts.Install == "" && opts.Observe:
		return install.Nothing, nil
	case opts.Install == "" && inCluster:
		return install.Settings, nil
	case opts.Install == "":
		return install.Everything, nil
	case !known:
		return 0, fault.New(fault.Mistake, "run", "", "--install", fmt.Sprintf("%q is not one of its values", opts.Install), "write true, settings or false")
	case what != install.Nothing && opts.Observe:
		return 0, fault.New(fault.Mistake, "run", "", "--install", "--observe writes nothing, so nothing can be installed", "leave out one of the two")
	default:
		return what, nil
	}
}

// kubeConfig finds the control plane: the flag, else the cluster this process runs in, else the user's kubeconfig.
func kubeConfig(path string) (cfg *rest.Config, inCluster bool, err error) {
	if path == "" {
		if cfg, err = rest.InClusterConfig(); err == nil {
			return tuned(cfg), true, nil
		}
	}
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = path
	cfg, err = clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
	if err != nil {
		return nil, false, fault.Wrap(fault.Stalled, "find", "a cluster", err, "name a kubeconfig with --kubeconfig or $KUBECONFIG; `bowline demo` brings a cluster of its own")
	}
	return tuned(cfg), false, nil
}

// tuned takes client-side rate limits away: the API server has its own (priority and fairness).
func tuned(cfg *rest.Config) *rest.Config {
	cfg = rest.CopyConfig(cfg)
	cfg.QPS = -1
	cfg.UserAgent = userAgent()
	return cfg
}

// Leadership: a standby takes over 10 s after a leader died, and at once after one stopped cleanly.
const (
	leaseName     = "bowline-controller"
	leaseDuration = 10 * time.Second
	renewDeadline = 7 * time.Second
	retryPeriod   = 2 * time.Second
)

func newManager(kube *rest.Config, opts RunOptions, served namespaces, lead *lead, log *slog.Logger) (ctrl.Manager, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	duration, deadline, period := leaseDuration, renewDeadline, retryPeriod
	skipNames := true // a process may build more than one manager: the demo and tests do
	mgr, err := ctrl.NewManager(kube, ctrl.Options{
		Scheme: scheme, MapperProvider: newMapper,
		Logger: logr.FromSlogHandler(aside{log.Handler()}),
		Cache: cache.Options{DefaultNamespaces: map[string]cache.Config{opts.Namespace: {}}, DefaultTransform: cache.TransformStripManagedFields(),
			ByObject: map[client.Object]cache.ByObject{&corev1.ConfigMap{}: {}, &corev1.Secret{}: {}, &v1alpha1.Application{}: {Namespaces: served.watched()}}},
		Metrics:                metricsserver.Options{BindAddress: "0"},
		HealthProbeBindAddress: "0",
		LeaderElection:         !opts.Observe, LeaderElectionResourceLockInterface: lead,
		LeaderElectionReleaseOnCancel: true,
		LeaseDuration:                 &duration, RenewDeadline: &deadline, RetryPeriod: &period,
		Controller: config.Controller{SkipNameValidation: &skipNames},
	})
	if err != nil {
		return nil, fmt.Errorf("connect to the control plane: %w", err)
	}
	return mgr, nil
}

// mirrorsDir is where repositories are kept below the data folder.
func mirrorsDir(data string) string { return filepath.Join(data, "git") }

var realClock = clock.RealClock{}
