// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
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

// reflector keeps a sink current with one collection: a paged list, then a watch that goes on from the last
// resourceVersion it saw, and a list again only when the API server has forgotten that one.
//
// client-go's informers do the same, but build every object before anyone can say that it is not worth keeping.
type reflector struct {
	c             *Cluster
	res           Resource
	namespace     string
	metadata      bool // ask for metadata only
	sink          sink
	onMissing     func() // called when the collection was not found: discovery is out of date; may be nil
	watchFailures int
}

// watchLife is how long the API server keeps a watch; ends spread over as much again.
const watchLife = 5 * time.Minute

// pollEvery is how often a kind that cannot be watched is listed.
const pollEvery = time.Minute

func (r *reflector) run(ctx context.Context) {
	wait := backoff{first: 200 * time.Millisecond, most: 30 * time.Second}
	rv := ""
	for ctx.Err() == nil {
		if r.c.link.wait(ctx) != nil {
			return
		}
		var err error
		switch {
		case rv != "":
			rv, err = r.follow(ctx, rv, &wait)
		case r.res.can("watch"):
			rv, err = r.list(ctx, false)
		default:
			if _, err = r.list(ctx, false); err == nil {
				wait.reset()
				err = sleep(ctx, r.c.opts.Clock, jitter(2*pollEvery))
			}
		}
		if err == nil {
			continue
		}
		pause, definite := r.judge(err, &wait)
		if ctx.Err() != nil {
			return
		}
		r.c.link.report(err)
		r.sink.failed(r.namespace, reasonOf(err), definite)
		if sleep(ctx, r.c.opts.Clock, pause) != nil {
			return
		}
	}
}

// judge says how long to wait after err, and whether the kind is unknown at once rather than after the grace.
func (r *reflector) judge(err error, wait *backoff) (pause time.Duration, definite bool) {
	pause = wait.next()
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
func (r *reflector) follow(ctx context.Context, rv string, wait *backoff) (string, error) {
	started := r.c.opts.Clock.Now()
	next, events, err := r.watch(ctx, rv)
	switch {
	case err == nil && (events > 0 || r.c.opts.Clock.Since(started) > time.Second):
		wait.reset()
		r.watchFailures = 0
		return next, nil
	case apierrors.IsResourceExpired(err) || apierrors.IsGone(err):
		// Many watches are told so at once; lists are dear, so they spread.
		return "", sleep(ctx, r.c.opts.Clock, rand.N(r.c.opts.RelistSpread))
	case err == nil:
		err = errors.New("the watch was closed as soon as it was open")
	}
	// A watch that keeps failing where lists work is replaced by lists, at the pace of the back-off.
	if r.watchFailures++; r.watchFailures%5 == 0 && !unreachable(err) {
		next = ""
	}
	return next, err
}

// watch handles events until the stream ends. The returned resourceVersion is that of the last event.
func (r *reflector) watch(ctx context.Context, rv string) (last string, events int, err error) {
	accept := acceptJSON
	if r.metadata {
		accept = acceptMetadata
	}
	life := watchLife + rand.N(watchLife)
	ctx, cancel := context.WithTimeout(ctx, life+30*time.Second) // a connection that fell silent ends too
	defer cancel()
	body, err := r.c.api.watch(ctx, collectionPath(r.res.GVR, r.namespace), accept, rv, life)
	if err != nil {
		return rv, 0, err
	}
	defer func() { _ = body.Close() }()
	r.sink.progress(r.namespace, "")
	stream := json.NewDecoder(body)
	for {
		var frame struct {
			Type   watch.EventType `json:"type"`
			Object json.RawMessage `json:"object"`
		}
		if err := stream.Decode(&frame); err != nil {
			if errors.Is(err, io.EOF) || ctx.Err() != nil {
				return rv, events, nil
			}
			return rv, events, fmt.Errorf("the watch broke off: %w", err)
		}
		if frame.Type == watch.Error {
			return rv, events, statusError(frame.Object)
		}
		it, err := decodeItem(frame.Object)
		if err != nil {
			return rv, events, err
		}
		if it.meta.ResourceVersion == "" {
			return "", events, errors.New("the watch sent an object without a resourceVersion")
		}
		rv = it.meta.ResourceVersion
		events++
		r.handle(frame.Type, it)
	}
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
