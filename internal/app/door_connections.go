// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"encoding/json"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"

	rpcapplicationset "github.com/bowline-cd/bowline/api/argoproj/rpc/applicationset"
	rpccertificate "github.com/bowline-cd/bowline/api/argoproj/rpc/certificate"
	rpccluster "github.com/bowline-cd/bowline/api/argoproj/rpc/cluster"
	rpcproject "github.com/bowline-cd/bowline/api/argoproj/rpc/project"
	rpcrepocreds "github.com/bowline-cd/bowline/api/argoproj/rpc/repocreds"
	rpcrepository "github.com/bowline-cd/bowline/api/argoproj/rpc/repository"
	rpcversion "github.com/bowline-cd/bowline/api/argoproj/rpc/version"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	serverset "github.com/bowline-cd/bowline/internal/server/applicationset"
	servercertificate "github.com/bowline-cd/bowline/internal/server/certificate"
	servercluster "github.com/bowline-cd/bowline/internal/server/cluster"
	"github.com/bowline-cd/bowline/internal/server/hub"
	serverproject "github.com/bowline-cd/bowline/internal/server/project"
	serverrepository "github.com/bowline-cd/bowline/internal/server/repository"
	serversettings "github.com/bowline-cd/bowline/internal/server/settings"
	"github.com/bowline-cd/bowline/internal/server/transport"
	serverversion "github.com/bowline-cd/bowline/internal/server/version"
	"github.com/bowline-cd/bowline/internal/source"
)

// openConnections adds the services of projects, application sets, repositories, clusters, certificates and settings.
func (r *roles) openConnections(ctx context.Context, d *door, opts RunOptions) error {
	control := &hub.Hub{Client: r.hub, Fresh: r.fresh, Home: opts.Namespace, Reload: r.settings.Load, Clock: realClock}
	sets, err := r.followSets(ctx)
	if err != nil {
		return err
	}
	d.services = append(d.services,
		transport.Mounted{Methods: rpcversion.VersionServiceMethods, Service: serverversion.New(version)},
		transport.Mounted{Methods: rpccluster.SettingsServiceMethods, Service: serversettings.New(serversettings.Deps{
			Hub: r.hub, Home: opts.Namespace, Settings: momentary(r.settings), Plugins: r.plugins.Names,
			Lookup: func(key string) (string, bool) {
				known, err := r.referable(ctx, opts.Namespace)
				value, ok := known[key]
				return value, ok && err == nil
			},
		})},
		transport.Mounted{Methods: rpcproject.ProjectServiceMethods, Service: serverproject.New(serverproject.Deps{
			Gate: d.gate, Hub: control, Signer: d.tokens, Clusters: r.clusters, Settings: momentary(r.settings), Learn: d.learn, Log: r.log,
		})},
		transport.Mounted{Methods: rpcapplicationset.ApplicationSetServiceMethods, Service: serverset.New(serverset.Deps{
			Gate: d.gate, Hub: control, Served: r.served.has, Changed: sets.wait,
		})},
		transport.Mounted{Methods: rpcrepository.RepositoryServiceMethods, Service: r.repositories(d, control)},
		transport.Mounted{Methods: rpcrepocreds.RepoCredsServiceMethods, Service: &serverrepository.Creds{Gate: d.gate, Hub: control}},
		transport.Mounted{Methods: rpccluster.ClusterServiceMethods, Service: servercluster.New(servercluster.Deps{
			Gate: d.gate, Hub: control, Connections: r.clusters, Settings: momentary(r.settings), Version: apiServerVersion,
		})},
		transport.Mounted{Methods: rpccertificate.CertificateServiceMethods, Service: &servercertificate.Service{Gate: d.gate, Hub: control}},
	)
	return nil
}

func (r *roles) repositories(d *door, control *hub.Hub) *serverrepository.Service {
	return serverrepository.New(serverrepository.Deps{
		Gate: d.gate, Hub: control, Store: r.store, Files: r.sources, Settings: momentary(r.settings),
		Credentials: func() *source.Credentials { return r.settings.Current().Credentials },
		Permits:     r.apps.PermitSource, Render: r.pool.Render, Announce: r.plugins.Announce,
	})
}

// Places implements the clusters of the service of projects.
func (c *clusters) Places(d v1alpha1.ApplicationDestination) (access.Cluster, error) {
	found, err := c.Find(d)
	if err != nil {
		return access.Cluster{}, err
	}
	config := found.Config()
	return access.Cluster{Server: config.Server, Name: config.Name}, nil
}

// apiServerVersion asks an API server for its version.
func apiServerVersion(ctx context.Context, config *rest.Config) (string, error) {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return "", err
	}
	text, err := client.Discovery().RESTClient().Get().AbsPath("/version").Do(ctx).Raw()
	if err != nil {
		return "", err
	}
	var version struct {
		GitVersion string `json:"gitVersion"`
	}
	return version.GitVersion, json.Unmarshal(text, &version)
}

// bell tells all who wait that something happened.
type bell struct {
	mu   sync.Mutex
	next chan struct{}
}

func newBell() *bell { return &bell{next: make(chan struct{})} }

// wait returns a channel that is closed when the bell next rings.
func (b *bell) wait() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.next
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.next)
	b.next = make(chan struct{})
}

// followSets rings whenever an ApplicationSet changes. A cluster without the kind never does.
func (r *roles) followSets(ctx context.Context) (*bell, error) {
	b := newBell()
	err := r.onEach(ctx, &v1alpha1.ApplicationSet{}, toolscache.ResourceEventHandlerFuncs{
		AddFunc: func(any) { b.ring() }, UpdateFunc: func(any, any) { b.ring() }, DeleteFunc: func(any) { b.ring() },
	})
	if meta.IsNoMatchError(err) {
		return b, nil
	}
	return b, err
}
