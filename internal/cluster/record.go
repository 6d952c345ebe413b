// SPDX-License-Identifier: Apache-2.0

package cluster

import "time"

// record counts what one reflector did, for whoever asks how a kind is doing.
type record struct {
	lists, watches int
	silent         int // watches that were given up because nothing came
	probes         int
	streamed       bool      // the last list came as a stream
	failures       int       // in a row; 0: it works
	retry          time.Time // when it is tried again, after a failure
}

func (r *reflector) note(change func(*record)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.record)
}

// relist makes the reflector list again, now.
func (r *reflector) relist() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.again = true
	if r.present != nil {
		r.present.cancel()
	}
}

// takeAgain reports whether relist was called since the last list began.
func (r *reflector) takeAgain() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	again := r.again
	r.again = false
	return again
}

// interruptible lets relist end the stream until the returned function is called.
func (r *reflector) interruptible(s *stream) (done func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.present = s
	if r.again {
		s.cancel()
	}
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.present = nil
	}
}
