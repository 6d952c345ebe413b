// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"net/http"
	"sync"

	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	rpcapplication "github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/server"
	"github.com/bowline-cd/bowline/internal/server/application"
	"github.com/bowline-cd/bowline/internal/server/application/index"
	"github.com/bowline-cd/bowline/internal/server/state"
	"github.com/bowline-cd/bowline/internal/server/transport"
)

// openApplications adds the services of applications: Argo CD's, and Bowline's own.
func (r *roles) openApplications(ctx context.Context, d *door, opts RunOptions) error {
	deps := application.Deps{
		Fresh: r.fresh, Clusters: r.clusters, Checker: r.apps, Bus: r.bus,
		Gate: d.gate, Hub: r.hub, Home: opts.Namespace, Settings: momentary(r.settings),
		Served: r.served.has, Clock: realClock, Log: r.log,
	}
	service := application.New(deps)
	reads, err := r.reads(ctx, opts.Namespace, service)
	if err != nil {
		return err
	}
	reads.Surroundings = &surroundings{roles: r, observe: opts.Observe}
	service.Reads = reads
	r.openDoings(d, service)
	d.routes = append(d.routes, server.Route{Pattern: "GET /api/badge", Handler: http.HandlerFunc(service.ServeBadge)})
	d.services = append(d.services,
		transport.Mounted{Methods: rpcapplication.ApplicationServiceMethods, Service: service},
		transport.Mounted{Methods: bowline.ApplicationMethods, Service: service},
		transport.Mounted{Methods: bowline.StateMethods, Service: &state.Service{
			Gate: d.gate, Clusters: &history{roles: r},
			Self: &selfView{roles: r, index: reads.Index, started: realClock.Now(), observes: opts.Observe},
		}})
	return nil
}

// reads opens what the service answers from.
func (r *roles) reads(ctx context.Context, home string, names interface {
	Object(project, namespace, name string) string
}) (application.Reads, error) {
	all := index.New(index.Options{Object: func(app *v1alpha1.Application) string {
		return names.Object(desired.ProjectOf(app), app.Namespace, app.Name)
	}, Cluster: r.clusters.named})
	filled, err := fill(ctx, r.cache, all)
	if err != nil {
		return application.Reads{}, err
	}
	live, tells := &liveView{roles: r, home: home, index: all}, &history{roles: r}
	previews := &previews{roles: r, home: home}
	return application.Reads{
		Index: all, Filled: filled, Verdicts: live, Picture: live, Looks: live, Managed: live,
		Previews: previews, Unsaved: previews, History: tells, Happened: tells,
	}, nil
}

// fill keeps an index up to date with what the controllers watch, for as long as the process runs. filled reports whether it has
// had all there is.
func fill(ctx context.Context, from cache.Cache, all *index.Index) (filled func() bool, err error) {
	informer, err := from.GetInformer(ctx, &v1alpha1.Application{}, cache.BlockUntilSynced(false))
	if err != nil {
		return nil, err
	}
	put := func(obj any) {
		if app, ok := obj.(*v1alpha1.Application); ok {
			all.Put(app)
		}
	}
	watch, err := informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc:    put,
		UpdateFunc: func(_, obj any) { put(obj) },
		DeleteFunc: func(obj any) {
			if last, ok := obj.(toolscache.DeletedFinalStateUnknown); ok {
				obj = last.Obj
			}
			if app, ok := obj.(*v1alpha1.Application); ok {
				all.Drop(app)
			}
		},
	})
	if err != nil {
		return nil, err
	}
	var once sync.Once
	return func() bool {
		if !watch.HasSynced() {
			return false
		}
		once.Do(all.Filled)
		return true
	}, nil
}
