// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"fmt"
	"strconv"
	"sync"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/auth"
)

// The Leases that hold what all replicas have to know of sign-in.
const (
	loginsLease   = "bowline-logins"
	sessionsLease = "bowline-sessions"
)

// boards are the records of failed attempts to sign in, and of sessions that were ended. A process that only observes writes
// none, and keeps its own.
func (r *roles) boards(opts RunOptions) (logins, sessions auth.Board) {
	if opts.Observe {
		return &auth.MemoryBoard{}, &auth.MemoryBoard{}
	}
	of := func(name string) auth.Board {
		return &auth.LeaseBoard{Reader: r.fresh, Writer: r.hub, Namespace: opts.Namespace, Name: name}
	}
	return of(loginsLease), of(sessionsLease)
}

// projectBook knows the projects of the moment.
type projectBook struct {
	namespace string
	changed   func()

	mu     sync.RWMutex
	byName map[string]*v1alpha1.AppProject
}

func (b *projectBook) get(name string) *v1alpha1.AppProject {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.byName[name]
}

// put takes over a project, unless a later state of it is known. It must not be changed afterwards.
func (b *projectBook) put(p *v1alpha1.AppProject) {
	if p.Namespace != b.namespace || !b.take(p) {
		return
	}
	b.changed()
}

func (b *projectBook) take(p *v1alpha1.AppProject) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if was := b.byName[p.Name]; was != nil && was.UID == p.UID && versionOf(was) >= versionOf(p) {
		return false
	}
	if b.byName == nil {
		b.byName = map[string]*v1alpha1.AppProject{}
	}
	b.byName[p.Name] = p
	return true
}

func (b *projectBook) drop(name string, uid types.UID) {
	b.mu.Lock()
	if was := b.byName[name]; was != nil && was.UID == uid {
		delete(b.byName, name)
	}
	b.mu.Unlock()
	b.changed()
}

// versionOf orders the states of one object; since Kubernetes 1.35 that is what clients may do.
func versionOf(p *v1alpha1.AppProject) uint64 {
	n, _ := strconv.ParseUint(p.ResourceVersion, 10, 64)
	return n
}

// follow reads projects and ended sessions once before anybody is let in, and then keeps up with them.
func (r *roles) follow(ctx context.Context, opts RunOptions, projects *projectBook, ended *auth.Revocations) error {
	var list v1alpha1.AppProjectList
	if err := r.fresh.List(ctx, &list, client.InNamespace(opts.Namespace)); err != nil {
		return fmt.Errorf("read the projects in namespace %s: %w", opts.Namespace, err)
	}
	for i := range list.Items {
		projects.put(&list.Items[i])
	}
	lease := &coordinationv1.Lease{}
	err := r.fresh.Get(ctx, client.ObjectKey{Namespace: opts.Namespace, Name: sessionsLease}, lease)
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("read Lease %s/%s: %w", opts.Namespace, sessionsLease, err)
	}
	ended.Read(auth.ReadBoard(lease))
	if err := r.onEach(ctx, &v1alpha1.AppProject{}, projectEvents(projects)); err != nil || opts.Observe {
		return err
	}
	return r.onEach(ctx, &coordinationv1.Lease{}, leaseEvents(opts.Namespace, ended))
}

func (r *roles) onEach(ctx context.Context, kind client.Object, handler toolscache.ResourceEventHandler) error {
	informer, err := r.cache.GetInformer(ctx, kind)
	if err != nil {
		return fmt.Errorf("follow %T: %w", kind, err)
	}
	_, err = informer.AddEventHandler(handler)
	return err
}

func projectEvents(projects *projectBook) toolscache.ResourceEventHandler {
	put := func(o any) {
		if p, ok := o.(*v1alpha1.AppProject); ok {
			projects.put(p)
		}
	}
	return toolscache.ResourceEventHandlerFuncs{
		AddFunc: put, UpdateFunc: func(_, o any) { put(o) },
		DeleteFunc: func(o any) {
			if last, ok := o.(toolscache.DeletedFinalStateUnknown); ok {
				o = last.Obj
			}
			if p, ok := o.(*v1alpha1.AppProject); ok && p.Namespace == projects.namespace {
				projects.drop(p.Name, p.UID)
			}
		},
	}
}

func leaseEvents(namespace string, ended *auth.Revocations) toolscache.ResourceEventHandler {
	read := func(o any) {
		lease, ok := o.(*coordinationv1.Lease)
		if ok && lease.Namespace == namespace && lease.Name == sessionsLease {
			ended.Read(auth.ReadBoard(lease))
		}
	}
	return toolscache.ResourceEventHandlerFuncs{AddFunc: read, UpdateFunc: func(_, o any) { read(o) }}
}
