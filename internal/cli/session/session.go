// SPDX-License-Identifier: Apache-2.0

// Package session is what the verbs of the command line have in common: which cluster they talk to, and in which
// namespace the applications are.
package session

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Session says where a command works.
type Session struct {
	// Kubeconfig and Context choose the cluster that holds the applications, as in kubectl; "" is the default.
	Kubeconfig, Context string
	// Server is what the flags say about the server.
	Server Server
	// Namespace is the control namespace.
	Namespace string
	// AppNamespace is where an application is looked for whose name has no namespace; "" is Namespace.
	AppNamespace string
	// UserAgent is how the command calls itself to the API server.
	UserAgent string
	// Now is the clock.
	Now func() time.Time
	// Open returns the client; nil connects to the cluster of the kubeconfig.
	Open func(*Session) (client.Applications, error)
	// Core returns the services of this process, which work straight on the cluster; nil has none.
	Core func(context.Context, *Session) (*client.Services, error)
	// Serve returns the services whatever was chosen; nil chooses.
	Serve func(*Session) (*client.Services, error)

	flags       *pflag.FlagSet // of BindServer
	namespaces  []*pflag.Flag  // of BindCluster, one for each noun that has it
	environment error          // what is wrong with the environment
}

// BindCluster adds the flags that choose the cluster and the control namespace.
func (s *Session) BindCluster(flags *pflag.FlagSet) {
	flags.StringVar(&s.Kubeconfig, "kubeconfig", "", "path of the kubeconfig (default: $KUBECONFIG, then ~/.kube/config)")
	flags.StringVar(&s.Context, "context", "", "context of the kubeconfig (default: its current one)")
	flags.StringVarP(&s.Namespace, "namespace", "n", v1alpha1.DefaultNamespace, "control namespace: where Bowline and its settings are")
	s.namespaces = append(s.namespaces, flags.Lookup("namespace"))
}

// BindApp adds the flag that chooses the namespace of applications.
func (s *Session) BindApp(flags *pflag.FlagSet) {
	flags.StringVarP(&s.AppNamespace, "app-namespace", "N", "", "namespace of the applications (default: the control namespace)")
}

// Qualified returns the name of an application with its namespace. Of a server the control namespace is not known: there it is
// left out unless it was named.
func (s *Session) Qualified(name string) string {
	switch {
	case strings.Contains(name, "/"):
		return name
	case s.AppNamespace != "":
		return s.AppNamespace + "/" + name
	}
	if remote, err := s.Remote(); err == nil && remote && !s.namespaceNamed() {
		return name
	}
	return s.Namespace + "/" + name
}

// ListNamespace returns the namespace whose applications a list is of; "" is all that a server shows.
func (s *Session) ListNamespace() string {
	if remote, err := s.Remote(); s.AppNamespace != "" || err == nil && remote && !s.namespaceNamed() {
		return s.AppNamespace
	}
	return s.Namespace
}

// namespaceNamed reports whether the control namespace was named by a flag.
func (s *Session) namespaceNamed() bool {
	return slices.ContainsFunc(s.namespaces, func(flag *pflag.Flag) bool { return flag.Changed })
}

// Config reads the kubeconfig.
func (s *Session) Config() (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = s.Kubeconfig
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: s.Context})
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, fault.Wrap(fault.Stalled, "find", "a cluster", err,
			"name a kubeconfig with --kubeconfig or $KUBECONFIG, and one of its contexts with --context; or log in to a server with `bowline login`")
	}
	config.UserAgent = s.UserAgent
	config.QPS, config.Burst = 50, 100
	return config, nil
}

// Client returns the client for the applications.
func (s *Session) Client() (client.Applications, error) {
	if s.Open != nil {
		return s.Open(s)
	}
	remote, err := s.Remote()
	if err != nil {
		return nil, err
	}
	if remote {
		services, err := s.Services(context.Background())
		if err != nil {
			return nil, err
		}
		return client.NewRemote(services), nil
	}
	config, err := s.Config()
	if err != nil {
		return nil, err
	}
	return client.Connect(config, s.Namespace, s.Now)
}

// Limit ends ctx after a time; zero is no limit.
func Limit(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, timeout, errors.New("timed out after "+timeout.String()))
}
