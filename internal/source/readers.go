// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"
)

// readers is the bounded pool of `git cat-file` processes for all mirrors. A process serves one reader repository;
// an idle one of another is ended when its place is needed, and all are after a while without work.
type readers struct {
	home   string
	places chan struct{} // one token for each process that may be at work

	mu     sync.Mutex
	idle   []*reader // most lately used last
	all    map[*reader]bool
	closed bool
}

const idleReader = 30 * time.Second

func newReaders(count int, home string) *readers {
	return &readers{home: home, places: make(chan struct{}, count), all: map[*reader]bool{}}
}

// reader is one process.
type reader struct {
	dir    string
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
	expiry *time.Timer
	ended  sync.Once
}

// storedObject is an answer of a reader.
type storedObject struct {
	id   string
	kind string // blob, tree, commit, tag; "" if it is not there
	size int64
	data []byte // only if contents were asked for and size is within the limit
}

// errReader says that a reader died in mid answer. It says nothing about any object.
var errReader = errors.New("a reader of the mirror ended unexpectedly")

// read asks for objects in the reader repository at dir. With contents, those up to limit bytes (limit < 0: all)
// come with their data. A reader that dies is replaced; several fresh ones in a row that die are an error.
func (p *readers) read(ctx context.Context, dir string, ids []string, contents bool, limit int64) ([]storedObject, error) {
	select {
	case p.places <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-p.places }()
	for failures := 0; ; {
		r, fresh, err := p.take(dir)
		if err != nil {
			return nil, err
		}
		out, err := r.readAll(ctx, ids, contents, limit)
		if err == nil {
			p.giveBack(r)
			return out, nil
		}
		p.end(r)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if fresh { // an idle one may have died long ago
			failures++
		}
		if failures == maxReaderFailures {
			return nil, fmt.Errorf("%w: %w", errReader, err)
		}
	}
}

const maxReaderFailures = 3

// take returns an idle reader of the repository or a fresh one.
func (p *readers) take(dir string) (r *reader, fresh bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, false, errors.New("the store is closed")
	}
	for i := len(p.idle) - 1; i >= 0; i-- {
		if r := p.idle[i]; r.dir == dir && r.expiry.Stop() {
			p.idle = append(p.idle[:i], p.idle[i+1:]...)
			return r, false, nil
		}
	}
	if len(p.all) >= cap(p.places) && len(p.idle) > 0 {
		p.idle[0].kill()
		p.remove(p.idle[0])
	}
	if r, err = startReader(dir, p.home); err != nil {
		return nil, false, err
	}
	p.all[r] = true
	return r, true, nil
}

func startReader(dir, home string) (*reader, error) {
	cmd := exec.Command("git", "--git-dir="+dir, "cat-file", "--batch-command", "--buffer")
	cmd.Dir, cmd.Env, cmd.SysProcAttr = dir, localEnv(home), ownGroup()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start git cat-file: %w", err)
	}
	return &reader{dir: dir, cmd: cmd, stdin: stdin, stdout: bufio.NewReaderSize(stdout, 64<<10)}, nil
}

func (p *readers) giveBack(r *reader) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || !p.all[r] {
		r.kill()
		delete(p.all, r)
		return
	}
	p.idle = append(p.idle, r)
	r.expiry = time.AfterFunc(idleReader, func() { p.end(r) })
}

// end kills a reader and forgets it.
func (p *readers) end(r *reader) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r.kill()
	p.remove(r)
}

func (p *readers) remove(r *reader) {
	delete(p.all, r)
	for i, other := range p.idle {
		if other == r {
			p.idle = append(p.idle[:i], p.idle[i+1:]...)
			return
		}
	}
}

// forget ends the readers of a repository: after its mirror was replaced or removed.
func (p *readers) forget(dir string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for r := range p.all {
		if r.dir == dir {
			r.kill()
			p.remove(r)
		}
	}
}

func (p *readers) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for r := range p.all {
		r.kill()
		p.remove(r)
	}
}

// kill ends the process and, in the background, takes its exit status.
func (r *reader) kill() {
	if r.expiry != nil {
		r.expiry.Stop()
	}
	r.ended.Do(func() {
		_ = r.cmd.Process.Kill()
		go func() { _ = r.cmd.Wait() }()
	})
}

// chunk is how many questions are written before answers are read. It fits into a pipe, so neither side waits for
// the other; git answers at "flush".
const chunk = 400

func (r *reader) readAll(ctx context.Context, ids []string, contents bool, limit int64) ([]storedObject, error) {
	defer context.AfterFunc(ctx, func() { _ = r.cmd.Process.Kill() })()
	verb := "info "
	if contents {
		verb = "contents "
	}
	out := make([]storedObject, 0, len(ids))
	for len(ids) > 0 {
		now := ids[:min(chunk, len(ids))]
		ids = ids[len(now):]
		var b strings.Builder
		for _, id := range now {
			b.WriteString(verb + id + "\n")
		}
		b.WriteString("flush\n")
		if _, err := io.WriteString(r.stdin, b.String()); err != nil {
			return nil, err
		}
		for range now {
			o, err := r.answer(contents, limit)
			if err != nil {
				return nil, err
			}
			out = append(out, o)
		}
	}
	return out, nil
}

// answer reads "<id> <type> <size>", with contents followed by the data and a newline; or "<id> missing".
func (r *reader) answer(contents bool, limit int64) (storedObject, error) {
	line, err := r.stdout.ReadString('\n')
	if err != nil {
		return storedObject{}, err
	}
	fields := strings.Fields(line)
	if len(fields) == 2 {
		if fields[1] == "missing" || fields[1] == "ambiguous" {
			return storedObject{id: fields[0]}, nil
		}
	}
	if len(fields) != 3 {
		return storedObject{}, fmt.Errorf("git cat-file answered %.80q", line)
	}
	size, err := strconv.ParseInt(fields[2], 10, 64)
	if err != nil {
		return storedObject{}, fmt.Errorf("git cat-file answered %.80q", line)
	}
	o := storedObject{id: fields[0], kind: fields[1], size: size}
	if !contents {
		return o, nil
	}
	if limit >= 0 && size > limit {
		_, err = io.CopyN(io.Discard, r.stdout, size+1)
		return o, err
	}
	o.data = make([]byte, size+1)
	if _, err := io.ReadFull(r.stdout, o.data); err != nil {
		return storedObject{}, err
	}
	o.data = o.data[:size]
	return o, nil
}
