// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/settings"
)

// namespaces are where Applications are served: the control namespace, and what application.namespaces chooses when the process
// starts. Whether one elsewhere may use its project is asked of the project (sourceNamespaces) at every pass.
type namespaces struct {
	home   string
	others access.Namespaces
}

// readNamespaces reads application.namespaces.
func readNamespaces(ctx context.Context, kube *rest.Config, home string) (namespaces, error) {
	c, err := hubClient(kube)
	if err != nil {
		return namespaces{}, err
	}
	var params corev1.ConfigMap
	err = c.Get(ctx, client.ObjectKey{Namespace: home, Name: v1alpha1.CommandParamsConfigMapName}, &params)
	if client.IgnoreNotFound(err) != nil {
		return namespaces{}, fault.Wrap(fault.Retry, "read", "ConfigMap "+v1alpha1.CommandParamsConfigMapName, err, "check that the API server can be reached")
	}
	s, _ := settings.Defaults().With(nil, params.Data) // what is broken is told when all settings are read
	return namespaces{home: home, others: access.CompileNamespaces(s.Namespaces)}, nil
}

// serves returns what the application controller asks of a namespace; nil if there is nothing to ask.
func (n namespaces) serves() func(string) bool {
	if n.others.Empty() {
		return nil
	}
	return n.others.Match
}

// has reports whether Applications of a namespace are served.
func (n namespaces) has(namespace string) bool {
	return namespace == n.home || n.others.Match(namespace)
}

// watched says which namespaces Applications are watched in: those that are named, or with patterns all of them, which needs the
// right to list Applications in the whole cluster.
func (n namespaces) watched() map[string]cache.Config {
	names, all := n.others.Names()
	if !all {
		return map[string]cache.Config{cache.AllNamespaces: {}}
	}
	out := map[string]cache.Config{n.home: {}}
	for _, name := range names {
		out[name] = cache.Config{}
	}
	return out
}
