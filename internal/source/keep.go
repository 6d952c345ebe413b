// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"encoding/base64"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// keepRefs holds one ref for each owner and commit that the owner wants kept. The owner's name is encoded: names of
// Applications may hold what names of refs must not.
const keepRefs = "refs/bowline/keep/"

func keepRef(owner, commit string) string {
	return keepRefs + base64.RawURLEncoding.EncodeToString([]byte(owner)) + "/" + commit
}

func splitKeep(ref string) (owner, commit string, ok bool) {
	rest, ok := strings.CutPrefix(ref, keepRefs)
	if !ok {
		return "", "", false
	}
	encoded, commit, ok := strings.Cut(rest, "/")
	name, err := base64.RawURLEncoding.DecodeString(encoded)
	return string(name), commit, ok && err == nil
}

// noteKeep remembers a wish; the caller holds disk.
func (m *mirror) noteKeep(owner, commit string) {
	if m.keep[owner] == nil {
		m.keep[owner] = map[string]bool{}
	}
	m.keep[owner][commit] = true
}

// setKeep replaces the commits that an owner wants kept. Commits that are not ready are remembered and kept from
// the moment they are. Refs that nobody needs any more are removed later and together: one too many costs nothing.
func (m *mirror) setKeep(ctx context.Context, owner string, commits []string) error {
	m.disk.Lock()
	defer m.disk.Unlock()
	if err := m.load(ctx); err != nil {
		return err
	}
	wanted := map[string]bool{}
	for _, commit := range commits {
		if wanted[commit] || !IsCommitID(commit) {
			continue
		}
		wanted[commit] = true
		if !m.keep[owner][commit] && m.isReady(commit) {
			if err := m.pin(owner, commit); err != nil {
				return m.storeError(err)
			}
		}
	}
	for commit := range m.keep[owner] {
		if !wanted[commit] {
			m.unneeded[keepRef(owner, commit)] = true
		}
	}
	if m.keep[owner] = wanted; len(wanted) == 0 {
		delete(m.keep, owner)
	}
	if len(m.unneeded) > maxUnneeded {
		return m.dropUnneeded(ctx)
	}
	return nil
}

// maxUnneeded is how many refs wait for their removal.
const maxUnneeded = 500

// pin writes a keep ref the way git does (a lock file, then a rename): a process for each sync of each application
// would cost more than the sync. The caller holds disk.
func (m *mirror) pin(owner, commit string) error {
	ref := keepRef(owner, commit)
	delete(m.unneeded, ref)
	path := filepath.Join(m.gitDir(), filepath.FromSlash(ref))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(path+".lock", []byte(commit+"\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".lock", path)
}

// dropUnneeded removes the refs that nobody needs any more. The caller holds disk.
func (m *mirror) dropUnneeded(ctx context.Context) error {
	var lines strings.Builder
	for ref := range m.unneeded {
		lines.WriteString("delete " + ref + "\n")
	}
	clear(m.unneeded)
	return m.updateRefs(ctx, lines.String())
}

// repin makes the keep refs of commits that became ready just now. The caller holds disk.
func (m *mirror) repin(commits []string) error {
	for owner, wanted := range m.keep {
		for _, commit := range commits {
			if wanted[commit] {
				if err := m.pin(owner, commit); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (m *mirror) updateRefs(ctx context.Context, lines string) error {
	if lines == "" {
		return nil
	}
	if o := m.local(ctx, []byte(lines), "update-ref", "--stdin"); o.err != nil {
		m.sweepDebris()
		return m.localError("keep commits of", o)
	}
	return nil
}

func (m *mirror) isReady(commit string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, ok := m.ready[commit]
	return ok
}

const (
	tidyAbove = 50            // packs; each fetch adds one
	readyLife = 2 * time.Hour // a ready commit that nobody keeps may go when it was not used for so long
)

// tidy drops commits that nobody keeps or uses, and puts the packs of many fetches into one. The caller holds disk,
// so nothing is fetched meanwhile; readers go on, with files that are gone but open.
func (m *mirror) tidy(ctx context.Context) error {
	if !m.untidy() {
		return nil
	}
	if err := errors.Join(m.dropUnneeded(ctx), m.dropUnused(ctx)); err != nil {
		return err
	}
	return m.repack(ctx)
}

func (m *mirror) repack(ctx context.Context) error {
	for _, args := range [][]string{{"pack-refs", "--all"}, {"repack", "-a", "-d", "-l", "-q"}, {"prune", "--expire=now"}} {
		if o := m.local(ctx, nil, args...); o.err != nil {
			m.sweepDebris()
			return m.localError("tidy the mirror of", o)
		}
	}
	return nil
}

func (m *mirror) untidy() bool {
	packs, err := filepath.Glob(filepath.Join(m.gitDir(), "objects", "pack", "*.pack"))
	return err == nil && len(packs) > tidyAbove
}

func (m *mirror) dropUnused(ctx context.Context) error {
	kept := map[string]bool{}
	for _, wanted := range m.keep {
		maps.Copy(kept, wanted)
	}
	m.mu.Lock()
	var lines strings.Builder
	for commit, used := range m.ready {
		if m.store.clock.Since(used) > readyLife && !kept[commit] {
			delete(m.ready, commit)
			lines.WriteString("delete " + readyRefs + commit + "\n")
		}
	}
	m.mu.Unlock()
	return m.updateRefs(ctx, lines.String())
}
