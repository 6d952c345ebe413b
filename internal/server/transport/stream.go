// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// events is the media type of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).
const events = "text/event-stream"

// openingDelay is how long a stream waits for its first element before it says that it is open. What is refused is refused sooner,
// and then with a status of its own.
const openingDelay = 250 * time.Millisecond

// stream answers a call with one element after the other: each in a line {"result":…}, or as an event with that as its data. What
// ends it is told in a last element {"error":…}.
func (h *Handler) stream(w http.ResponseWriter, r *http.Request, to *route, request any) {
	s := &lines{
		w: w, control: http.NewResponseController(w), events: strings.Contains(r.Header.Get("Accept"), events),
		fields: fieldsOf(r, request), shared: h.shared,
	}
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		if text, ok := textAt(request, "resourceVersion"); ok && text == "" {
			_ = set(request, "resourceVersion", []string{id}) // there is such a field
		}
	}
	stop := make(chan struct{})
	var beating sync.WaitGroup
	beating.Go(func() { h.beat(s, stop) })
	err := h.serve(r.Context(), to.call, request, s.send)
	close(stop)
	beating.Wait()
	s.end(err)
}

// beat opens a stream that is quiet, and lets events say from time to time that they are alive: proxies cut what is silent.
func (h *Handler) beat(s *lines, stop <-chan struct{}) {
	timer := h.opts.Clock.NewTimer(openingDelay)
	defer timer.Stop()
	for {
		select {
		case <-stop:
			return
		case <-timer.C():
			s.alive()
			timer.Reset(h.opts.Limits.Heartbeat)
		}
	}
}

// lines writes the elements of a stream.
type lines struct {
	w       http.ResponseWriter
	control *http.ResponseController
	events  bool
	fields  string
	shared  *encodings

	mu     sync.Mutex
	begun  bool
	broken error
}

// begin writes the head of the answer.
func (s *lines) begin() {
	if s.begun {
		return
	}
	s.begun = true
	kind := "application/json"
	if s.events {
		kind = events
		s.w.Header().Set("X-Accel-Buffering", "no") // nginx would gather events
	}
	s.w.Header().Set("Content-Type", kind)
	s.w.WriteHeader(http.StatusOK)
}

func (s *lines) alive() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return
	}
	s.begin()
	if s.events {
		s.write(":\n\n")
	}
	s.flush()
}

func (s *lines) send(element any) error {
	text, err := s.encode(element)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return s.broken
	}
	s.begin()
	if !s.events {
		s.write(`{"result":`, string(text), "}\n")
	} else {
		if version := versionOf(element); version != "" {
			s.write("id: ", version, "\n")
		}
		s.write(`data: {"result":`, string(text), "}\n\n")
	}
	s.flush()
	return s.broken
}

func (s *lines) encode(element any) ([]byte, error) {
	if versionOf(element) == "" { // it was made for this stream alone
		return selected(element, s.fields)
	}
	return s.shared.get(element, "json:"+s.fields, func() ([]byte, error) { return selected(element, s.fields) })
}

// end tells why a stream ended. One that was never begun is answered with a status.
func (s *lines) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return
	}
	if err != nil && !s.begun {
		refuse(s.w, err)
		return
	}
	s.begin()
	if err != nil {
		s.write(s.last(err))
	}
	s.flush()
}

// last is the element that says why a stream ended.
func (s *lines) last(err error) string {
	f := newFailure(err)
	text, _ := json.Marshal(map[string]any{"error": map[string]any{
		"grpc_code": f.Code, "http_code": statusOf(err), "message": f.Message, "http_status": http.StatusText(statusOf(err)), "details": f.Details,
	}}) // there is nothing in it that JSON does not have
	if s.events {
		return "data: " + string(text) + "\n\n"
	}
	return string(text) + "\n"
}

func (s *lines) write(texts ...string) {
	for _, text := range texts {
		if s.broken == nil {
			_, s.broken = s.w.Write([]byte(text))
		}
	}
}

func (s *lines) flush() {
	if s.broken != nil {
		return
	}
	if p, ok := s.w.(*patient); ok {
		s.broken = p.flush()
		return
	}
	s.broken = s.control.Flush()
}

// versionOf is what a stream may be resumed from after an element.
func versionOf(element any) string {
	switch e := element.(type) {
	case *v1alpha1.ApplicationWatchEvent:
		return e.Application.ResourceVersion
	case *v1alpha1.ApplicationSetWatchEvent:
		return e.ApplicationSet.ResourceVersion
	}
	return ""
}

// encodings lets those who are sent the same element at about the same time share its encoding.
type encodings struct {
	mu   sync.Mutex
	ring [128]*encoding
	next int
}

type encoding struct {
	element any
	form    string
	once    sync.Once
	text    []byte
	err     error
}

// get returns the encoding of an element in a form. Elements are pointers, and are not changed once they were sent.
func (e *encodings) get(element any, form string, encode func() ([]byte, error)) ([]byte, error) {
	one := e.find(element, form)
	one.once.Do(func() { one.text, one.err = encode() })
	return one.text, one.err
}

func (e *encodings) find(element any, form string) *encoding {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range e.ring {
		if one := e.ring[i]; one != nil && one.element == element && one.form == form {
			return one
		}
	}
	one := &encoding{element: element, form: form}
	e.ring[e.next] = one
	e.next = (e.next + 1) % len(e.ring)
	return one
}
