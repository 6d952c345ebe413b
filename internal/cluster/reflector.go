// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// sink takes what a reflector sees. kind is one; the watch on CustomResourceDefinitions feeds another.
type sink interface {
	put(it item, forced bool)
	del(n nsName, rv string)
	relisted(namespace, rv string, seen map[nsName]struct{}, forced bool)
	wentBack(namespace, rv string) bool
	progress(namespace, rv string)
	failed(namespace, reason string, definite bool)
}

// reflector keeps a sink current with one collection: a list, streamed or in pages, then a watch that goes on from the
// last resourceVersion it saw, and a list again only when the API server has forgotten that one.
//
// client-go's informers do the same, but build every object before anyone can say that it is not worth keeping.
type reflector struct {
	c         *Cluster
	res       Resource
	namespace string
	metadata  bool // ask for metadata only
	sink      sink
	onMissing func() // called when the collection was not found: discovery is out of date; may be nil

	rv            string  // where to watch from; "" asks for a list
	begun         *stream // a watch that is open already; nil: none
	wait          backoff
	watchFailures int
	cuts          int       // streamed lists that failed, in a row
	linked        time.Time // since when the API server answered when this was last looked at
	bookmarks     bool      // this API server sends bookmarks for this collection
	listing       bool      // the last request was a list

	mu      sync.Mutex
	record  record
	again   bool      // a list is wanted, whatever the watch says
	present *stream   // to interrupt
	rests   time.Time // it is not probed before
}

// barren is how long a watch that ends without an event or a bookmark has to have lasted to count as one. An API server that
// cannot read a kind any more (a conversion webhook that does not answer) opens watches all the same, and closes them after
// some seconds: only a list says what is wrong.
const barren = 15 * time.Second

var errBarren = errors.New("the watch was closed before it told anything")

// pollEvery is how often a kind that cannot be watched is listed.
const pollEvery = time.Minute

func newReflector(c *Cluster, res Resource, namespace string, to sink) *reflector {
	return &reflector{c: c, res: res, namespace: namespace, sink: to, wait: backoff{first: 200 * time.Millisecond, most: 30 * time.Second}}
}

func (r *reflector) run(ctx context.Context) {
	defer func() {
		if r.begun != nil {
			r.begun.close()
		}
	}()
	for ctx.Err() == nil {
		if r.c.link.wait(ctx) != nil {
			return
		}
		err := r.step(ctx)
		if err == nil {
			continue
		}
		pause, definite := r.judge(err)
		if ctx.Err() != nil {
			return
		}
		r.c.link.report(err)
		if r.listing { // who may list and not watch is left out of nothing
			r.c.refusal(ctx, r.res, r.namespace, err)
		}
		r.sink.failed(r.namespace, reasonOf(err), definite)
		r.note(func(rec *record) { rec.failures, rec.retry = r.wait.failures, r.c.opts.Clock.Now().Add(pause) })
		if sleep(ctx, r.c.opts.Clock, pause) != nil {
			return
		}
	}
}

// step lists, or watches for as long as the watch lasts.
func (r *reflector) step(ctx context.Context) (err error) {
	_, _, since, _ := r.c.link.state()
	if r.rv != "" && !since.Equal(r.linked) {
		if err = r.recheck(ctx); err == nil {
			r.linked = since
		}
		return err
	}
	r.linked = since
	switch {
	case r.rv != "":
		r.rv, err = r.follow(ctx, r.rv)
	case r.res.can("watch"):
		if r.rv, err = r.begin(ctx); err == nil {
			r.c.access.allow(r.res.GVK.GroupKind(), r.namespace)
		}
	default:
		if _, err = r.begin(ctx); err == nil {
			r.c.access.allow(r.res.GVK.GroupKind(), r.namespace)
			r.works()
			err = sleep(ctx, r.c.opts.Clock, jitter(2*pollEvery))
		}
	}
	return err
}

// recheck asks, once the API server answers again, whether its storage is the one it was. Over a restored backup, a watch
// from a resourceVersion that is still to come waits for it and tells nothing meanwhile.
func (r *reflector) recheck(ctx context.Context) error {
	r.listing = true
	skip := func([]byte) error { return nil }
	head, err := r.c.api.list(ctx, collectionPath(r.res.GVR, r.namespace), acceptMetadataList, "", 1, skip)
	if err != nil || !r.sink.wentBack(r.namespace, head.rv) {
		return err
	}
	r.rv = ""
	if r.begun != nil {
		r.begun.close()
		r.begun = nil
	}
	return nil
}

// works forgets failures.
func (r *reflector) works() {
	r.wait.reset()
	r.watchFailures = 0
	r.note(func(rec *record) { rec.failures, rec.retry = 0, time.Time{} })
}

// begin lists in the best way there is and returns the resourceVersion to watch from.
func (r *reflector) begin(ctx context.Context) (string, error) {
	slots := r.c.reads
	if r.wait.failures > 0 {
		slots = r.c.retries // lists that hang until they fail keep no others waiting
	}
	release, err := slots.acquire(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	r.listing = true
	r.takeAgain()
	if r.cuts < mostCuts && r.c.streams(r.res) {
		rv, err := r.stream(ctx)
		if !notStreamed(err) {
			if r.cuts++; err == nil {
				r.cuts = 0
			}
			r.note(func(rec *record) { rec.lists++; rec.streamed = err == nil })
			return rv, err
		}
		r.c.streaming.refuse(r.res.GVK.Group)
		r.c.opts.Logger.Debug("lists come in pages", "cluster", r.c.cfg.Name, "group", r.res.GVK.Group, "reason", err)
	}
	r.note(func(rec *record) { rec.lists++; rec.streamed = false })
	rv, err := r.list(ctx, false)
	if err == nil {
		r.cuts = 0
	}
	return rv, err
}

// mostCuts is how often in a row a streamed list may fail before pages are tried: an API server ends the watch of a reader
// who does not keep up with what changes while a long list is on its way.
const mostCuts = 2

// judge says how long to wait after err, and whether the kind is unknown at once rather than after the grace.
func (r *reflector) judge(err error) (pause time.Duration, definite bool) {
	pause = r.wait.next()
	switch {
	case apierrors.IsNotFound(err): // of a collection: a kind that came or goes just now
		if r.onMissing != nil {
			r.onMissing()
		}
		return pause, true
	case refused(err):
		return max(pause, r.c.opts.RetryRefused), true
	}
	if seconds, ok := apierrors.SuggestsClientDelay(err); ok {
		pause = max(pause, jitter(2*time.Duration(min(seconds, 30))*time.Second))
	}
	return pause, false
}

// refused reports whether err will stay until a right or a setting changes.
func refused(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) || apierrors.IsMethodNotSupported(err) || apierrors.IsNotFound(err)
}

// list reads the collection in pages and returns the resourceVersion to watch from. forced says that the storage went
// back in time: what the list shows is then believed over newer objects in the store.
func (r *reflector) list(ctx context.Context, forced bool) (string, error) {
	accept := acceptJSON
	if r.metadata {
		accept = acceptMetadataList
	}
	seen := map[nsName]struct{}{}
	each := func(raw []byte) error {
		it, err := decodeItem(raw)
		if err == nil {
			seen[nsName{it.meta.Namespace, it.meta.Name}] = struct{}{}
			r.sink.put(it, forced)
		}
		return err
	}
	limit, token, rv := pageSize, "", ""
	for {
		head, err := r.c.api.list(ctx, collectionPath(r.res.GVR, r.namespace), accept, token, limit, each)
		if apierrors.IsResourceExpired(err) && token != "" {
			// The snapshot the pages came from is compacted away: once more, in one piece.
			limit, token = 0, ""
			clear(seen)
			continue
		}
		if err != nil {
			return "", err
		}
		if token == "" {
			if rv = head.rv; rv == "" && r.res.can("watch") {
				return "", errors.New("the list has no resourceVersion to watch from")
			}
			if !forced && r.sink.wentBack(r.namespace, rv) {
				return r.list(ctx, true)
			}
		}
		if token = head.next; token == "" {
			r.sink.relisted(r.namespace, rv, seen, forced)
			return rv, nil
		}
	}
}

// follow watches from rv until the watch ends, and returns where to go on: "" means list again.
func (r *reflector) follow(ctx context.Context, rv string) (string, error) {
	r.listing = false
	started := r.c.opts.Clock.Now()
	next, events, err := r.watch(ctx, rv)
	r.note(func(rec *record) { rec.watches++ })
	switch {
	case r.takeAgain():
		return "", nil
	case errors.Is(err, errSilent):
		r.note(func(rec *record) { rec.silent++ })
		r.c.opts.Logger.Debug("a watch fell silent and is opened anew", "cluster", r.c.cfg.Name, "kind", r.res.GVK.GroupKind().String())
		return next, nil
	case err == nil && (events > 0 || r.c.opts.Clock.Since(started) > barren):
		r.works()
		return next, nil
	case apierrors.IsResourceExpired(err) || apierrors.IsGone(err):
		// Many watches are told so at once; lists are dear, so they spread.
		return "", sleep(ctx, r.c.opts.Clock, rand.N(r.c.opts.RelistSpread))
	case err == nil:
		err = errBarren
	}
	// A watch that keeps failing where lists work is replaced by lists, at the pace of the back-off.
	if r.watchFailures++; r.watchFailures%5 == 0 && !unreachable(err) {
		next = ""
	}
	return next, err
}

// watch handles events until the stream ends. The returned resourceVersion is that of the last event.
func (r *reflector) watch(ctx context.Context, rv string) (last string, events int, err error) {
	s := r.begun
	if r.begun = nil; s == nil {
		if s, err = r.open(ctx, rv); err != nil {
			return rv, 0, err
		}
	}
	defer s.close()
	defer r.interruptible(s)()
	r.sink.progress(r.namespace, "")
	r.note(func(rec *record) { rec.failures, rec.retry = 0, time.Time{} })
	s.pulse.patience(r.patience())
	for {
		event, it, err := s.next()
		if errors.Is(err, io.EOF) {
			return rv, events, nil
		}
		if status := apierrors.APIStatus(nil); err != nil && !errors.As(err, &status) && !errors.Is(err, errSilent) {
			return rv, events, fmt.Errorf("the watch broke off: %w", err)
		}
		if err != nil {
			return rv, events, err
		}
		rv = it.meta.ResourceVersion
		events++
		r.handle(event, it)
		if event == watch.Bookmark && !r.bookmarks {
			r.bookmarks = true
			s.pulse.patience(r.patience())
		}
	}
}

// patience is how long a watch may be silent. Where bookmarks come, which is every minute or so, their absence shows a
// watch that only seems open.
func (r *reflector) patience() time.Duration {
	if r.bookmarks {
		return r.c.opts.Silence
	}
	return 2*watchLife + time.Minute
}

func (r *reflector) handle(event watch.EventType, it item) {
	switch event {
	case watch.Added, watch.Modified:
		r.sink.put(it, false)
		r.c.opts.Metrics.event(r.res.GVK)
	case watch.Deleted:
		r.sink.del(nsName{it.meta.Namespace, it.meta.Name}, it.meta.ResourceVersion)
		r.c.opts.Metrics.event(r.res.GVK)
	}
	r.sink.progress(r.namespace, it.meta.ResourceVersion)
}

func statusError(raw []byte) error {
	var status metav1.Status
	if err := unmarshal(raw, &status); err != nil {
		return fmt.Errorf("the watch sent an error that cannot be read: %w", err)
	}
	return &apierrors.StatusError{ErrStatus: status}
}

// reasonOf is an error as a reason a person reads.
func reasonOf(err error) string {
	if status := apierrors.APIStatus(nil); errors.As(err, &status) && status.Status().Message != "" {
		return status.Status().Message
	}
	return err.Error()
}
