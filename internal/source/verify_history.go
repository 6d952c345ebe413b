// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// keptHistory is where commits are kept whose history was fetched to be checked.
const keptHistory = "refs/bowline/verify/"

// fetchAncestry brings a commit and all before it, without files, into the repository beside the mirror.
func (m *mirror) fetchAncestry(ctx context.Context, commit string) error {
	m.disk.Lock()
	defer m.disk.Unlock()
	if err := m.prepare(ctx); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(m.historyDir(), keptHistory+commit)); err == nil {
		return nil
	}
	if err := m.fetchBeside(ctx, m.historyDir(), "the history of "+commit, "--no-prune", commit+":"+keptHistory+commit); err != nil {
		return err
	}
	return m.tidyHistory(ctx)
}

// keptHistories is how many commits stay named in the history. One is enough to fetch only what is new.
const keptHistories = 100

// tidyHistory keeps the history from growing by a file and a pack with each commit that is checked. The caller holds disk.
func (m *mirror) tidyHistory(ctx context.Context) error {
	packs, err := filepath.Glob(filepath.Join(m.historyDir(), "objects", "pack", "*.pack"))
	if err != nil || len(packs) <= tidyAbove {
		return err
	}
	kept := filepath.Join(m.historyDir(), keptHistory)
	entries, err := os.ReadDir(kept)
	if err != nil {
		return m.storeError(err)
	}
	made := func(d fs.DirEntry) time.Time {
		info, err := d.Info()
		if err != nil {
			return time.Time{}
		}
		return info.ModTime()
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return made(b).Compare(made(a)) })
	for _, d := range entries[min(keptHistories, len(entries)):] {
		_ = os.Remove(filepath.Join(kept, d.Name()))
	}
	o := m.store.local(ctx, m.historyDir(), nil, "repack", "-a", "-d", "-l", "-q")
	if o.err != nil {
		sweep(m.historyDir())
		return m.localError("tidy the history of", o)
	}
	return nil
}

// history checks a commit and all before it, back to sealed ones.
func (c check) history(ctx context.Context, commit string) (verdict, error) {
	if err := c.mirror.fetchAncestry(ctx, commit); err != nil {
		return verdict{}, err
	}
	w := newWalk(c, true)
	if err := w.from(ctx, commit); err != nil {
		return verdict{}, err
	}
	if len(w.wrong) > 0 && w.shortened {
		// A seal below what was found good before may vouch for a commit that failed now.
		w = newWalk(c, false)
		if err := w.from(ctx, commit); err != nil {
			return verdict{}, err
		}
	}
	if err := w.forgive(ctx, commit); err != nil {
		return verdict{}, err
	}
	return w.verdict(), nil
}

// walk goes through a history from its newest commit.
type walk struct {
	check
	trust bool // stop at commits whose history was found good before
	seen  map[string]bool

	seals     []string // parents of sealed commits
	wrong     []SignatureFailure
	ids       []string // of the commits that wrong is about
	until     time.Time
	shortened bool // it stopped at such a commit
}

func newWalk(c check, trust bool) *walk {
	return &walk{check: c, trust: trust, seen: map[string]bool{}}
}

// walkBatch is how many commits are read at a time.
const walkBatch = 1000

func (w *walk) from(ctx context.Context, commit string) error {
	todo := []string{commit}
	w.seen[commit] = true
	for len(todo) > 0 {
		now := todo[:min(walkBatch, len(todo))]
		objects, err := w.mirror.store.readers.read(ctx, w.mirror.historyDir(), now, true, maxCommit)
		if err != nil {
			return cmp.Or(context.Cause(ctx), w.mirror.storeError(err))
		}
		var next []string
		for i, o := range objects {
			if o.kind != "commit" || o.data == nil {
				w.mirror.forgetHistory(commit)
				return w.mirror.storeError(errHistory)
			}
			next = append(next, w.visit(now[i], o.data)...)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		todo = append(next, todo[len(now):]...)
	}
	return nil
}

// visit checks a commit and returns those before it that are to be checked too.
func (w *walk) visit(id string, data []byte) []string {
	o := signedCommit(id, data)
	failure, until := w.object(o)
	if failure != nil {
		w.wrong, w.ids = append(w.wrong, *failure), append(w.ids, id)
	}
	w.until = earliest(w.until, until)
	if failure == nil && o.seal() {
		w.seals = append(w.seals, o.parents...)
		return nil
	}
	var next []string
	for _, parent := range o.parents {
		if w.seen[parent] || !IsCommitID(parent) {
			continue
		}
		w.seen[parent] = true
		if known, ok := w.recall("commit " + parent); ok && known.wrong == nil && w.trust {
			w.until, w.shortened = earliest(w.until, known.until), true
			continue
		}
		next = append(next, parent)
	}
	return next
}

// forgive drops failures of commits that a seal vouches for and that were reached on a way around it.
func (w *walk) forgive(ctx context.Context, commit string) error {
	if len(w.wrong) == 0 || len(w.seals) == 0 {
		return nil
	}
	input := commit + "\n^" + strings.Join(w.seals, "\n^") + "\n"
	o := w.mirror.store.local(ctx, w.mirror.historyDir(), []byte(input), "rev-list", "--stdin")
	if o.err != nil {
		return w.mirror.localError("read the history of", o)
	}
	due := map[string]bool{}
	for id := range strings.FieldsSeq(string(o.stdout)) {
		due[id] = true
	}
	var wrong []SignatureFailure
	for i, id := range w.ids {
		if due[id] {
			wrong = append(wrong, w.wrong[i])
		}
	}
	w.wrong = wrong
	return nil
}

// verdict tells of each key's failures once, and of the first ones only.
func (w *walk) verdict() verdict {
	if len(w.wrong) == 0 {
		return verdict{until: w.until}
	}
	out := &SignatureError{}
	told := map[string]bool{}
	for _, f := range w.wrong {
		same := f.Key != "" && told[f.Key+string(f.State)]
		told[f.Key+string(f.State)] = true
		if same || len(out.Failures) == maxFailures {
			out.More++
			continue
		}
		out.Failures = append(out.Failures, f)
	}
	return verdict{wrong: out}
}

// forgetHistory makes the next check fetch the history of a commit again.
func (m *mirror) forgetHistory(commit string) {
	m.disk.Lock()
	defer m.disk.Unlock()
	_ = os.Remove(filepath.Join(m.historyDir(), keptHistory+commit))
}
