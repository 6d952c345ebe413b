// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"

	"github.com/bowline-cd/bowline/internal/fault"
)

// requestIDHeader carries the id of a request: given by a proxy in front, or made here.
const requestIDHeader = "X-Request-ID"

// maxRequestID bounds what is taken over from a caller: it ends up in logs.
const maxRequestID = 64

type requestIDKey struct{}

// RequestID returns the id of the request that ctx belongs to; "" if there is none.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// identified gives a request an id, and a place where the decisions about it are gathered.
func (h *Handler) identified(w http.ResponseWriter, r *http.Request) *http.Request {
	id := r.Header.Get(requestIDHeader)
	if !plainID(id) {
		id = rand.Text()
	}
	w.Header().Set(requestIDHeader, id)
	ctx := context.WithValue(r.Context(), requestIDKey{}, id)
	return r.WithContext(context.WithValue(ctx, trailKey{}, &trail{address: r.RemoteAddr}))
}

func plainID(id string) bool {
	if id == "" || len(id) > maxRequestID {
		return false
	}
	for _, c := range id {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

// errNobody is what everybody is answered who is not signed in. It says nothing of what was wrong with a token: whoever forges one
// learns nothing, and whoever has an old one signs in again in any case.
var errNobody = &fault.Error{
	Kind: fault.Forbidden, Code: fault.Unauthenticated, Err: errors.New("no valid session"), Fix: "sign in, or show a token that is valid",
}

// RefuseNobody answers a caller whom nobody knows, on pages beside the services in the same words as on every route.
func RefuseNobody(w http.ResponseWriter) { refuse(w, errNobody) }

// authenticate returns the context with the caller. Why a token was refused goes to the log and not to the caller.
func (h *Handler) authenticate(r *http.Request) (context.Context, error) {
	if h.opts.Authenticate == nil {
		return nil, errNobody
	}
	ctx, err := h.opts.Authenticate(r)
	switch {
	case err == nil:
		return ctx, nil
	case fault.CodeOf(err) == fault.TooManyRequests, fault.KindOf(err) != fault.Forbidden && fault.CodeOf(err) != fault.Unauthenticated && fault.KindOf(err) != fault.Mistake:
		return nil, err
	}
	h.opts.Log.DebugContext(r.Context(), "a caller was not let in", "from", r.RemoteAddr, "request", RequestID(r.Context()), "error", err)
	return nil, errNobody
}
