// SPDX-License-Identifier: Apache-2.0

package projects

import (
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/admin/declare"
	"github.com/bowline-cd/bowline/internal/cli/admin/reach"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// newAllowListCmd returns the command generate-allow-list.
func newAllowListCmd(s *session.Session) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:     "generate-allow-list CLUSTERROLE_PATH PROJECT",
		Short:   "Write a project that allows the kinds that a ClusterRole may create",
		Example: command.Example("bowline admin proj generate-allow-list clusterrole.yaml team --out project.yaml"),
		Args:    command.Exactly("CLUSTERROLE_PATH", "PROJECT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := command.Read(cmd.Context(), cmd, args[0])
			if err != nil {
				return err
			}
			role := &rbacv1.ClusterRole{}
			if err := yaml.Unmarshal(text, role); err != nil {
				return fault.Wrap(fault.Mistake, "read", "the ClusterRole of "+args[0], err, "correct it")
			}
			kinds, err := served(s)
			if err != nil {
				return err
			}
			project := allowing(args[1], role, kinds)
			if out == "-" {
				return declare.Encode(cmd.OutOrStdout(), output.YAML, project)
			}
			return toFile(out, project)
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "-", "file to write; - is standard output")
	return cmd
}

func toFile(path string, project *v1alpha1.AppProject) error {
	f, err := os.Create(path)
	if err != nil {
		return fault.Wrap(fault.Stalled, "write", path, err, "name another file with --out")
	}
	return errors.Join(declare.Encode(f, output.YAML, project), f.Close())
}

// served returns the kinds of the cluster.
func served(s *session.Session) ([]*metav1.APIResourceList, error) {
	config, err := s.Config()
	if err != nil {
		return nil, err
	}
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, reach.Explain(err, "reach", "the cluster")
	}
	kinds, err := client.ServerPreferredResources()
	return kinds, reach.Explain(err, "list", "the kinds of the cluster")
}

// allowing returns a project that allows what a role may create, of the kinds of a cluster.
func allowing(name string, role *rbacv1.ClusterRole, kinds []*metav1.APIResourceList) *v1alpha1.AppProject {
	project := &v1alpha1.AppProject{ObjectMeta: metav1.ObjectMeta{Name: name}}
	project.SetGroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind("AppProject"))
	for _, rule := range role.Rules {
		if !slices.ContainsFunc(rule.Verbs, func(verb string) bool { return strings.EqualFold(verb, "create") || verb == "*" }) {
			continue
		}
		for _, list := range kinds {
			gv, err := schema.ParseGroupVersion(list.GroupVersion)
			if err != nil || !slices.Contains(rule.APIGroups, gv.Group) && !slices.Contains(rule.APIGroups, "*") {
				continue
			}
			for _, kind := range list.APIResources {
				if slices.Contains(rule.Resources, kind.Name) || slices.Contains(rule.Resources, "*") {
					allow(&project.Spec, metav1.GroupKind{Group: gv.Group, Kind: kind.Kind}, kind.Namespaced)
				}
			}
		}
	}
	return project
}

// allow adds a kind where it counts: argocd puts all of them into the list of kinds in namespaces, which says nothing of the others.
func allow(spec *v1alpha1.AppProjectSpec, kind metav1.GroupKind, namespaced bool) {
	if namespaced {
		if !slices.Contains(spec.NamespaceResourceWhitelist, kind) {
			spec.NamespaceResourceWhitelist = append(spec.NamespaceResourceWhitelist, kind)
		}
		return
	}
	item := v1alpha1.ClusterResourceRestrictionItem{Group: kind.Group, Kind: kind.Kind}
	if !slices.Contains(spec.ClusterResourceWhitelist, item) {
		spec.ClusterResourceWhitelist = append(spec.ClusterResourceWhitelist, item)
	}
}
