// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"net/http"
	"time"

	"k8s.io/utils/clock"
)

// patient is a writer without a time by which the whole answer has to be written, as the server sets one: each write has a time of
// its own. A stream may be open for days, and a call may take long, but nobody may leave what was written unread.
type patient struct {
	http.ResponseWriter
	control *http.ResponseController
	clock   clock.PassiveClock
	limit   time.Duration
}

func (h *Handler) patient(w http.ResponseWriter) *patient {
	p := &patient{ResponseWriter: w, control: http.NewResponseController(w), clock: h.opts.Clock, limit: h.opts.Limits.Write}
	_ = p.control.SetWriteDeadline(time.Time{}) // a writer without deadlines needs none taken away
	return p
}

// Write implements http.ResponseWriter.
func (p *patient) Write(b []byte) (int, error) {
	_ = p.control.SetWriteDeadline(p.clock.Now().Add(p.limit))
	return p.ResponseWriter.Write(b)
}

// Flush implements http.Flusher.
func (p *patient) Flush() { _ = p.flush() }

// flush sends what was written. Afterwards nothing has to be read by any time: on HTTP/2 a deadline ends even a quiet stream.
func (p *patient) flush() error {
	_ = p.control.SetWriteDeadline(p.clock.Now().Add(p.limit))
	err := p.control.Flush()
	_ = p.control.SetWriteDeadline(time.Time{})
	return err
}

// Unwrap lets http.ResponseController reach the writer below.
func (p *patient) Unwrap() http.ResponseWriter { return p.ResponseWriter }
