// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/bowline-cd/bowline/internal/tree"
)

// op is what a call asks for.
type op byte

const (
	lookupOp op = iota + 1
	listOp
	readOp // of one file, and of others that are probably read next
	kubeVersionOp
	apiVersionsOp
)

// status is how a call ended.
type status byte

const (
	okStatus status = iota
	absentStatus
	failedStatus
)

// calls are the calls of one process, one after the other.
type calls struct {
	mu   sync.Mutex
	conn io.ReadWriter
	// broken ends the process: nobody answers any more.
	broken func(error)
}

// do makes a call and returns a reader of the answer's content, or the error that the answer is.
func (c *calls) do(frame []byte) (*reader, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	body, err := c.exchange(frame)
	if err != nil {
		c.broken(err)
		return nil, err
	}
	r := &reader{rest: body}
	switch s := status(r.byte()); {
	case r.err != nil || s > failedStatus:
		return nil, errFrame
	case s == absentStatus:
		return nil, tree.ErrAbsent
	case s == failedStatus:
		var f failure
		if err := json.Unmarshal(r.rest, &f); err != nil {
			return nil, err
		}
		return nil, toCallError(f)
	}
	return r, nil
}

func (c *calls) exchange(frame []byte) ([]byte, error) {
	if err := writeFrame(c.conn, callFrame, frame); err != nil {
		return nil, err
	}
	_, body, err := readFrame(c.conn, only(answerFrame, maxToProcess))
	return body, err
}

// only is the limit of a reader that expects one kind.
func only(expected kind, most int64) func(kind) int64 {
	return func(k kind) int64 {
		if k != expected {
			return -1
		}
		return most
	}
}

// mount is a tree of the caller. It remembers entries: a tree never changes, and who has listed a folder (which the
// caller's trace notes) has seen what is in it and what is not.
type mount struct {
	calls  *calls
	number int
	root   string

	mu      sync.Mutex
	entries map[string]known
	listed  map[string]*listed
	ahead   map[string][]byte // content of files that were read ahead
}

// listed is a folder whose entries are known.
type listed struct {
	entries []tree.Entry
	reads   int // how many calls read files in it
}

type known struct {
	entry tree.Entry
	err   error // nil or tree.ErrAbsent
}

func newMount(calls *calls, number int, root string) *mount {
	return &mount{calls: calls, number: number, root: root, entries: map[string]known{}, listed: map[string]*listed{}, ahead: map[string][]byte{}}
}

func (m *mount) Root() string { return m.root }

func (m *mount) call(o op, p string) []byte {
	return appendText(binary.AppendUvarint(append(newFrame(), byte(o)), uint64(m.number)), p) //nolint:gosec // a number of a mount is not negative
}

func (m *mount) Lookup(_ context.Context, p string) (tree.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if k, ok := m.recall(p); ok {
		return k.entry, k.err
	}
	r, err := m.calls.do(m.call(lookupOp, p))
	if err != nil {
		if err == tree.ErrAbsent { //nolint:errorlint // an error that only means it is not remembered
			m.entries[p] = known{err: err}
		}
		return tree.Entry{}, err
	}
	e := r.entry()
	if err := r.end(); err != nil {
		return tree.Entry{}, err
	}
	m.entries[p] = known{entry: e}
	return e, nil
}

func (m *mount) recall(p string) (known, bool) {
	if k, ok := m.entries[p]; ok {
		return k, true
	}
	folder, ok := m.listed[folderOf(p)]
	if !ok || p == "" {
		return known{}, false
	}
	i, found := folder.find(p)
	if !found {
		return known{err: tree.ErrAbsent}, true
	}
	return known{entry: folder.entries[i]}, true
}

func (l *listed) find(p string) (int, bool) {
	return slices.BinarySearchFunc(l.entries, path.Base(p), func(e tree.Entry, name string) int { return strings.Compare(e.Name, name) })
}

func folderOf(p string) string {
	if i := strings.LastIndexByte(p, '/'); i >= 0 {
		return p[:i]
	}
	return ""
}

func (m *mount) List(_ context.Context, p string) ([]tree.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if folder, ok := m.listed[p]; ok {
		return slices.Clone(folder.entries), nil
	}
	r, err := m.calls.do(m.call(listOp, p))
	if err != nil {
		return nil, err
	}
	list := make([]tree.Entry, 0, r.number(uint64(len(r.rest))))
	for range cap(list) {
		list = append(list, r.entry())
	}
	if err := r.end(); err != nil {
		return nil, err
	}
	if slices.IsSortedFunc(list, func(a, b tree.Entry) int { return strings.Compare(a.Name, b.Name) }) {
		m.listed[p] = &listed{entries: list}
	}
	return slices.Clone(list), nil
}

func (m *mount) Read(_ context.Context, p string, limit int64) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if data, ok := m.ahead[p]; ok {
		delete(m.ahead, p)
		if limit >= 0 && int64(len(data)) > limit {
			return nil, tree.ErrTooLarge
		}
		return data, nil
	}
	next := m.next(p)
	frame := binary.AppendVarint(m.call(readOp, p), limit)
	for _, p := range next {
		frame = appendText(frame, p)
	}
	r, err := m.calls.do(frame)
	if err != nil {
		return nil, err
	}
	data := r.bytes()
	for _, p := range next {
		if r.byte() == byte(okStatus) {
			m.ahead[p] = r.bytes()
		}
	}
	return data, r.end()
}

// maxAhead bounds how many files are read ahead at once, and aheadBytes how large each may be.
const (
	maxAhead   = 64
	aheadBytes = 64 << 10
)

// next returns the files that are probably read after p: those that follow in a folder that was listed, once a second
// file of it is read, twice as many each time. Nobody depends on more by that: who lists a folder depends on the id of
// it, and so on the content of its files.
func (m *mount) next(p string) []string {
	folder, ok := m.listed[folderOf(p)]
	if !ok {
		return nil
	}
	i, found := folder.find(p)
	if folder.reads++; !found || folder.reads < 2 {
		return nil
	}
	var paths []string
	room := maxCall - len(p) - 64
	for _, e := range folder.entries[i+1:] {
		at := tree.Join(folderOf(p), e.Name)
		if room -= len(at) + binary.MaxVarintLen64; room < 0 || len(paths) >= min(1<<min(folder.reads, 10), maxAhead) {
			break
		}
		if (e.Mode == tree.File || e.Mode == tree.Executable) && e.Size <= aheadBytes {
			paths = append(paths, at)
		}
	}
	return paths
}

// facts are what the caller knows of the destination cluster.
type facts struct{ calls *calls }

func (f facts) KubeVersion(context.Context) (string, error) {
	r, err := f.calls.do(append(newFrame(), byte(kubeVersionOp)))
	if err != nil {
		return "", err
	}
	version := r.text()
	return version, r.end()
}

func (f facts) APIVersions(context.Context) ([]string, error) {
	r, err := f.calls.do(append(newFrame(), byte(apiVersionsOp)))
	if err != nil {
		return nil, err
	}
	versions := make([]string, 0, r.number(uint64(len(r.rest))))
	for range cap(versions) {
		versions = append(versions, r.text())
	}
	if err := r.end(); err != nil {
		return nil, fmt.Errorf("the API versions: %w", err)
	}
	return versions, nil
}
