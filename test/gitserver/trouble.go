// SPDX-License-Identifier: Apache-2.0

package gitserver

import (
	"fmt"
	"net/http"
	"time"
)

// Trouble is a way to misbehave.
type Trouble int

// The troubles.
const (
	None         Trouble = iota
	Refuse               // connections are refused: nothing listens
	Fail                 // every request is answered with 500
	Hang                 // requests wait until Misbehave(None) or until the client goes
	HangFetch            // as Hang, for the request that fetches objects only
	HalfFetch            // a fetch is answered with half of the pack, then the connection is cut
	HalfRefs             // a list of refs is answered by half, then the connection is cut
	WrongAccount         // every credential is refused with 401
	Gone                 // every repository is answered with 404
	Overloaded           // every request is answered with 429
)

// Counts are numbers of requests by kind.
type Counts struct {
	Advertise int // GET info/refs
	LsRefs    int // POST git-upload-pack with command ls-refs
	Fetch     int // every other POST git-upload-pack
	Other     int
}

// Counts returns the requests served or refused since the start or the last ResetCounts.
func (s *Server) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts
}

// ResetCounts sets all counts to zero.
func (s *Server) ResetCounts() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts, s.log = Counts{}, nil
}

// Log returns one line for each request since the start or the last ResetCounts.
func (s *Server) Log() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.log...)
}

// Misbehave makes the server misbehave from now on; None heals it and releases what hangs.
// It panics if the address cannot be listened on again.
func (s *Server) Misbehave(trouble Trouble) {
	s.mu.Lock()
	before := s.trouble
	s.trouble = trouble
	if before == Hang || before == HangFetch {
		close(s.released)
		s.released = make(chan struct{})
	}
	s.mu.Unlock()
	switch {
	case trouble == Refuse && before != Refuse:
		s.stop()
	case trouble != Refuse && before == Refuse:
		s.listenAgain()
	}
}

func (s *Server) listenAgain() {
	var err error
	for range 50 { // the kernel may need a moment to give the port back
		if err = s.listen(); err == nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	panic(fmt.Sprintf("gitserver: listen again: %v", err))
}

// answered carries out the server's trouble for a request and reports whether it is done with it.
func (s *Server) answered(w http.ResponseWriter, r *http.Request, kind kind) bool {
	s.mu.Lock()
	trouble, released := s.trouble, s.released
	s.mu.Unlock()
	switch {
	case trouble == Fail:
		http.Error(w, "out of order", http.StatusInternalServerError)
	case trouble == Gone:
		http.NotFound(w, r)
	case trouble == Overloaded:
		http.Error(w, "slow down", http.StatusTooManyRequests)
	case trouble == Hang || trouble == HangFetch && kind == fetch:
		select {
		case <-released:
		case <-r.Context().Done():
		}
		cut(w)
	default:
		return false
	}
	return true
}

// cuts reports whether the answer to a request of this kind is to be cut in the middle.
func (s *Server) cuts(kind kind) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.trouble == HalfFetch && kind == fetch || s.trouble == HalfRefs && (kind == lsRefs || kind == advertise)
}

// cut closes the connection without a further word.
func cut(w http.ResponseWriter) {
	if hijacker, ok := w.(http.Hijacker); ok {
		if connection, _, err := hijacker.Hijack(); err == nil {
			_ = connection.Close()
			return
		}
	}
	panic(http.ErrAbortHandler)
}
