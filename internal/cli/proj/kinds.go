// SPDX-License-Identifier: Apache-2.0

package proj

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/session"
)

// kindVerbs are the verbs about kinds. Each adds to one list or removes from the other: to allow a kind is to put it into the
// list of what is allowed, or to take it out of the list of what is denied.
func kindVerbs(s *session.Session) []*cobra.Command {
	return []*cobra.Command{
		kindVerb(s, "allow-cluster-resource", "Allow a kind of objects without a namespace", "allow", true, clusterKind),
		kindVerb(s, "deny-cluster-resource", "Deny a kind of objects without a namespace", "allow", false, clusterKind),
		kindVerb(s, "allow-namespace-resource", "Allow a kind of objects in namespaces", "deny", true, namespacedKind),
		kindVerb(s, "deny-namespace-resource", "Deny a kind of objects in namespaces", "deny", false, namespacedKind),
	}
}

// kindVerb returns a verb. list is the list it changes by default; allow says what becomes of the kind.
func kindVerb(s *session.Session, name, short, list string, allow bool,
	change func(spec *v1alpha1.AppProjectSpec, allowed, add bool, args []string) bool) *cobra.Command {
	chosen := list
	cmd := &cobra.Command{
		Use: name + " PROJECT GROUP KIND", Short: short, Example: command.Example("bowline proj " + name + " shop apps Deployment"),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 3 && (len(args) != 4 || list == "deny") {
				return command.Usage(cmd, "it takes PROJECT GROUP KIND")
			}
			if chosen != "allow" && chosen != "deny" {
				return command.Usage(cmd, fmt.Sprintf("--list is %q and has to be allow or deny", chosen))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return update(cmd.Context(), s, args[0], func(p *v1alpha1.AppProject) (bool, error) {
				add := allow == (chosen == "allow")
				if change(&p.Spec, chosen == "allow", add, args[1:]) {
					return true, nil
				}
				state := "not in"
				if add {
					state = "already in"
				}
				fmt.Fprintf(cmd.OutOrStdout(), "Group '%s' and kind '%s' are %s the %s list of the project\n", args[1], args[2], state, chosen)
				return false, nil
			})
		},
	}
	if list == "allow" {
		cmd.Use += " [NAME]"
	}
	cmd.Flags().StringVarP(&chosen, "list", "l", list, "list to change: allow or deny")
	return cmd
}

func clusterKind(spec *v1alpha1.AppProjectSpec, allowed, add bool, args []string) bool {
	list := &spec.ClusterResourceBlacklist
	if allowed {
		list = &spec.ClusterResourceWhitelist
	}
	item := v1alpha1.ClusterResourceRestrictionItem{Group: args[0], Kind: args[1]}
	if len(args) > 2 {
		item.Name = args[2]
	}
	return toggle(list, item, add)
}

func namespacedKind(spec *v1alpha1.AppProjectSpec, allowed, add bool, args []string) bool {
	list := &spec.NamespaceResourceBlacklist
	if allowed {
		list = &spec.NamespaceResourceWhitelist
	}
	return toggle(list, metav1.GroupKind{Group: args[0], Kind: args[1]}, add)
}

// toggle adds an item to a list or removes it, and reports whether that changed anything.
func toggle[T comparable](list *[]T, item T, add bool) bool {
	i := slices.Index(*list, item)
	switch {
	case add == (i >= 0):
		return false
	case add:
		*list = append(*list, item)
	default:
		*list = slices.Delete(*list, i, i+1)
	}
	return true
}
