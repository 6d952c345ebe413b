// SPDX-License-Identifier: Apache-2.0

package access

import "github.com/bowline-cd/bowline/api/argoproj/v1alpha1"

// Inherit returns a project with the rules of global projects (globalProjects in argocd-cm) added to its own, and the global
// projects. names are theirs; find returns one, or nil if there is none of the name: such a name adds nothing, as in Argo CD.
// Neither p nor what find returns is changed. A list of what is allowed that is absent allows all kinds; once something is added to
// it, it allows these.
func Inherit(p *v1alpha1.AppProject, names []string, find func(name string) (*v1alpha1.AppProject, error)) (*v1alpha1.AppProject, []v1alpha1.AppProject, error) {
	p = p.DeepCopy()
	var globals []v1alpha1.AppProject
	for _, name := range names {
		global, err := find(name)
		if err != nil {
			return nil, nil, err
		}
		if global == nil {
			continue
		}
		globals = append(globals, *global.DeepCopy())
		add(&p.Spec, global.DeepCopy().Spec)
	}
	return p, globals, nil
}

func add(to *v1alpha1.AppProjectSpec, from v1alpha1.AppProjectSpec) {
	to.ClusterResourceWhitelist = append(to.ClusterResourceWhitelist, from.ClusterResourceWhitelist...)
	to.ClusterResourceBlacklist = append(to.ClusterResourceBlacklist, from.ClusterResourceBlacklist...)
	to.NamespaceResourceWhitelist = append(to.NamespaceResourceWhitelist, from.NamespaceResourceWhitelist...)
	to.NamespaceResourceBlacklist = append(to.NamespaceResourceBlacklist, from.NamespaceResourceBlacklist...)
	to.SyncWindows = append(to.SyncWindows, from.SyncWindows...)
	to.SourceRepos = append(to.SourceRepos, from.SourceRepos...)
	to.Destinations = append(to.Destinations, from.Destinations...)
	to.DestinationServiceAccounts = append(to.DestinationServiceAccounts, from.DestinationServiceAccounts...)
}
