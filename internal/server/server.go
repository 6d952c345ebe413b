// SPDX-License-Identifier: Apache-2.0

// Package server answers HTTP: whether the process is well, the webhooks of Git providers, and, on a listener of
// its own, metrics. Nothing that acts or shows data is offered before people can sign in.
//
// The words of this room:
//
//   - Healthy (/healthz): the process answers. A process that does not is to be restarted.
//   - Ready (/readyz): it is worth being sent work. A check that fails says what is missing; restarting does not help.
//   - Hint: the address of a repository that is worth being polled now. A webhook gives hints and nothing more, so a
//     forged one costs a poll and changes nothing.
package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"

	"github.com/bowline-cd/bowline/internal/fault"
)

// Options are what a server needs.
type Options struct {
	// Address is where health and webhooks are answered, such as 127.0.0.1:8080. Port 0 is any free one.
	Address string
	// MetricsAddress is where metrics are answered; "" or "0" is nowhere.
	MetricsAddress string
	// Registry gathers the metrics.
	Registry prometheus.Gatherer
	// Log is where requests that fail are noted.
	Log *slog.Logger
	// Ready are the checks of /readyz by name. They answer from what is known, without calling anyone.
	Ready map[string]func() error
	// Webhook reads a provider's call into the addresses of the repositories it is about. It checks the signature
	// before anything else. Its errors are answered by their kind. Some providers can be told apart, and know their secret,
	// by the query of the address only.
	Webhook func(header http.Header, query url.Values, body []byte) ([]string, error)
	// Hint is told each address.
	Hint func(url string)
	// TLS is how Address is served; nil is plain HTTP.
	TLS *TLS
	// Headers tell browsers what pages may do.
	Headers Headers
	// Routes are offered beside health and webhooks.
	Routes []Route
	// RootPath is the path below which everything is offered, without a slash at its end; "" is all of them.
	RootPath string
	// MaxWebhookBytes is the largest body that is read, asked anew for each call; nil is 50 MiB.
	MaxWebhookBytes func() int64
}

// Route is a pattern of http.ServeMux and what answers there.
type Route struct {
	Pattern string
	Handler http.Handler
}

// Times and sizes that bound what one caller can hold.
const (
	headerTimeout   = 5 * time.Second
	requestTimeout  = time.Minute
	idleTimeout     = 2 * time.Minute
	shutdownTimeout = 10 * time.Second
	maxHeaderBytes  = 64 << 10
)

// Server answers HTTP.
type Server struct {
	log       *slog.Logger
	headers   Headers
	listeners []listener
}

type listener struct {
	net.Listener
	http  *http.Server
	plain *http.Server // answers who comes without TLS, where there is TLS
}

// New binds the addresses, so that an address that is taken is an error now. Run serves them.
func New(opts Options) (*Server, error) {
	s := &Server{log: cmp.Or(opts.Log, slog.Default()), headers: opts.Headers}
	if err := s.listen(opts.Address, "--listen", s.wrap(newMux(opts, s.log)), opts.TLS); err != nil {
		return nil, err
	}
	if opts.MetricsAddress == "" || opts.MetricsAddress == "0" {
		return s, nil
	}
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(opts.Registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	mux.HandleFunc("/", notFound)
	if err := s.listen(opts.MetricsAddress, "--metrics", s.wrap(mux), nil); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *Server) listen(address, flag string, handler http.Handler, secure *TLS) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fault.Wrap(fault.Stalled, "listen on", address, err, "choose another address with "+flag)
	}
	out := listener{Listener: l, http: s.newServer(handler)}
	if secure != nil {
		out.http.TLSConfig, out.plain = secure.config(), s.newServer(redirect(handler))
	}
	s.listeners = append(s.listeners, out)
	return nil
}

// newServer bounds what one caller can hold. Streams set their own times for each write.
func (s *Server) newServer(handler http.Handler) *http.Server {
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true) // what gRPC speaks where TLS ends in front of us
	return &http.Server{
		Handler:           handler,
		Protocols:         protocols,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      requestTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
}

// Address is where health and webhooks are answered, with the port that was bound.
func (s *Server) Address() string { return s.listeners[0].Addr().String() }

// MetricsAddress is where metrics are answered; "" if nowhere.
func (s *Server) MetricsAddress() string {
	if len(s.listeners) < 2 {
		return ""
	}
	return s.listeners[1].Addr().String()
}

// Run serves until ctx ends, then lets requests that are under way come to their end and returns nil.
func (s *Server) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, l := range s.listeners {
		for server, serve := range l.servers() {
			group.Go(func() error {
				if err := serve(); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
					return fmt.Errorf("serve %s: %w", l.Addr(), err)
				}
				return nil
			})
			group.Go(func() error {
				<-ctx.Done()
				grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
				defer cancel()
				if err := server.Shutdown(grace); err != nil {
					return server.Close()
				}
				return nil
			})
		}
	}
	return group.Wait()
}

// servers returns what serves the listener, with the call that does.
func (l listener) servers() map[*http.Server]func() error {
	if l.plain == nil {
		return map[*http.Server]func() error{l.http: func() error { return l.http.Serve(l.Listener) }}
	}
	m := newMixed(l.Listener)
	return map[*http.Server]func() error{
		l.http:  func() error { return l.http.ServeTLS(m.encrypted, "", "") },
		l.plain: func() error { return l.plain.Serve(m.plain) },
	}
}

func (s *Server) close() {
	for _, l := range s.listeners {
		_ = l.Close()
	}
}
