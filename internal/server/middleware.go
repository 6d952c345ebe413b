// SPDX-License-Identifier: Apache-2.0

package server

import (
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
)

// wrap puts around a handler what every answer has. The order matters, from the outside in:
//
//	log      sees the status that was really sent, that of a panic included
//	recover  turns a panic into an answer, so that one request never ends the process
//	headers  are set before the handler writes, and so on its errors too
func (s *Server) wrap(h http.Handler) http.Handler {
	return logged(s.log, recovered(s.log, s.headers.withHeaders(h)))
}

func recovered(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			what := recover()
			if what == nil {
				return
			}
			if err, ok := what.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(what)
			}
			log.Error("a request made the server panic: this is a bug", "path", r.URL.Path, "panic", what, "stack", string(debug.Stack()))
			refuse(w, http.StatusInternalServerError, "this is a bug of the server; its log says more")
		}()
		next.ServeHTTP(w, r)
	})
}

func logged(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(sent, r)
		log.Debug("request", "method", r.Method, "path", r.URL.Path, "status", sent.status, "from", r.RemoteAddr)
	})
}

// statusWriter remembers the status that was sent.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the writer below.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
