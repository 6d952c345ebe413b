// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/object"
)

// parallelPasses is how many applications are reconciled at once. A pass may wait for a repository or for a dry run, so
// there are more than cores.
const parallelPasses = 48

// Controller reconciles Applications of the control namespace, and of others that are served.
type Controller struct {
	Deps
	writer   writer
	states   states
	projects *projects
	wanted   *wantedIndex
	depends  *dependencies
	failures *backoffs
	slow     *slowLane
	schemas  *schemas
	customs  customsCache
	slots    chan struct{} // held by running operations
	queue    atomic.Pointer[workqueue.TypedRateLimitingInterface[reconcile.Request]]
	root     atomic.Pointer[context.Context] // ends when leadership or the process does
}

// New returns a Controller.
func New(deps Deps) *Controller {
	return &Controller{
		Deps:     deps,
		writer:   writer{client: deps.Client, observe: deps.Observe},
		states:   states{byID: map[string]*appState{}},
		projects: newProjects(deps),
		wanted:   newWantedIndex(),
		depends:  newDependencies(),
		failures: newBackoffs(),
		slow:     newSlowLane(),
		schemas:  &schemas{compiled: map[schemaKey]*diff.Schema{}},
		slots:    make(chan struct{}, parallelOperations),
	}
}

// SetupWithManager registers the controller and what wakes it.
func (c *Controller) SetupWithManager(mgr ctrl.Manager) error {
	ctl, err := controller.New("application", mgr, controller.Options{
		Reconciler: c, MaxConcurrentReconciles: parallelPasses,
		RateLimiter: workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](200*time.Millisecond, time.Minute),
	})
	if err != nil {
		return err
	}
	watches := []source.Source{
		source.Kind[client.Object](mgr.GetCache(), &v1alpha1.Application{}, &handler.EnqueueRequestForObject{}, c.ofApplication()),
		source.Kind[client.Object](mgr.GetCache(), &v1alpha1.AppProject{}, handler.EnqueueRequestsFromMapFunc(c.ofProject)),
		source.Func(func(ctx context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
			c.queue.Store(&q)
			c.root.Store(&ctx)
			go c.slow.run(ctx, c.Clock.Now, c.flush)
			return nil
		}),
	}
	for _, w := range watches {
		if err := ctl.Watch(w); err != nil {
			return fmt.Errorf("watch for the application controller: %w", err)
		}
	}
	return nil
}

// ofApplication lets pass what is news of an Application, and has it looked at by a whole pass. The echo of our own writes
// is none.
func (c *Controller) ofApplication() predicate.Funcs {
	demand := func(app client.Object) bool {
		if st := c.states.peek(c.IDOf(app)); st != nil {
			st.demand()
		}
		return true
	}
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool {
			if !c.serves(e.Object.GetNamespace()) {
				return false
			}
			c.noteDependencies(e.Object)
			return demand(e.Object)
		},
		DeleteFunc: func(e event.DeleteEvent) bool {
			if !c.serves(e.Object.GetNamespace()) {
				return false
			}
			c.Enqueue(c.depends.drop(c.IDOf(e.Object))...)
			return demand(e.Object)
		},
		GenericFunc: func(e event.GenericEvent) bool { return c.serves(e.Object.GetNamespace()) && demand(e.Object) },
		UpdateFunc: func(e event.UpdateEvent) bool {
			if !c.serves(e.ObjectNew.GetNamespace()) {
				return false
			}
			c.noteDependencies(e.ObjectNew)
			return c.isNews(e) && demand(e.ObjectNew)
		},
	}
}

// isNews drops the echo of our own writes.
func (c *Controller) isNews(e event.UpdateEvent) bool {
	st := c.states.peek(c.IDOf(e.ObjectNew))
	return st == nil || st.lastWrite() != e.ObjectNew.GetResourceVersion()
}

// ofProject returns the applications of a project and of those that inherit from it: a rule that changed is asked again at once.
func (c *Controller) ofProject(ctx context.Context, project client.Object) []reconcile.Request {
	apps, err := c.list(ctx)
	if err != nil {
		c.Log.Error("list applications of a changed project", "project", project.GetName(), "error", err)
		return nil
	}
	concerned, err := c.projects.heirs(ctx, project.GetName())
	if err != nil {
		c.Log.Error("list heirs of a changed project", "project", project.GetName(), "error", err)
	}
	concerned = append(concerned, project.GetName())
	var out []reconcile.Request
	for i := range apps {
		if slices.Contains(concerned, desired.ProjectOf(&apps[i])) {
			id := c.IDOf(&apps[i])
			if st := c.states.peek(id); st != nil {
				st.demand()
			}
			out = append(out, c.request(id))
		}
	}
	return out
}

func (c *Controller) request(id string) reconcile.Request {
	return reconcile.Request{NamespacedName: c.nameOf(id)}
}

// Enqueue asks for a pass over each application named. It does nothing before the controller leads.
func (c *Controller) Enqueue(ids ...string) {
	for _, id := range ids {
		if st := c.states.peek(id); st != nil {
			st.demand()
		}
		c.wake(id, 0)
	}
}

// wake has an application looked at after a while: by a pass if one is demanded, else only at its rows that are marked.
func (c *Controller) wake(id string, after time.Duration) {
	if q := c.queue.Load(); q != nil {
		(*q).AddAfter(c.request(id), after) // at once if after is not positive
	}
}

// Leading reports whether this process reconciles.
func (c *Controller) Leading() bool { return c.queue.Load() != nil }

// Count returns how many Applications there are.
func (c *Controller) Count(ctx context.Context) (int, error) {
	apps, err := c.list(ctx)
	return len(apps), err
}

// EnqueueAll asks for a pass over every application known.
func (c *Controller) EnqueueAll() {
	for _, st := range c.states.all() {
		c.Enqueue(st.id)
	}
}

// Moved takes notice of a revision that is at another commit now: only the applications that the changed paths concern
// have work; the others follow in the slow lane.
func (c *Controller) Moved(match func(desired.Commit) bool, from, to string, changed []string) {
	touched, unchanged := c.Engine.Moved(match, from, to, changed)
	if len(touched) > 0 {
		c.slow.giveWay(c.Clock.Now())
	}
	c.Look(touched...)
	c.slow.add(unchanged...)
}

// flush writes what waited in the slow lane.
func (c *Controller) flush(id string) {
	if st := c.states.peek(id); st != nil {
		st.setUrgent()
		c.Enqueue(id)
	}
}

// Reconcile implements reconcile.Reconciler.
func (c *Controller) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	id := object.InstanceName(c.Namespace, req.Namespace, req.Name)
	if st := c.states.peek(id); st != nil {
		if wait, done := c.look(ctx, st); done {
			return ctrl.Result{RequeueAfter: wait}, nil
		}
	}
	// Not a copy: what is read here is never changed.
	cached := &v1alpha1.Application{}
	err := c.Client.Get(ctx, req.NamespacedName, cached, client.UnsafeDisableDeepCopy)
	if client.IgnoreNotFound(err) != nil {
		return ctrl.Result{}, err
	}
	if err != nil {
		c.forget(id)
		return ctrl.Result{}, nil
	}
	if skipped(cached) && cached.DeletionTimestamp.IsZero() && !c.operates(id) {
		return ctrl.Result{}, nil
	}
	if st := c.states.peek(id); st != nil && st.uid != "" && st.uid != cached.UID {
		c.forget(id) // another application of the same name: nothing that is remembered is about it
	}
	if wait := c.states.get(id).calm(c.Clock.Now()); wait > 0 {
		return ctrl.Result{RequeueAfter: wait}, nil
	}
	return c.pass(ctx, c.newPass(cached))
}

// skipped reports whether somebody wants an application to be left alone.
func skipped(app *v1alpha1.Application) bool {
	return app.Annotations[v1alpha1.AnnotationKeyAppSkipReconcile] == "true"
}

// operates reports whether an operation of an application runs in this process. It is brought to its end even if the application
// is to be left alone by now: it waits for its record, and holds hooks until that is written.
func (c *Controller) operates(id string) bool {
	st := c.states.peek(id)
	return st != nil && st.running != nil
}

// pass carries out one pass. If it does not come to its end, by an error or a panic, then what it took from the state is
// due again.
func (c *Controller) pass(ctx context.Context, p *pass) (ctrl.Result, error) {
	done, seen := false, p.st.newsSeen()
	p.st.busy.Store(true)
	p.st.answer()
	defer func() {
		p.st.busy.Store(false)
		if !done {
			p.undo()
		}
		c.wasLooked(p.st.id, p.st.looked(seen, p.code))
		c.Metrics.Reconciled(p.app.Namespace, p.target.Server, c.Clock.Since(p.st.passedAt).Seconds())
	}()
	run := p.run
	if !p.app.DeletionTimestamp.IsZero() {
		run = p.delete
	}
	if err := run(ctx); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	done = true
	p.st.passed(p)
	return ctrl.Result{RequeueAfter: p.again}, nil
}

func (c *Controller) newPass(cached *v1alpha1.Application) *pass {
	st := c.states.get(c.IDOf(cached))
	st.uid = cached.UID
	app := newer(cached, st.written)
	return &pass{
		Controller: c, st: st, app: app, next: copyOf(app), rules: c.Rules(), urgent: st.takeUrgent(),
		acts: c.mayAct(), now: metav1.NewTime(c.Clock.Now().Truncate(time.Second)),
		log: c.Log.With("application", st.id),
	}
}

// forget drops everything about an application that is gone.
func (c *Controller) forget(id string) {
	if st := c.states.peek(id); st != nil {
		if st.running != nil {
			st.running.abandon()
		}
		if st.demolition != nil {
			st.demolition.cancel(errGone)
		}
		st.seek(nil)
		if st.learned != nil {
			st.learned.forgetAll(st.table.rows)
		}
	}
	c.states.drop(id)
	if err := c.Engine.Forget(id); err != nil {
		c.Log.Warn("forget an application", "application", id, "error", err)
	}
	c.Poller.Forget(id)
	if err := c.Keeper.Keep(context.Background(), id, nil); err != nil {
		c.Log.Warn("let go of an application's commits", "application", id, "error", err)
	}
	c.wants(id, "", nil)
	c.failures.forget(id)
	c.failures.forget(id + " rows")
}
