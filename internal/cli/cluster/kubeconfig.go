// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"slices"

	"github.com/spf13/cobra"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// load reads the kubeconfig; "" is the default one.
func load(path string) (*api.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = path
	config, err := rules.Load()
	return config, fault.Wrap(fault.Mistake, "read", "the kubeconfig", err, "name another with --kubeconfig or $KUBECONFIG")
}

// contextConfig returns the cluster of a context; ok is false if there is no such context.
func contextConfig(path, name string) (config *rest.Config, ok bool, err error) {
	loaded, err := load(path)
	if err != nil || loaded.Contexts[name] == nil {
		return nil, false, err
	}
	config, err = clientcmd.NewNonInteractiveClientConfig(*loaded, name, &clientcmd.ConfigOverrides{}, nil).ClientConfig()
	return config, true, fault.Wrap(fault.Mistake, "use", "context "+name+" of the kubeconfig", err, "mend the kubeconfig")
}

func contextNames(path string) ([]string, error) {
	config, err := load(path)
	if err != nil {
		return nil, err
	}
	var names []string
	for name := range config.Contexts {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

// kubeContexts proposes the contexts of the kubeconfig.
func kubeContexts(s *session.Session) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		names, err := contextNames(s.Kubeconfig)
		if err != nil || len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}
