// SPDX-License-Identifier: Apache-2.0

package application

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/internal/server/application/live"
)

// patience is how long a followed log waits for older lines of other containers before it shows what it has.
const patience = 100 * time.Millisecond

// longestLine is how much of a line is shown in one piece.
const longestLine = 64 << 10

// logLine is one line of a log, or a piece of one.
type logLine struct {
	at   time.Time
	pod  string
	text string
}

// errUntil ends a log whose lines are later than what was asked for.
var errUntil = errors.New("later than asked for")

// pour reads the logs of containers side by side and sends their lines in the order of time. It holds one line of each.
func (l podLogs) pour(ctx context.Context, site *live.Site, taps []tap, now clock.Clock, send func(*application.LogEntry) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	m := newMerger(len(taps))
	for i, t := range taps {
		go m.run(ctx, i, func(emit func(logLine) bool) { l.read(ctx, site, t, now, emit) })
	}
	err := m.merge(ctx, l.options.Follow, now, func(line logLine) error { return l.show(line, send) })
	if errors.Is(err, errUntil) {
		return nil
	}
	return err
}

// show sends a line that the filter lets through.
func (l podLogs) show(line logLine, send func(*application.LogEntry) error) error {
	if !l.until.IsZero() && line.at.After(l.until) {
		return errUntil
	}
	if !l.filter.lets(line.text) {
		return nil
	}
	return send(&application.LogEntry{
		Content: line.text, PodName: line.pod, TimeStamp: &metav1.Time{Time: line.at}, TimeStampStr: line.at.Format(time.RFC3339Nano),
	})
}

// read emits the lines of one container. Why there are none is a line too: people look for it where the log would be.
func (l podLogs) read(ctx context.Context, site *live.Site, t tap, now clock.PassiveClock, emit func(logLine) bool) {
	options := l.options
	options.Container = t.container
	stream, err := site.Logs(ctx, t.namespace, t.pod, options)
	if err != nil {
		if ctx.Err() == nil {
			emit(logLine{at: now.Now(), pod: t.pod, text: err.Error()})
		}
		return
	}
	defer func() { _ = stream.Close() }()
	if err := split(stream, t.pod, now, emit); err != nil && ctx.Err() == nil {
		emit(logLine{at: now.Now(), pod: t.pod, text: "the log broke off: " + err.Error()})
	}
}

// split reads lines that begin with their time, until emit returns false. What is longer than longestLine comes in pieces of
// the same time, and so do lines that were written over with carriage returns.
func split(stream io.Reader, pod string, now clock.PassiveClock, emit func(logLine) bool) error {
	r := bufio.NewReaderSize(stream, longestLine)
	line := logLine{pod: pod}
	for fresh := true; ; {
		piece, err := r.ReadSlice('\n')
		text := string(piece)
		if fresh && text != "" {
			line.at, text = timeOf(text, now)
		}
		fresh = !errors.Is(err, bufio.ErrBufferFull)
		if text = strings.TrimRight(text, "\r\n"); len(piece) > 0 {
			for part := range strings.SplitSeq(text, "\r") {
				line.text = part
				if !emit(line) {
					return nil
				}
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && fresh:
			return err
		}
	}
}

// timeOf cuts the time off a line; a line without one is of now.
func timeOf(text string, now clock.PassiveClock) (time.Time, string) {
	stamp, rest, _ := strings.Cut(text, " ")
	at, err := time.Parse(time.RFC3339Nano, strings.TrimRight(stamp, "\r\n"))
	if err != nil {
		return now.Now(), text
	}
	return at, rest
}

// merger puts lines of several logs in the order of time. Each log hands over one line and waits until that was taken.
type merger struct {
	arrivals chan arrival
	logs     []mergedLog
}

type mergedLog struct {
	head  *logLine      // the line that it handed over; nil while it reads
	next  chan struct{} // tells it that its line was taken
	ended bool
	quiet bool // it was waited for in vain, and is not until it hands over again
}

type arrival struct {
	from int
	line *logLine // nil: it ended
}

func newMerger(n int) *merger {
	m := &merger{arrivals: make(chan arrival), logs: make([]mergedLog, n)}
	for i := range m.logs {
		m.logs[i].next = make(chan struct{}, 1)
	}
	return m
}

// run reads a log and hands its lines over.
func (m *merger) run(ctx context.Context, i int, read func(emit func(logLine) bool)) {
	read(func(line logLine) bool {
		select {
		case m.arrivals <- arrival{i, &line}:
		case <-ctx.Done():
			return false
		}
		select {
		case <-m.logs[i].next:
			return true
		case <-ctx.Done():
			return false
		}
	})
	select {
	case m.arrivals <- arrival{from: i}:
	case <-ctx.Done():
	}
}

// merge shows lines until all logs have ended. Logs that are followed may be silent for ever: then lines are shown after some
// patience, though an older one may yet come.
func (m *merger) merge(ctx context.Context, follow bool, now clock.Clock, show func(logLine) error) error {
	for {
		oldest, all := m.look()
		switch {
		case oldest < 0 && all:
			return nil
		case oldest >= 0 && all:
			if err := m.take(oldest, show); err != nil {
				return err
			}
		default:
			if err := m.await(ctx, follow && oldest >= 0, now); err != nil {
				return err
			}
		}
	}
}

// look returns the log with the oldest line, -1 for none, and whether all logs that are waited for have one. Where none has a
// line, all is that every log has ended.
func (m *merger) look() (oldest int, all bool) {
	oldest, all = -1, true
	ended := true
	for i := range m.logs {
		l := &m.logs[i]
		ended = ended && l.ended
		all = all && (l.ended || l.quiet || l.head != nil)
		if l.head != nil && (oldest < 0 || l.head.at.Before(m.logs[oldest].head.at)) {
			oldest = i
		}
	}
	if oldest < 0 {
		all = ended
	}
	return oldest, all
}

// await takes what a log hands over next. If it is impatient it ceases after a while to wait for those that are silent.
func (m *merger) await(ctx context.Context, impatient bool, now clock.Clock) error {
	var late <-chan time.Time
	if impatient {
		timer := now.NewTimer(patience)
		defer timer.Stop()
		late = timer.C()
	}
	select {
	case a := <-m.arrivals:
		l := &m.logs[a.from]
		l.head, l.ended, l.quiet = a.line, a.line == nil, false
		return nil
	case <-late:
		for i := range m.logs {
			m.logs[i].quiet = m.logs[i].head == nil
		}
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (m *merger) take(i int, show func(logLine) error) error {
	line := *m.logs[i].head
	m.logs[i].head = nil
	m.logs[i].next <- struct{}{}
	return show(line)
}
