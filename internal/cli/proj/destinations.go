// SPDX-License-Identifier: Apache-2.0

package proj

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/session"
)

// destinationVerbs are the verbs about where applications may go, and as whom.
func destinationVerbs(s *session.Session) []*cobra.Command {
	account := []string{"SERVER", "NAMESPACE", "SERVICE_ACCOUNT"}
	add := verb{"add-destination", "Permit a destination", "shop https://kubernetes.default.svc shop-*", []string{"SERVER/NAME", "NAMESPACE"}, addDestination}.command(s)
	add.Flags().Bool("name", false, "the cluster is given by its name")
	remove := verb{"remove-destination", "Permit a destination no longer", "shop https://kubernetes.default.svc shop-*", []string{"SERVER/NAME", "NAMESPACE"}, removeDestination}.command(s)
	as := verb{"add-destination-service-account", "Apply to a destination as a service account", "shop https://kubernetes.default.svc shop deployer", account, addServiceAccount}.command(s)
	as.Flags().String("service-account-namespace", "", "namespace of the service account (default: that of the destination)")
	asNot := verb{"remove-destination-service-account", "Apply to a destination as a service account no longer", "shop https://kubernetes.default.svc shop deployer", account, removeServiceAccount}.command(s)
	asNot.Flags().String("service-account-namespace", "", "namespace of the service account, if it was added with one")
	return []*cobra.Command{add, remove, as, asNot}
}

func addDestination(cmd *cobra.Command, p *v1alpha1.AppProject, args []string) (bool, error) {
	d := v1alpha1.ApplicationDestination{Server: args[0], Namespace: args[1]}
	if named, _ := cmd.Flags().GetBool("name"); named {
		d.Server, d.Name = "", args[0]
	}
	if slices.Contains(p.Spec.Destinations, d) {
		return false, already(p, "destination "+args[0]+" "+args[1])
	}
	p.Spec.Destinations = append(p.Spec.Destinations, d)
	return true, nil
}

func removeDestination(_ *cobra.Command, p *v1alpha1.AppProject, args []string) (bool, error) {
	i := slices.IndexFunc(p.Spec.Destinations, func(d v1alpha1.ApplicationDestination) bool {
		return d.Namespace == args[1] && (d.Server == args[0] || d.Server == "" && d.Name == args[0])
	})
	if i < 0 {
		return false, missing(p, "destination "+args[0]+" "+args[1])
	}
	p.Spec.Destinations = slices.Delete(p.Spec.Destinations, i, i+1)
	return true, nil
}

// serviceAccount reads the arguments of the verbs about service accounts.
func serviceAccount(cmd *cobra.Command, args []string) (v1alpha1.ApplicationDestinationServiceAccount, error) {
	namespace := cmd.Flags().Lookup("service-account-namespace").Value.String()
	out := v1alpha1.ApplicationDestinationServiceAccount{Server: args[0], Namespace: args[1], DefaultServiceAccount: args[2]}
	if strings.Contains(namespace+args[2], "*") {
		return out, command.Usage(cmd, "a service account and its namespace have no wildcards")
	}
	if namespace != "" {
		out.DefaultServiceAccount = namespace + ":" + args[2]
	}
	return out, nil
}

func addServiceAccount(cmd *cobra.Command, p *v1alpha1.AppProject, args []string) (bool, error) {
	account, err := serviceAccount(cmd, args)
	if err != nil {
		return false, err
	}
	if slices.Contains(p.Spec.DestinationServiceAccounts, account) {
		return false, already(p, "service account "+account.DefaultServiceAccount)
	}
	p.Spec.DestinationServiceAccounts = append(p.Spec.DestinationServiceAccounts, account)
	return true, nil
}

func removeServiceAccount(cmd *cobra.Command, p *v1alpha1.AppProject, args []string) (bool, error) {
	account, err := serviceAccount(cmd, args)
	if err != nil {
		return false, err
	}
	i := slices.Index(p.Spec.DestinationServiceAccounts, account)
	if i < 0 {
		return false, missing(p, "service account "+account.DefaultServiceAccount)
	}
	p.Spec.DestinationServiceAccounts = slices.Delete(p.Spec.DestinationServiceAccounts, i, i+1)
	return true, nil
}
