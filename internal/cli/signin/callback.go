// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"html"
	"net"
	"net/http"
	"time"

	"github.com/bowline-cd/bowline/internal/fault"
)

const callbackPath = "/auth/callback"

// callback is what the browser comes back to.
type callback struct {
	state string
	done  chan returned
}

// returned is what the browser brought.
type returned struct {
	code string
	err  error
}

// serve answers the browser until stop is called.
func (c *callback) serve(listener net.Listener) (stop func()) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+callbackPath, c.answer)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(listener) // it ends with ErrServerClosed
	}()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), shutdown)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			_ = server.Close()
		}
		<-ended
	}
}

// answer takes what the provider sent the browser with. What is not of this sign-in changes nothing: any page can send a
// browser here.
func (c *callback) answer(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(c.state)) != 1 {
		page(w, http.StatusBadRequest, "This is not the sign-in that the command line waits for.")
		return
	}
	out := returned{code: query.Get("code")}
	text := "You are signed in, and can close this page."
	status := http.StatusOK
	switch said := query.Get("error"); {
	case said != "":
		out.err = errors.New("it says " + said + " " + query.Get("error_description"))
	case out.code == "":
		out.err = errors.New("it sent no code")
	}
	if out.err != nil {
		status, text = http.StatusBadRequest, "Signing in failed: the provider "+out.err.Error()
	}
	page(w, status, text)
	select {
	case c.done <- out:
	default: // the page was loaded again
	}
}

func page(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<!doctype html><title>Bowline</title><p>%s</p>\n", html.EscapeString(text))
}

// wait returns the code that the browser brings.
func (c *callback) wait(ctx context.Context) (string, error) {
	select {
	case <-ctx.Done():
		return "", fault.Wrap(fault.Wait, "sign in", "", context.Cause(ctx), "try again")
	case came := <-c.done:
		return came.code, fault.Wrap(fault.Stalled, "sign in at", "the provider", came.err, "try again")
	}
}
