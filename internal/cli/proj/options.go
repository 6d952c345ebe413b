// SPDX-License-Identifier: Apache-2.0

package proj

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/command"
)

// options are the flags that say what a project is to be. A flag replaces the whole of what it is about.
type options struct {
	description                                      string
	destinations, sources, keys, namespaces          []string
	serviceAccounts                                  []string
	allowCluster, denyCluster, allowNamed, denyNamed []string
	orphans, warn                                    bool
}

func (o *options) bind(flags *pflag.FlagSet) {
	flags.StringVar(&o.description, "description", "", "what the project is for")
	flags.StringArrayVarP(&o.destinations, "dest", "d", nil, "permitted destination, as SERVER,NAMESPACE; may be repeated")
	flags.StringArrayVarP(&o.sources, "src", "s", nil, "permitted repository; may be repeated")
	flags.StringSliceVar(&o.keys, "signature-keys", nil, "GnuPG keys that commits have to be signed with")
	flags.BoolVar(&o.orphans, "orphaned-resources", false, "look for objects that belong to no application")
	flags.BoolVar(&o.warn, "orphaned-resources-warn", false, "say so in a condition of the applications")
	flags.StringArrayVar(&o.allowCluster, "allow-cluster-resource", nil, "allowed kind without a namespace, as [GROUP/]KIND or GROUP/KIND/NAME; may be repeated")
	flags.StringArrayVar(&o.denyCluster, "deny-cluster-resource", nil, "denied kind without a namespace, as [GROUP/]KIND or GROUP/KIND/NAME; may be repeated")
	flags.StringArrayVar(&o.allowNamed, "allow-namespaced-resource", nil, "allowed kind in namespaces, as [GROUP/]KIND; may be repeated")
	flags.StringArrayVar(&o.denyNamed, "deny-namespaced-resource", nil, "denied kind in namespaces, as [GROUP/]KIND; may be repeated")
	flags.StringSliceVar(&o.namespaces, "source-namespaces", nil, "namespaces where applications of the project may be")
	flags.StringArrayVar(&o.serviceAccounts, "dest-service-accounts", nil, "service account for a destination, as SERVER,NAMESPACE,ACCOUNT; may be repeated")
}

// apply puts what was given into a spec, and reports whether anything was.
func (o *options) apply(cmd *cobra.Command, spec *v1alpha1.AppProjectSpec) (given bool, err error) {
	setters := map[string]func() error{
		"description":               func() error { spec.Description = o.description; return nil },
		"dest":                      func() error { return o.setDestinations(cmd, spec) },
		"src":                       func() error { spec.SourceRepos = o.sources; return nil },
		"signature-keys":            func() error { return o.setKeys(spec) },
		"orphaned-resources":        func() error { o.setOrphans(cmd, spec); return nil },
		"orphaned-resources-warn":   func() error { o.setOrphans(cmd, spec); return nil },
		"allow-cluster-resource":    func() error { spec.ClusterResourceWhitelist = clusterKinds(o.allowCluster); return nil },
		"deny-cluster-resource":     func() error { spec.ClusterResourceBlacklist = clusterKinds(o.denyCluster); return nil },
		"allow-namespaced-resource": func() error { spec.NamespaceResourceWhitelist = namespacedKinds(o.allowNamed); return nil },
		"deny-namespaced-resource":  func() error { spec.NamespaceResourceBlacklist = namespacedKinds(o.denyNamed); return nil },
		"source-namespaces":         func() error { spec.SourceNamespaces = o.namespaces; return nil },
		"dest-service-accounts":     func() error { return o.setServiceAccounts(cmd, spec) },
	}
	for name, set := range setters {
		if !cmd.Flags().Changed(name) {
			continue
		}
		given = true
		if err := set(); err != nil {
			return true, err
		}
	}
	return given, nil
}

func (o *options) setDestinations(cmd *cobra.Command, spec *v1alpha1.AppProjectSpec) error {
	spec.Destinations = nil
	for _, raw := range o.destinations {
		server, namespace, ok := strings.Cut(raw, ",")
		if !ok || strings.Contains(namespace, ",") {
			return command.Usage(cmd, fmt.Sprintf("--dest is %q and has to be SERVER,NAMESPACE", raw))
		}
		spec.Destinations = append(spec.Destinations, v1alpha1.ApplicationDestination{Server: server, Namespace: namespace})
	}
	return nil
}

func (o *options) setServiceAccounts(cmd *cobra.Command, spec *v1alpha1.AppProjectSpec) error {
	spec.DestinationServiceAccounts = nil
	for _, raw := range o.serviceAccounts {
		parts := strings.Split(raw, ",")
		if len(parts) != 3 {
			return command.Usage(cmd, fmt.Sprintf("--dest-service-accounts is %q and has to be SERVER,NAMESPACE,ACCOUNT", raw))
		}
		spec.DestinationServiceAccounts = append(spec.DestinationServiceAccounts,
			v1alpha1.ApplicationDestinationServiceAccount{Server: parts[0], Namespace: parts[1], DefaultServiceAccount: parts[2]})
	}
	return nil
}

func (o *options) setKeys(spec *v1alpha1.AppProjectSpec) error {
	spec.SignatureKeys = nil
	for _, raw := range o.keys {
		key, err := shortKey(raw)
		if err != nil {
			return err
		}
		spec.SignatureKeys = append(spec.SignatureKeys, v1alpha1.SignatureKey{KeyID: key})
	}
	return nil
}

// setOrphans keeps what is ignored already.
func (o *options) setOrphans(cmd *cobra.Command, spec *v1alpha1.AppProjectSpec) {
	warns := cmd.Flags().Changed("orphaned-resources-warn")
	if !o.orphans && !warns {
		spec.OrphanedResources = nil
		return
	}
	if spec.OrphanedResources == nil {
		spec.OrphanedResources = &v1alpha1.OrphanedResourcesMonitorSettings{}
	}
	if warns {
		spec.OrphanedResources.Warn = &o.warn
	}
}

func clusterKinds(raw []string) []v1alpha1.ClusterResourceRestrictionItem {
	var out []v1alpha1.ClusterResourceRestrictionItem
	for _, text := range raw {
		item := v1alpha1.ClusterResourceRestrictionItem{Kind: text}
		if parts := strings.SplitN(text, "/", 3); len(parts) > 1 {
			item.Group, item.Kind = parts[0], parts[1]
			if len(parts) > 2 {
				item.Name = parts[2]
			}
		}
		out = append(out, item)
	}
	return out
}

func namespacedKinds(raw []string) []metav1.GroupKind {
	out := []metav1.GroupKind{}
	for _, text := range raw {
		item := metav1.GroupKind{Kind: text}
		if group, kind, ok := strings.Cut(text, "/"); ok {
			item = metav1.GroupKind{Group: group, Kind: kind}
		}
		out = append(out, item)
	}
	return out
}
