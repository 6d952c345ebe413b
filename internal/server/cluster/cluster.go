// SPDX-License-Identifier: Apache-2.0

// Package cluster serves the clusters that applications may be deployed to.
//
// The words of this room:
//
//   - Hub's own: the cluster that Bowline runs against. It is there without a Secret, unless the settings turn it off.
//   - State: how the connection to a cluster is doing, as the process knows it that holds the connection.
//   - Rotation: a new token takes the place of the one that a cluster is reached with.
//
// No answer holds anything that gives access.
package cluster

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	rpccluster "github.com/bowline-cd/bowline/api/argoproj/rpc/cluster"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/server/gate"
	"github.com/bowline-cd/bowline/internal/server/hub"
	"github.com/bowline-cd/bowline/internal/settings"
	"github.com/bowline-cd/bowline/internal/settings/declared"
)

// Connections are the connections to clusters.
type Connections interface {
	// Find returns the cluster of a destination, or why there is none.
	Find(destination v1alpha1.ApplicationDestination) (*cluster.Cluster, error)
}

// Deps is what the service is made with.
type Deps struct {
	Gate        *gate.Gate
	Hub         *hub.Hub
	Connections Connections
	Settings    func() *settings.Settings
	// Version asks an API server for its version, and so whether it can be reached.
	Version func(ctx context.Context, config *rest.Config) (string, error)
}

// Service implements cluster.ClusterService.
type Service struct {
	Deps
}

var _ rpccluster.ClusterService = (*Service)(nil)

// New returns the service.
func New(deps Deps) *Service { return &Service{Deps: deps} }

// right is a right on a cluster: <project>/<server> if a project has it for itself.
func right(action, project, server string) access.Right {
	return access.Right{Resource: access.Clusters, Action: action, Object: access.AddressObject(project, server)}
}

// found is a cluster with the Secret that declares it.
type found struct {
	*v1alpha1.Cluster
	secret *corev1.Secret // nil for the hub's own if no Secret says anything of it
	broken error
}

// all returns the clusters that there are, by name.
func (s *Service) all(ctx context.Context) ([]found, error) {
	secrets, err := s.Hub.Secrets(ctx, declared.ClusterKind)
	if err != nil {
		return nil, err
	}
	own := s.Settings().InCluster
	var out []found
	for i := range secrets {
		c, broken := declared.ReadCluster(&secrets[i])
		if c.Server == cluster.HubServer {
			if !s.Settings().InCluster {
				continue
			}
			own = false
		}
		c.Name = cmp.Or(c.Name, c.Server)
		out = append(out, found{c, &secrets[i], broken})
	}
	if own {
		out = append(out, found{Cluster: &v1alpha1.Cluster{Server: cluster.HubServer, Name: cluster.HubName}})
	}
	slices.SortFunc(out, func(a, b found) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Server, b.Server))
	})
	return out, nil
}

// asked says which clusters a query is about: those of a server, or of a name, or all.
func asked(query *rpccluster.ClusterQuery) func(found) bool {
	server, name := query.Server, query.Name
	if id := query.ID; id != nil && id.Value != "" {
		server, name = "", ""
		switch id.Type {
		case "name":
			name = id.Value
		case "name_escaped":
			name, _ = url.QueryUnescape(id.Value) // what cannot be read names none
		default:
			server = id.Value
		}
		if server == "" && name == "" {
			return func(found) bool { return false }
		}
	}
	server = strings.TrimRight(server, "/")
	return func(c found) bool { return (server == "" || c.Server == server) && (name == "" || c.Name == name) }
}

// List returns the clusters that the caller may see, with their states.
func (s *Service) List(ctx context.Context, query *rpccluster.ClusterQuery) (*v1alpha1.ClusterList, error) {
	all, err := s.all(ctx)
	if err != nil {
		return nil, err
	}
	wanted := asked(query)
	all = slices.DeleteFunc(all, func(c found) bool {
		return !wanted(c) || !s.Gate.Allows(ctx, right(access.Get, c.Project, c.Server))
	})
	items, err := s.shown(ctx, all)
	return &v1alpha1.ClusterList{Items: items}, err
}

// pick returns the clusters that a query names, of which the caller may do an action to each. That there is none, or one that they
// may not, is answered alike.
func (s *Service) pick(ctx context.Context, action string, query *rpccluster.ClusterQuery) ([]found, error) {
	if query.Server == "" && query.Name == "" && (query.ID == nil || query.ID.Value == "") {
		return nil, gate.Hidden()
	}
	all, err := s.all(ctx)
	if err != nil {
		return nil, err
	}
	wanted := asked(query)
	all = slices.DeleteFunc(all, func(c found) bool { return !wanted(c) })
	if len(all) == 0 {
		return nil, gate.Hidden()
	}
	for _, c := range all {
		if s.Gate.Enforce(ctx, right(action, c.Project, c.Server)) != nil {
			return nil, gate.Hidden()
		}
	}
	return all, nil
}

// Get returns a cluster with its state.
func (s *Service) Get(ctx context.Context, query *rpccluster.ClusterQuery) (*v1alpha1.Cluster, error) {
	all, err := s.pick(ctx, access.Get, query)
	if err != nil {
		return nil, err
	}
	return s.answer(ctx, all[0])
}

func (s *Service) answer(ctx context.Context, c found) (*v1alpha1.Cluster, error) {
	items, err := s.shown(ctx, []found{c})
	if err != nil {
		return nil, err
	}
	return &items[0], nil
}

// shown returns clusters as callers see them.
func (s *Service) shown(ctx context.Context, all []found) ([]v1alpha1.Cluster, error) {
	apps, err := s.applications(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]v1alpha1.Cluster, 0, len(all))
	for _, c := range all {
		shown := declared.ShownCluster(c.Cluster)
		shown.Info = s.info(c)
		shown.Info.ApplicationsCount = apps[c.Server]
		// Older clients read these two here.
		shown.ServerVersion, shown.ConnectionState = shown.Info.ServerVersion, shown.Info.ConnectionState
		out = append(out, shown)
	}
	return out, nil
}

// applications counts the applications of each server.
func (s *Service) applications(ctx context.Context) (map[string]int64, error) {
	list := &v1alpha1.ApplicationList{}
	if err := s.Hub.Client.List(ctx, list); err != nil {
		return nil, hub.Failed("list", "the applications", err)
	}
	out := map[string]int64{}
	for i := range list.Items {
		if c, err := s.Connections.Find(list.Items[i].Spec.Destination); err == nil {
			out[c.Config().Server]++
		}
	}
	return out, nil
}

// info says how the connection to a cluster is doing.
func (s *Service) info(c found) v1alpha1.ClusterInfo {
	if c.broken != nil {
		return v1alpha1.ClusterInfo{ConnectionState: s.failed(c.broken.Error())}
	}
	connection, err := s.Connections.Find(v1alpha1.ApplicationDestination{Server: c.Server})
	if err != nil {
		return v1alpha1.ClusterInfo{ConnectionState: s.failed(err.Error())}
	}
	return infoOf(connection.Report(), connection.APIVersions())
}

func (s *Service) failed(why string) v1alpha1.ConnectionState {
	at := metav1.NewTime(s.Hub.Clock.Now())
	return v1alpha1.ConnectionState{Status: v1alpha1.ConnectionFailed, Message: why, AttemptedAt: &at}
}

func infoOf(r cluster.Report, versions []string) v1alpha1.ClusterInfo {
	info := v1alpha1.ClusterInfo{ServerVersion: r.Inventory.Version, APIVersions: versions}
	info.ConnectionState.Status = v1alpha1.ConnectionSuccessful
	if !r.Connection.Connected {
		info.ConnectionState.Status, info.ConnectionState.Message = v1alpha1.ConnectionFailed, r.Connection.Reason
		if r.Connection.Contact.IsZero() && r.Connection.Reason == "" {
			info.ConnectionState.Status, info.ConnectionState.Message = v1alpha1.ConnectionUnknown, "it was not reached yet"
		}
	}
	if !r.Connection.Contact.IsZero() {
		at := metav1.NewTime(r.Connection.Contact)
		info.ConnectionState.AttemptedAt = &at
	}
	info.CacheInfo.APIsCount = int64(r.APIResources)
	for _, kind := range r.Kinds {
		info.CacheInfo.ResourcesCount += int64(kind.Objects)
	}
	if !r.Inventory.At.IsZero() {
		at := metav1.NewTime(r.Inventory.At)
		info.CacheInfo.LastCacheSyncTime = &at
	}
	return info
}
