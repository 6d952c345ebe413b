// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"path"
	"slices"
	"strings"
)

// MemoryFile is a file or link of an in-memory Tree.
type MemoryFile struct {
	Content string
	Mode    Mode // File if zero
}

// Memory returns a Tree of files held in memory: for overlays and tests. Keys are clean paths.
func Memory(files map[string]MemoryFile) Tree {
	m := &memory{entries: map[string]Entry{}, content: map[string]string{}, children: map[string][]Entry{}}
	m.entries[""] = Entry{Mode: Dir}
	for p, f := range files {
		m.add(p, f)
	}
	m.seal("")
	return m
}

type memory struct {
	entries  map[string]Entry
	content  map[string]string
	children map[string][]Entry
}

func (m *memory) add(p string, f MemoryFile) {
	mode := f.Mode
	if mode == 0 {
		mode = File
	}
	m.entries[p] = Entry{Name: path.Base(p), Mode: mode, ID: hashOf(f.Content), Size: int64(len(f.Content))}
	m.content[p] = f.Content
	for dir := parent(p); dir != ""; dir = parent(dir) {
		m.entries[dir] = Entry{Name: path.Base(dir), Mode: Dir, Size: -1}
	}
}

// seal gives every folder its children and an id made of theirs.
func (m *memory) seal(dir string) string {
	var list []Entry
	for p, e := range m.entries {
		if p == "" || parent(p) != dir {
			continue
		}
		if e.Mode == Dir {
			e.ID = m.seal(p)
			m.entries[p] = e
		}
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	var sum strings.Builder
	for _, e := range list {
		sum.WriteString(e.Name + "\x00" + string(rune('0'+e.Mode)) + e.ID + "\n")
	}
	m.children[dir] = list
	self := m.entries[dir]
	self.ID = hashOf(sum.String())
	m.entries[dir] = self
	return self.ID
}

func (m *memory) Root() string { return m.entries[""].ID }

func (m *memory) Lookup(_ context.Context, p string) (Entry, error) {
	e, ok := m.entries[p]
	if !ok {
		return Entry{}, ErrAbsent
	}
	return e, nil
}

func (m *memory) List(_ context.Context, p string) ([]Entry, error) {
	list, ok := m.children[p]
	if !ok {
		return nil, ErrAbsent
	}
	return list, nil
}

func (m *memory) Read(_ context.Context, p string, limit int64) ([]byte, error) {
	content, ok := m.content[p]
	if !ok {
		return nil, ErrAbsent
	}
	if limit >= 0 && int64(len(content)) > limit {
		return nil, ErrTooLarge
	}
	return []byte(content), nil
}

func parent(p string) string {
	if i := strings.LastIndexByte(p, '/'); i >= 0 {
		return p[:i]
	}
	return ""
}

func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
