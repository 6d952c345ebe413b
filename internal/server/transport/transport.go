// SPDX-License-Identifier: Apache-2.0

// Package transport carries calls of the services over HTTP: REST with the JSON of Argo CD, gRPC and gRPC-Web with its protobuf
// messages, on one port. It knows methods only by their descriptions (api/argoproj/rpc).
//
// The words of this room:
//
//   - Mounted: an implementation of a service with the descriptions of its calls.
//   - Open: a call that needs no sign-in.
//   - Wire: the protobuf form of messages, by the table of field numbers.
//   - Stream: newline-delimited JSON or server-sent events on REST, a stream on gRPC.
//   - Record: what the audit keeps of a call.
package transport

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"k8s.io/utils/clock"

	"github.com/bowline-cd/bowline/api/argoproj/rpc"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/transport/openapi"
)

// Mounted is an implementation of a service with the descriptions of its calls.
type Mounted struct {
	Methods []*rpc.Method
	Service any
}

// Options are what the transports are made with.
type Options struct {
	Services []Mounted
	// Authenticate returns the context of a request with its caller, or why there is none. nil lets nobody in.
	Authenticate func(*http.Request) (context.Context, error)
	// ContentTypes are what a call that changes something may be sent as; none is anything.
	ContentTypes []string
	// Gzip is whether large answers are compressed.
	Gzip bool
	// Renewed returns the token that replaces the one of a request, "" if none does; it may be nil.
	Renewed func(context.Context) string
	// RootPath is the path below which everything is served, without a slash at its end. Secure says that callers come by TLS
	// though this process may not see it.
	RootPath string
	Secure   bool
	// Version is that of the program.
	Version string
	// Inside are put around the calls of REST, behind sign-in: they find the caller in the context.
	Inside []func(http.Handler) http.Handler
	// Audit is told of calls that change something or were refused; nil is nobody.
	Audit  func(context.Context, Record)
	Limits Limits
	Clock  clock.Clock
	Log    *slog.Logger
}

// Handler answers the calls of the services.
type Handler struct {
	opts    Options
	rest    *router
	grpc    map[string]*call // by service/method
	limits  *limiter
	streams *subscribers
	shared  *encodings
	// document is the description of the API.
	document http.Handler
	ended    context.Context //nolint:containedctx // streams end with the process, which requests do not know
}

// New returns a handler. Streams end with ctx.
func New(ctx context.Context, opts Options) *Handler {
	opts.Log, opts.Limits = cmp.Or(opts.Log, slog.Default()), opts.Limits.withDefaults()
	if opts.Clock == nil {
		opts.Clock = clock.RealClock{}
	}
	h := &Handler{
		opts: opts, rest: &router{}, grpc: map[string]*call{}, ended: ctx,
		limits: newLimiter(opts.Limits, opts.Clock), streams: newSubscribers(opts.Limits), shared: &encodings{},
	}
	for _, m := range opts.Services {
		for _, method := range m.Methods {
			c := &call{Method: method, service: m.Service}
			for _, b := range method.Bindings {
				h.rest.add(c, b)
			}
			if method.RequestMessage != "" {
				c.procedure = h.newProcedure(c)
				h.grpc[method.FullName()] = c
			}
		}
	}
	h.rest.sort()
	h.document = openapi.Handler(sync.OnceValues(h.describe))
	return h
}

// describe writes the description of the API.
func (h *Handler) describe() ([]byte, error) {
	var methods []*rpc.Method
	for _, m := range h.opts.Services {
		methods = append(methods, m.Methods...)
	}
	return openapi.Document(methods, openapi.Options{
		Version: h.opts.Version, Server: h.opts.RootPath,
		Open:   func(m *rpc.Method) bool { return open[m.FullName()] },
		Strict: ours,
	})
}

// Patterns are the patterns of http.ServeMux that the handler is to be mounted at.
func (h *Handler) Patterns() []string {
	out := []string{"/api/v1/", "/api/version", "/api/bowline/", "/swagger.json"}
	seen := map[string]bool{}
	for name := range h.grpc {
		service, _, _ := strings.Cut(name, "/")
		if !seen[service] {
			seen[service] = true
			out = append(out, "/"+service+"/")
		}
	}
	return out
}

// call is a method of a service that is mounted.
type call struct {
	*rpc.Method
	service   any
	procedure http.Handler
}

// open are the calls that need no sign-in. Their answers are made for anybody.
var open = map[string]bool{
	"session.SessionService/Create":      true,
	"session.SessionService/Delete":      true,
	"session.SessionService/GetUserInfo": true,
	"version.VersionService/Version":     true,
	"cluster.SettingsService/Get":        true,
}

// open reports whether the call needs no sign-in.
func (c *call) open() bool { return open[c.FullName()] }

// reading reports whether the call changes nothing: what REST offers by GET, and what says so itself.
func (c *call) reading() bool {
	if c.Reads {
		return true
	}
	for _, b := range c.Bindings {
		if b.Verb == http.MethodGet {
			return true
		}
	}
	return false
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = h.identified(w, r)
	if isGRPC(r) {
		h.serveGRPC(w, r)
		return
	}
	if r.URL.Path == "/swagger.json" || r.URL.Path == bowline.Prefix+"/openapi.json" {
		h.document.ServeHTTP(w, r)
		return
	}
	h.serveREST(w, r)
}

// Around puts around a handler beside the services what every call has: an id, and the limit of its address.
func (h *Handler) Around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = h.identified(w, r)
		if err := h.limits.address(r); err != nil {
			refuse(w, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// admit checks whether a call may be made at all: limits, then who is calling. The returned request carries the caller, and
// release is to be called when the call is over.
func (h *Handler) admit(c *call, r *http.Request) (*http.Request, func(), error) {
	if err := h.limits.address(r); err != nil {
		return r, nil, err
	}
	ctx, err := h.authenticate(r)
	switch {
	case err == nil:
		r = r.WithContext(ctx)
	case !c.open():
		h.audit(r.Context(), c, nil, err)
		return r, nil, err
	}
	if err := h.limits.caller(r.Context()); err != nil {
		return r, nil, err
	}
	var release func()
	if c.Kind == rpc.ServerStream {
		release, err = h.streams.enter(r.Context())
	} else {
		release, err = h.limits.enter()
	}
	return r, release, err
}

// call makes a unary call.
func (h *Handler) call(ctx context.Context, c *call, request any) (any, error) {
	answer, err := c.Call(ctx, c.service, request)
	err = judged(err)
	h.audit(ctx, c, request, err)
	return answer, err
}

// take makes a call whose request is a stream.
func (h *Handler) take(ctx context.Context, c *call, next func() (any, error)) (any, error) {
	answer, err := c.Take(ctx, c.service, next)
	err = judged(err)
	h.audit(ctx, c, nil, err)
	return answer, err
}

// serve makes a call whose answer is a stream, until the caller goes away or the process ends.
func (h *Handler) serve(ctx context.Context, c *call, request any, send func(any) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(h.ended, cancel)()
	err := judged(c.Serve(ctx, c.service, request, send))
	h.audit(ctx, c, request, err)
	if h.ended.Err() != nil {
		return errEnding
	}
	return err
}

// errEnding ends the streams of a process that ends: their callers come again, to another.
var errEnding = fault.New(fault.Retry, "go on with", "the stream", "", "the server is ending", "call again")
