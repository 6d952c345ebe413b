// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apimachinery/pkg/watch"
)

// stream is an open watch.
type stream struct {
	ctx    context.Context
	cancel context.CancelFunc
	pulse  *pulse
	body   io.ReadCloser
	frames *frames
}

// watchLife is how long the API server keeps a watch; ends spread over as much again.
const watchLife = 5 * time.Minute

// open begins a watch from rv; "" asks for a streamed list: every object there is, a mark, and then what changes.
func (r *reflector) open(ctx context.Context, rv string) (*stream, error) {
	accept := acceptJSON
	if r.metadata {
		accept = acceptMetadata
	}
	life := watchLife + rand.N(watchLife)
	ctx, cancel := context.WithTimeout(ctx, life+30*time.Second)
	silence := life
	if rv == "" {
		silence = r.c.opts.FirstSilence
	}
	ctx, pulse := withPulse(ctx, silence)
	s := &stream{ctx: ctx, pulse: pulse, cancel: func() { pulse.stop(); cancel() }}
	body, err := r.c.api.watch(ctx, collectionPath(r.res.GVR, r.namespace), accept, rv, life)
	if err != nil {
		s.cancel()
		return nil, pulse.explain(ctx, err)
	}
	s.body, s.frames = body, newFrames(&beating{body, pulse})
	return s, nil
}

func (s *stream) close() {
	s.cancel()
	_ = s.body.Close()
}

// next returns the next event. io.EOF means that the watch has ended as watches do.
func (s *stream) next() (event watch.EventType, it item, err error) {
	raw, err := s.frames.value()
	if err != nil {
		if err = s.pulse.explain(s.ctx, err); s.ctx.Err() != nil && !errors.Is(err, errSilent) {
			err = io.EOF
		}
		return "", item{}, err
	}
	var object []byte
	err = fields(raw, func(key, value []byte) (err error) {
		switch string(key) {
		case "type":
			return text(value, (*string)(&event))
		case "object":
			object = value
		}
		return nil
	})
	switch {
	case err != nil:
		return "", item{}, fmt.Errorf("the watch sent what cannot be read: %w", err)
	case event == watch.Error:
		return event, item{}, statusError(object)
	}
	if it, err = decodeItem(object); err != nil {
		return event, it, err
	}
	if it.meta.ResourceVersion == "" {
		return event, it, errors.New("the watch sent an object without a resourceVersion")
	}
	return event, it, nil
}

// streaming remembers where streamed lists do not work: API servers before 1.34 may not have them, and those behind an
// APIService often do not. One that does not know what was asked for never ends such a list.
type streaming struct {
	mu      sync.Mutex
	refused map[string]struct{} // API groups
}

// streamsFrom is the first release that has streamed lists unless somebody turned them off.
var streamsFrom = version.MustParseGeneric("1.34.0")

// streams reports whether to ask for a streamed list of the kind.
func (c *Cluster) streams(res Resource) bool {
	if c.opts.PagedLists || !res.can("watch") {
		return false
	}
	v, err := version.ParseGeneric(strings.TrimPrefix(c.Version(), "v"))
	if err != nil || v.LessThan(streamsFrom) {
		return false
	}
	c.streaming.mu.Lock()
	defer c.streaming.mu.Unlock()
	_, refused := c.streaming.refused[res.GVK.Group]
	return !refused
}

// refuse notes that streamed lists of a group do not work.
func (s *streaming) refuse(group string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refused == nil {
		s.refused = map[string]struct{}{}
	}
	s.refused[group] = struct{}{}
}

// forget makes the next lists be tried again: the API server is another one.
func (s *streaming) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = nil
}

// notStreamed reports whether err says that this API server does not stream lists, rather than that it does not list.
func notStreamed(err error) bool {
	// 410: something in between answers watches so. A list that streams names no version that could be forgotten.
	gone := apierrors.IsResourceExpired(err) || apierrors.IsGone(err)
	return gone || apierrors.IsBadRequest(err) || apierrors.IsInvalid(err) || errors.Is(err, errSilent)
}

// stream lists the collection by a watch that begins with every object there is, and leaves that watch open. Until the
// bookmark that ends the list nothing is concluded from what it did not show.
func (r *reflector) stream(ctx context.Context) (rv string, err error) {
	s, err := r.open(ctx, "")
	if err != nil {
		return "", err
	}
	defer func() {
		if r.begun != s {
			s.close()
		}
	}()
	defer r.interruptible(s)()
	seen := map[nsName]struct{}{}
	for {
		event, it, err := s.next()
		if errors.Is(err, io.EOF) {
			err = fmt.Errorf("the list was cut off: %w", io.ErrUnexpectedEOF)
		}
		if err != nil {
			return "", err
		}
		n := nsName{it.meta.Namespace, it.meta.Name}
		switch event {
		case watch.Added, watch.Modified:
			seen[n] = struct{}{}
			r.sink.put(it, false)
		case watch.Deleted:
			delete(seen, n)
			r.sink.del(n, it.meta.ResourceVersion)
		case watch.Bookmark:
			if it.meta.Annotations[metav1.InitialEventsAnnotationKey] != "true" {
				continue
			}
			rv = it.meta.ResourceVersion
			if r.sink.wentBack(r.namespace, rv) {
				return r.list(ctx, true) // what was streamed may have lost against newer objects of the store
			}
			r.sink.relisted(r.namespace, rv, seen, false)
			r.begun = s
			return rv, nil
		}
	}
}
