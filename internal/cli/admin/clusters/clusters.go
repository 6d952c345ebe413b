// SPDX-License-Identifier: Apache-2.0

// Package clusters is the noun `bowline admin cluster`: the clusters that an installation deploys to, as their Secrets declare
// them.
//
// The words of this package:
//
//   - Place: one cluster with the Secret that declares it, and the applications that go there.
//   - Namespaced mode: a cluster of which only some namespaces are looked at.
package clusters

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	kube "sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/admin/reach"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/settings/declared"
)

// NewCmd returns the command with its verbs.
func NewCmd(s *session.Session, connect reach.Connect) *cobra.Command {
	return command.Group("cluster", "Look after the clusters that are deployed to",
		newNamespacesCmd(s, connect), newKubeconfigCmd(s, connect), newStatsCmd(s, connect), newGenerateCmd(s))
}

// place is one cluster.
type place struct {
	v1alpha1.Cluster
	secret *corev1.Secret // nil for the cluster that the installation lives in, if no Secret declares it
	apps   []*v1alpha1.Application
}

// places returns the clusters by their servers, with the applications that go there.
func places(ctx context.Context, c kube.Client, home string) ([]*place, error) {
	secrets := &corev1.SecretList{}
	if err := c.List(ctx, secrets, kube.InNamespace(home), kube.MatchingLabels{v1alpha1.LabelKeySecretType: declared.ClusterKind}); err != nil {
		return nil, reach.Explain(err, "list", "the Secrets of clusters")
	}
	apps := &v1alpha1.ApplicationList{}
	if err := c.List(ctx, apps, kube.InNamespace(home)); err != nil {
		return nil, reach.Explain(err, "list", "the applications")
	}
	var out []*place
	for i := range secrets.Items {
		read, err := declared.ReadCluster(&secrets.Items[i])
		if err != nil {
			return nil, err
		}
		out = append(out, &place{Cluster: *read, secret: &secrets.Items[i]})
	}
	if !slices.ContainsFunc(out, func(p *place) bool { return p.Server == cluster.HubServer }) {
		out = append(out, &place{Cluster: v1alpha1.Cluster{Server: cluster.HubServer, Name: cluster.HubName}})
	}
	for i := range apps.Items {
		if p := destination(out, apps.Items[i].Spec.Destination); p != nil {
			p.apps = append(p.apps, &apps.Items[i])
		}
	}
	slices.SortFunc(out, func(a, b *place) int { return cmp.Compare(a.Server, b.Server) })
	return out, nil
}

// destination returns the cluster that a destination means; nil if it means none, or more than one.
func destination(all []*place, d v1alpha1.ApplicationDestination) *place {
	var found *place
	for _, p := range all {
		if d.Server != "" && strings.TrimRight(d.Server, "/") != p.Server || d.Server == "" && (d.Name == "" || d.Name != p.Name) {
			continue
		}
		if found != nil {
			return nil
		}
		found = p
	}
	return found
}

// namespaces returns where the applications of a cluster have objects, shortest first; where nothing is known of objects it is
// where they are to be.
func (p *place) namespaces() []string {
	seen := map[string]bool{}
	for _, app := range p.apps {
		if len(app.Status.Resources) == 0 {
			seen[app.Spec.Destination.Namespace] = true
		}
		for _, r := range app.Status.Resources {
			seen[r.Namespace] = true
		}
	}
	delete(seen, "")
	var out []string
	for name := range seen {
		out = append(out, name)
	}
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
	return out
}

// find returns the cluster of a server or a name.
func find(all []*place, what string) (*place, error) {
	for _, p := range all {
		if p.Server == strings.TrimRight(what, "/") || p.Name == what {
			return p, nil
		}
	}
	return nil, fault.New(fault.Mistake, "find", "cluster "+what, "", "no Secret declares it", "see `bowline admin cluster namespaces` for those that there are")
}
