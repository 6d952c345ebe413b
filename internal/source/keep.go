// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// keepers are the commits that owners want kept, in memory and in a file of the mirror. The ref that makes a commit
// ready holds it; keepers say which of these refs must stay. A ref for each owner and commit would be simpler, but
// git looks at all refs in every fetch, and five thousand owners with ten commits each would make that slow.
//
// The file has a line for each change: the owner in base64, then all its commits. The last line of an owner counts.
// A last line that is cut is as if it was not written.
type keepers struct {
	path   string
	owners map[string][]string
	lines  int
	file   *os.File
}

// openKeepers reads the file at path if there is one.
func openKeepers(path string) (*keepers, error) {
	k := &keepers{path: path, owners: map[string][]string{}}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return k, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	r := bufio.NewReader(f)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return k, k.compact()
		}
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		owner, err := base64.RawURLEncoding.DecodeString(fields[0])
		if err == nil {
			k.put(string(owner), slices.DeleteFunc(fields[1:], func(id string) bool { return !IsCommitID(id) }))
		}
	}
}

func (k *keepers) put(owner string, commits []string) {
	if len(commits) == 0 {
		delete(k.owners, owner)
		return
	}
	k.owners[owner] = commits
}

// set replaces the commits of an owner.
func (k *keepers) set(owner string, commits []string) error {
	if slices.Equal(k.owners[owner], commits) {
		return nil
	}
	k.put(owner, commits)
	if k.lines > 2*len(k.owners)+1000 {
		return k.compact()
	}
	if k.file == nil {
		var err error
		if k.file, err = os.OpenFile(k.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
			return err
		}
	}
	k.lines++
	_, err := k.file.WriteString(keepLine(owner, commits))
	return err
}

func keepLine(owner string, commits []string) string {
	return strings.Join(append([]string{base64.RawURLEncoding.EncodeToString([]byte(owner))}, commits...), " ") + "\n"
}

// compact writes the file anew, with a line for each owner.
func (k *keepers) compact() error {
	k.close()
	var b strings.Builder
	for owner, commits := range k.owners {
		b.WriteString(keepLine(owner, commits))
	}
	k.lines = len(k.owners)
	if err := os.WriteFile(k.path+".new", []byte(b.String()), 0o600); err != nil {
		return err
	}
	return os.Rename(k.path+".new", k.path)
}

func (k *keepers) close() {
	if k.file != nil {
		_ = k.file.Close()
		k.file = nil
	}
}

// all returns every commit that somebody keeps.
func (k *keepers) all() map[string]bool {
	kept := map[string]bool{}
	for _, commits := range k.owners {
		for _, commit := range commits {
			kept[commit] = true
		}
	}
	return kept
}

// setKeep replaces the commits that an owner wants kept. Commits that are not ready are kept from the moment they are.
func (m *mirror) setKeep(ctx context.Context, owner string, commits []string) error {
	m.disk.Lock()
	defer m.disk.Unlock()
	if err := m.load(ctx); err != nil {
		return err
	}
	commits = slices.DeleteFunc(slices.Clone(commits), func(id string) bool { return !IsCommitID(id) })
	slices.Sort(commits)
	if err := m.keepers.set(owner, slices.Compact(commits)); err != nil {
		return m.storeError(err)
	}
	return nil
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
	if err := m.dropUnused(ctx); err != nil {
		return err
	}
	return m.repack(ctx)
}

func (m *mirror) untidy() bool {
	packs, err := filepath.Glob(filepath.Join(m.gitDir(), "objects", "pack", "*.pack"))
	return err == nil && len(packs) > tidyAbove
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

func (m *mirror) dropUnused(ctx context.Context) error {
	kept := m.keepers.all()
	var gone []string
	m.mu.Lock()
	for commit, used := range m.ready {
		if m.store.clock.Since(used) > readyLife && !kept[commit] {
			delete(m.ready, commit)
			gone = append(gone, "delete "+readyRefs+commit+"\n")
		}
	}
	m.mu.Unlock()
	if len(gone) == 0 {
		return nil
	}
	if o := m.local(ctx, []byte(strings.Join(gone, "")), "update-ref", "--stdin"); o.err != nil {
		m.sweepDebris()
		return m.localError("drop old commits of", o)
	}
	return nil
}
