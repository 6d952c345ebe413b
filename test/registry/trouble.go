// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
)

// Trouble is a way to misbehave.
type Trouble int

// The troubles.
const (
	None        Trouble = iota
	Fail                // every request is answered with 500
	Overloaded          // every request is answered with 429
	Gone                // every request is answered with 404
	Hang                // requests wait until Misbehave(None) or until the client goes
	Half                // answers with content are cut in the middle
	Endless             // answers with content do not end
	EndlessTags         // each page of tags names a next one
	Garbage             // content is answered with a page for people
)

// Misbehave makes the server misbehave from now on; None heals it and releases what hangs.
func (s *Server) Misbehave(trouble Trouble) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trouble = trouble
	close(s.released)
	s.released = make(chan struct{})
}

// misbehaves answers a request wrongly, and reports whether it did.
func (s *Server) misbehaves(w http.ResponseWriter, req *http.Request) bool {
	s.mu.Lock()
	trouble, released := s.trouble, s.released
	s.mu.Unlock()
	switch trouble {
	case Fail:
		http.Error(w, "out of order", http.StatusInternalServerError)
	case Overloaded:
		http.Error(w, "too many", http.StatusTooManyRequests)
	case Gone:
		http.NotFound(w, req)
	case Hang:
		select {
		case <-released:
		case <-req.Context().Done():
		}
		return false
	case Half:
		w.Header().Set("Content-Length", "1000000")
		_, _ = w.Write(bytes.Repeat([]byte("apiVersion: v1\n"), 100))
	case Endless:
		for err := error(nil); err == nil; {
			_, err = w.Write(bytes.Repeat([]byte("#"), 1<<16))
		}
	case EndlessTags:
		if !strings.HasSuffix(req.URL.Path, "/tags/list") {
			return false
		}
		n := len(s.Requests())
		w.Header().Set("Link", fmt.Sprintf(`<%s?last=%d>; rel="next"`, req.URL.Path, n))
		_, _ = fmt.Fprintf(w, `{"tags":["0.0.%d"]}`, n)
	case Garbage:
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!DOCTYPE html>\n<html><body>Please sign in</body></html>\n"))
	default:
		return false
	}
	return true
}
