// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/bowline-cd/bowline/api/argoproj/rpc"
	"github.com/bowline-cd/bowline/internal/fault"
)

var errVerb = errors.New("the verb is not one that this path has")

// serveREST answers a call of REST.
func (h *Handler) serveREST(w http.ResponseWriter, r *http.Request) {
	defer h.drain(w, r)
	to, variables, verbs := h.rest.find(r.Method, r.URL.EscapedPath())
	switch {
	case to == nil && len(verbs) > 0:
		w.Header().Set("Allow", strings.Join(verbs, ", "))
		refuse(w, &fault.Error{Kind: fault.Mistake, Err: errVerb, Fix: "use " + strings.Join(verbs, " or ")})
		return
	case to == nil:
		refuse(w, &fault.Error{Kind: fault.Mistake, Code: fault.NotFound, Err: errors.New("there is nothing at this path")})
		return
	}
	if err := h.checkType(r); err != nil {
		refuse(w, err)
		return
	}
	r, release, err := h.admit(to.call, r)
	if err != nil {
		refuse(w, err)
		return
	}
	defer release()
	next := http.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.carry(w, r, to, variables) }))
	for _, around := range h.opts.Inside {
		next = around(next)
	}
	next.ServeHTTP(h.patient(w), r)
}

// What is read of a body that nobody wants, and for how long: a client that is cut off while it sends may never see the answer.
const (
	drained   = 64 << 20
	drainTime = 10 * time.Second
)

func (h *Handler) drain(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength == 0 {
		return
	}
	_ = http.NewResponseController(w).SetReadDeadline(h.opts.Clock.Now().Add(drainTime))
	_, _ = io.CopyN(io.Discard, r.Body, drained)
}

// carry reads a request, makes the call and writes the answer.
func (h *Handler) carry(w http.ResponseWriter, r *http.Request, to *route, variables []variable) {
	limit := h.opts.Limits.Body
	if to.open() {
		limit = h.opts.Limits.OpenBody
	}
	request, err := to.read(r, variables, limit)
	if err != nil {
		refuse(w, err)
		return
	}
	// The body was read in time; how long the call takes is not the caller's doing.
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	switch to.Kind {
	case rpc.ServerStream:
		h.stream(w, r, to, request)
	case rpc.ClientStream:
		refuse(w, &fault.Error{Kind: fault.Mistake, Code: fault.Unsupported, Err: errors.New("a stream of requests is taken by gRPC only")})
	default:
		answer, err := h.call(r.Context(), to.call, request)
		if err != nil {
			refuse(w, err)
			return
		}
		h.remember(w, r, answer)
		h.answer(w, r, request, answer)
	}
}
