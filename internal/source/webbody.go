// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// slowest is how many bytes a second an answer has to bring: as git is told for its own fetches (http.lowSpeedLimit).
const slowest = 1000

// atMost ends with err when more than limit bytes are read.
func atMost(r io.Reader, limit int64, err error) io.Reader { return &atMostReader{r, limit, err} }

type atMostReader struct {
	r    io.Reader
	left int64
	err  error
}

func (b *atMostReader) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, b.err
	}
	return n, err
}

// paced is the body of an answer that is cut off when it comes too slowly: a server that sends a byte now and then must not
// hold a place for minutes.
type paced struct {
	body   io.ReadCloser
	window time.Duration
	timer  *time.Timer
	came   atomic.Int64 // bytes in this window
	slow   atomic.Bool
}

func keepPace(body io.ReadCloser, window time.Duration) io.ReadCloser {
	p := &paced{body: body, window: window}
	p.timer = time.AfterFunc(time.Hour, p.look)
	p.timer.Reset(window) // look uses the timer
	return p
}

// look ends a window.
func (p *paced) look() {
	if float64(p.came.Swap(0)) >= slowest*p.window.Seconds() {
		p.timer.Reset(p.window)
		return
	}
	p.slow.Store(true)
	_ = p.body.Close()
}

// Read implements io.Reader.
func (p *paced) Read(b []byte) (int, error) {
	n, err := p.body.Read(b)
	p.came.Add(int64(n))
	if err != nil && p.slow.Load() {
		return n, &UnreachableError{Problem: ProblemTimeout, Detail: fmt.Sprint("the server sends less than ", slowest, " bytes a second")}
	}
	return n, err
}

// Close implements io.Closer.
func (p *paced) Close() error {
	p.timer.Stop()
	return p.body.Close()
}
