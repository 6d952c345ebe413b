// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/utils/clock"

	"github.com/bowline-cd/bowline/internal/fault"
)

// parallelQueries is how many queries are at work at once.
const parallelQueries = 2

// The bounds of a query, besides its time.
const (
	queryMemory = 256 << 20
	maxPaths    = 4 << 20 // bytes of an answer
	maxShown    = 200     // bytes of an expression in an error
)

// query is a jq path expression and the object that it selects paths of.
type query struct {
	Expression string
	Doc        json.RawMessage
	Time       time.Duration
}

// selected is the answer to a query.
type selected struct {
	Paths [][]any `json:",omitempty"`
	Late  bool    `json:",omitempty"`
	Error string  `json:",omitempty"` // about the expression; it holds nothing of the object
}

// Paths runs a jq path expression on an object in a process, because an expression may ask for any amount of memory and
// tenants write them. It implements diff.PathFinder. What an expression may take is bounded by limit and 256 MiB; one that
// took more than that memory, or did not end when told to, is refused for a minute, on whichever object.
func (p *Pool) Paths(ctx context.Context, expression string, doc map[string]any, limit time.Duration) ([][]any, error) {
	if err := p.outcast.find(p.options.Clock, expression); err != nil {
		return nil, err
	}
	body, err := encodeQuery(expression, doc, limit)
	if err != nil {
		return nil, err
	}
	select {
	case p.queries <- struct{}{}:
		defer func() { <-p.queries }()
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-p.closed:
		return nil, errClosed
	}
	answer, again, err := p.askPaths(ctx, expression, body, limit)
	if again {
		answer, _, err = p.askPaths(ctx, expression, body, limit)
	}
	return answer, err
}

func encodeQuery(expression string, doc map[string]any, limit time.Duration) ([]byte, error) {
	raw, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("the object has no JSON form: %w", err)
	}
	return json.Marshal(query{Expression: expression, Doc: raw, Time: limit})
}

// askPaths asks one process. again is true if the process was found dead: it had not begun.
func (p *Pool) askPaths(ctx context.Context, expression string, body []byte, limit time.Duration) (paths [][]any, again bool, err error) {
	proc, err := p.take()
	if err != nil {
		return nil, false, err
	}
	proc.bound(queryMemory)
	// The process ends a query that is late by itself; it is ended if it does not.
	watch := newWatch(p.options.Clock, bounds{
		time: limit + time.Second, late: errLate, memory: queryMemory, big: errBig,
	}, proc.memory.resident, proc.kill)
	stop := context.AfterFunc(ctx, func() { proc.kill(ctx.Err()) })
	watch.resume()
	paths, begun, err := exchange(proc, body)
	watch.end()
	interrupted := !stop()
	proc.renders++
	var broken brokenError
	switch {
	case errors.As(err, &broken):
		err = p.lostQuery(ctx, proc, expression, broken)
		return nil, !begun && ctx.Err() == nil, err
	case interrupted || p.worn(proc, queryMemory):
		p.end(proc)
	default:
		p.put(proc)
	}
	return paths, false, err
}

var (
	errLate = errors.New("it does not end in time")
	errBig  = errors.New("it takes more than 256 MiB of memory")
)

// exchange sends a query and reads its answer.
func exchange(proc io.ReadWriter, body []byte) (paths [][]any, begun bool, err error) {
	if err := writeFrame(proc, queryFrame, append(newFrame(), body...)); err != nil {
		return nil, false, brokenError{err}
	}
	if _, _, err := readFrame(proc, only(begunFrame, 0)); err != nil {
		return nil, false, brokenError{err}
	}
	_, raw, err := readFrame(proc, only(pathsFrame, maxPaths))
	if err != nil {
		return nil, true, brokenError{err}
	}
	var answer selected
	if err := json.Unmarshal(raw, &answer); err != nil {
		return nil, true, brokenError{fmt.Errorf("%w: paths: %w", errFrame, err)}
	}
	if answer.Late {
		return nil, true, context.DeadlineExceeded
	}
	if answer.Error != "" {
		return nil, true, errors.New(clipTo(answer.Error, maxWarningText))
	}
	for _, path := range answer.Paths {
		for i, step := range path {
			if n, ok := step.(float64); ok {
				path[i] = int(n) // a place in a list
			}
		}
	}
	return answer.Paths, true, nil
}

// lostQuery returns the error of a query that its process did not survive, and keeps the expression out for a while.
func (p *Pool) lostQuery(ctx context.Context, proc *process, expression string, broken brokenError) error {
	proc.kill(nil)
	<-proc.done
	proc.mu.Lock()
	reason := proc.reason
	proc.mu.Unlock()
	words := proc.stderr.reason()
	p.end(proc)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(reason, errClosed):
		return errClosed
	case reason == nil && outOfMemory(words):
		reason = errBig
	case reason == nil && tooDeep(words):
		reason = errors.New("it calls itself without end")
	case reason == nil:
		reason = fmt.Errorf("the process it ran in ended: %w", broken.err)
	}
	err := fault.Wrap(fault.Mistake, "run", "the jq expression "+strconv.Quote(clipTo(expression, maxShown)), reason, "make it simpler, or use jsonPointers")
	p.outcast.add(p.options.Clock, expression, err)
	p.options.Log.Log(ctx, slog.LevelInfo, "an expression ended its process", "error", err)
	return err
}

// outcasts are expressions that ended their process: trying them on the next object would end the next one.
type outcasts struct {
	mu  sync.Mutex
	all map[string]outcast
}

type outcast struct {
	err   error
	until time.Time
}

const (
	outcastFor  = time.Minute
	maxOutcasts = 1000
)

func (o *outcasts) add(c clock.PassiveClock, expression string, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.all == nil || len(o.all) >= maxOutcasts {
		o.all = map[string]outcast{}
	}
	o.all[expression] = outcast{err, c.Now().Add(outcastFor)}
}

func (o *outcasts) find(c clock.PassiveClock, expression string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	found, ok := o.all[expression]
	if ok && c.Now().After(found.until) {
		delete(o.all, expression)
		return nil
	}
	return found.err
}

// query answers a query in the process.
func (c *child) query(body []byte) error {
	var q query
	if err := json.Unmarshal(body, &q); err != nil {
		return err
	}
	var doc map[string]any
	if err := utiljson.Unmarshal(q.Doc, &doc); err != nil {
		return err
	}
	if err := writeFrame(c.out, begunFrame, newFrame()); err != nil {
		return err
	}
	debug.SetMemoryLimit(queryMemory / 10 * 9)
	stop := c.watchParent()
	paths, err := c.paths(context.Background(), q.Expression, doc, q.Time)
	stop()
	answer := selected{Paths: paths}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		answer = selected{Late: true}
	case err != nil:
		answer = selected{Error: err.Error()}
	}
	raw, err := json.Marshal(answer)
	if err == nil && len(raw) > maxPaths {
		raw, err = json.Marshal(selected{Error: "it selects too many fields"})
	}
	if err != nil {
		return err
	}
	return writeFrame(c.out, pathsFrame, append(newFrame(), raw...))
}
