// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"slices"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/object"
)

// Looks shows what is known of the objects of applications at a moment. It never waits.
type Looks interface {
	// Glance returns what is known of an application's objects. The error says why nothing is.
	Glance(ctx context.Context, app *v1alpha1.Application) (Glimpse, error)
}

// Glimpse is what is known of an application's objects at one moment.
type Glimpse struct {
	Tree v1alpha1.ApplicationTree
	// Standings are the application's own objects; Compared says that they were compared in this process. Otherwise only the
	// application's status tells of them.
	Standings []Standing
	Compared  bool
	// Unknown says what of the tree is not known; Pending that this is being read at the moment; Cut that the cluster does not
	// answer.
	Unknown      string
	Pending, Cut bool
}

// Standing is how one of an application's own objects stands, by its last comparison.
type Standing struct {
	Key     object.Key
	Version string
	Sync    v1alpha1.SyncStatusCode // "" for what is not compared, such as a hook
	Health  *v1alpha1.HealthStatus
	Images  []string
	// Reason says why its state is not known, refused or missing; Differs is how many fields differ.
	Reason  string
	Differs int
	// Hidden says that the project does not permit it: nothing of the live object is shown.
	Hidden bool
	// UID and Revision are those of the live object; "" if there is none.
	UID, Revision        string
	Hook, Prune, Confirm bool
	SharedWith           string
	Wave                 int64
}

// idOf is how views name an object.
func idOf(group, kind, namespace, name string) string {
	return group + "/" + kind + "/" + namespace + "/" + name
}

// join puts together what the cluster has and what the application asks for: what hangs together comes first, and behind it what
// of the application's own is not there.
func join(app *v1alpha1.Application, seen *Glimpse) []*bowline.Node {
	own := standingsOf(app, seen)
	there := make(map[string]bool, len(seen.Tree.Nodes)+len(seen.Tree.OrphanedNodes))
	for _, nodes := range [][]v1alpha1.ResourceNode{seen.Tree.Nodes, seen.Tree.OrphanedNodes} {
		for i := range nodes {
			there[idOf(nodes[i].Group, nodes[i].Kind, nodes[i].Namespace, nodes[i].Name)] = true
		}
	}
	out := make([]*bowline.Node, 0, len(there)+len(own))
	for i := range seen.Tree.Nodes {
		node := nodeOf(&seen.Tree.Nodes[i], there)
		if s, ok := own[node.ID]; ok {
			stand(node, s)
			delete(own, node.ID)
		}
		if seen.Cut && node.UID == "" {
			node.Health = nil // whether it is missing nobody knows
		}
		out = append(out, node)
	}
	for i := range seen.Tree.OrphanedNodes {
		node := nodeOf(&seen.Tree.OrphanedNodes[i], there)
		node.Orphan = true
		out = append(out, node)
	}
	return append(out, absentees(own, there, seen.Pending)...)
}

// absentees are the application's own objects that the tree does not have. A hook that has not run is none of them, and neither
// is what is just being read.
func absentees(own map[string]*Standing, there map[string]bool, pending bool) []*bowline.Node {
	var out []*bowline.Node
	for id, s := range own {
		if there[id] || s.Hook || s.Sync == "" || pending && s.UID != "" {
			continue
		}
		node := &bowline.Node{ID: id, Group: s.Key.Group, Version: s.Version, Kind: s.Key.Kind, Namespace: s.Key.Namespace, Name: s.Key.Name}
		stand(node, s)
		out = append(out, node)
	}
	slices.SortFunc(out, func(a, b *bowline.Node) int {
		return object.Key{Group: a.Group, Kind: a.Kind, Namespace: a.Namespace, Name: a.Name}.Compare(
			object.Key{Group: b.Group, Kind: b.Kind, Namespace: b.Namespace, Name: b.Name})
	})
	return out
}

// standingsOf returns the standings by ID: those of the comparison, or else what the status says. Where the cluster does not
// tell how they are now, nothing that was so once is said to be so.
func standingsOf(app *v1alpha1.Application, seen *Glimpse) map[string]*Standing {
	out := make(map[string]*Standing, max(len(seen.Standings), len(app.Status.Resources)))
	if seen.Compared && !seen.Cut {
		for i := range seen.Standings {
			s := &seen.Standings[i]
			out[idOf(s.Key.Group, s.Key.Kind, s.Key.Namespace, s.Key.Name)] = s
		}
		return out
	}
	for _, r := range app.Status.Resources {
		s := &Standing{
			Key:     object.Key{Group: r.Group, Kind: r.Kind, Namespace: r.Namespace, Name: r.Name},
			Version: r.Version, Sync: r.Status, Hook: r.Hook, Prune: r.RequiresPruning, Confirm: r.RequiresDeletionConfirmation, Wave: r.SyncWave,
		}
		if !r.Hook && (seen.Cut || app.Status.Sync.Status == v1alpha1.SyncStatusCodeUnknown) {
			s.Sync = v1alpha1.SyncStatusCodeUnknown
		}
		out[idOf(r.Group, r.Kind, r.Namespace, r.Name)] = s
	}
	return out
}

// nodeOf is an object of the tree. Parents that are not in it are left out.
func nodeOf(n *v1alpha1.ResourceNode, there map[string]bool) *bowline.Node {
	out := &bowline.Node{
		ID: idOf(n.Group, n.Kind, n.Namespace, n.Name), Group: n.Group, Version: n.Version, Kind: n.Kind, Namespace: n.Namespace, Name: n.Name,
		UID: n.UID, Revision: n.ResourceVersion, Created: n.CreatedAt,
		Health: n.Health, Images: n.Images, Info: n.Info, Network: n.NetworkingInfo,
	}
	for _, parent := range n.ParentRefs {
		if id := idOf(parent.Group, parent.Kind, parent.Namespace, parent.Name); there[id] {
			out.Parents = append(out.Parents, id)
		}
	}
	return out
}

// stand adds to an object how it stands as one of the application's own. Of what the project does not permit only the reason is
// said.
func stand(node *bowline.Node, s *Standing) {
	node.Managed, node.Hook, node.Sync = !s.Hook && s.Sync != "", s.Hook, string(s.Sync)
	node.Prune, node.Confirm, node.SharedWith, node.Wave = s.Prune, s.Confirm, s.SharedWith, s.Wave
	node.Reason = s.Reason
	if s.Hidden {
		return
	}
	node.Differs = int64(s.Differs)
	if node.UID != "" {
		return
	}
	node.UID, node.Revision, node.Images = s.UID, s.Revision, s.Images
	if s.Health != nil {
		node.Health = s.Health
	}
}
