// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bowline-cd/bowline/internal/fault"
)

// mode says which blobs a mirror holds.
type mode string

const (
	modeUnknown mode = ""        // nothing was fetched yet
	modeAll     mode = "all"     // every blob of every ready commit: commits are fetched whole
	modePlanned mode = "planned" // the blobs of planned paths: commits are fetched without blobs
)

// readyRefs holds one ref for each ready commit. git writes it when a fetch has ended and was found whole. The ref keeps
// the commit, whatever becomes of the repository's branches.
const readyRefs = "refs/bowline/commits/"

// mirror is the local copy of one repository. Its folder holds:
//
//	git/     the bare repository that is fetched into
//	reader/  a repository that borrows git/'s objects and knows no remote
//	history/ commits without files, once a short id had to be found or signatures be checked
//	tags/    annotated tags, once their signatures had to be checked
//	keep     which commits owners want kept
type mirror struct {
	store  *Store
	key    string // Repository.Key
	dir    string
	remote *remote
	http   *httpRefs // nil for ssh and file

	asking   *turns[struct{}, Refs]
	fetching *turns[demand, struct{}]

	disk    sync.Mutex // held while git/ changes; guards what follows
	open    bool       // state was read from disk
	keepers *keepers

	mu         sync.Mutex // guards what follows
	mode       mode
	ready      map[string]time.Time // commit to its last use
	refs       Refs
	vouched    time.Duration        // age up to which refs count as recent
	morePrefix map[string]bool      // refs/… outside of branches and tags that were asked for
	plan       map[Want]time.Time   // what was asked for, in modePlanned
	complete   map[string]bool      // ids of trees below which nothing is missing, in modePlanned
	modules    map[string]time.Time // keys of mirrors that show our submodules, with their last use
	forgotten  bool
	broken     bool // an object of a ready commit was missing: to be replaced
}

func newMirror(s *Store, r *remote) (*mirror, error) {
	m := &mirror{store: s, key: r.repo.Key(), remote: r, dir: filepath.Join(s.dir, "mirrors", r.repo.digest(s.key)),
		ready: map[string]time.Time{}, morePrefix: map[string]bool{}, plan: map[Want]time.Time{}, complete: map[string]bool{},
		modules: map[string]time.Time{}}
	m.asking = newTurns(s.base, m.answerRefs)
	m.fetching = newTurns(s.base, m.answerDemands)
	if r.endpoint.overHTTP() {
		var err error
		if m.http, err = newHTTPRefs(r); err != nil {
			return nil, err
		}
	}
	for _, warning := range r.repo.Warnings() {
		s.log.Warn("a repository is not safe to read", "repository", r.repo.String(), "reason", warning)
	}
	return m, nil
}

func (m *mirror) gitDir() string    { return filepath.Join(m.dir, "git") }
func (m *mirror) readerDir() string { return filepath.Join(m.dir, "reader") }

// load reads what an earlier process left, or makes an empty mirror. The caller holds disk.
func (m *mirror) load(ctx context.Context) error {
	if m.open {
		return nil
	}
	if err := os.MkdirAll(m.dir, 0o700); err != nil {
		return m.storeError(err)
	}
	var err error
	if m.keepers, err = openKeepers(filepath.Join(m.dir, "keep")); err != nil {
		return m.storeError(err)
	}
	found := m.modeOnDisk()
	if found == modeUnknown {
		if err := m.create(modePlanned); err != nil {
			return m.storeError(err)
		}
	}
	m.sweepDebris()
	refs, err := m.localRefs(ctx)
	if err != nil {
		if found == modeUnknown {
			return err
		}
		m.store.log.Warn("replacing a damaged mirror", "repository", m.remote.repo.String(), "error", err)
		if err := m.create(modePlanned); err != nil {
			return m.storeError(err)
		}
		found, refs = modeUnknown, nil
	}
	if found != modeUnknown && !slices.ContainsFunc(refs, func(ref string) bool { return strings.HasPrefix(ref, readyRefs) }) {
		if err := m.create(modePlanned); err != nil {
			return m.storeError(err)
		}
		found, refs = modeUnknown, nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mode, m.open = found, true
	for _, ref := range refs {
		if commit, ok := strings.CutPrefix(ref, readyRefs); ok {
			m.ready[commit] = m.store.clock.Now()
		}
	}
	return nil
}

func (m *mirror) localRefs(ctx context.Context) ([]string, error) {
	o := m.local(ctx, nil, "for-each-ref", "--format=%(refname)", "refs/bowline/")
	if o.err != nil {
		return nil, m.localError("read the refs of", o)
	}
	return strings.Fields(string(o.stdout)), nil
}

// local runs git in the mirror without any remote.
func (m *mirror) local(ctx context.Context, stdin []byte, args ...string) outcome {
	return m.store.local(ctx, m.gitDir(), stdin, args...)
}

func (m *mirror) localError(op string, o outcome) error {
	if errors.Is(o.err, context.Canceled) || errors.Is(o.err, context.DeadlineExceeded) {
		return o.err
	}
	return unreachable(op, m.remote.repo, ProblemStore, fmt.Sprintf("git says: %s (%v)", brief(o.stderr), o.err))
}

func (m *mirror) storeError(err error) error {
	return unreachable("store", m.remote.repo, ProblemStore, err.Error())
}

const modeFile = "mode"

func (m *mirror) modeOnDisk() mode {
	data, err := os.ReadFile(filepath.Join(m.gitDir(), modeFile))
	if err != nil {
		return modeUnknown
	}
	if found := mode(strings.TrimSpace(string(data))); found == modeAll || found == modePlanned {
		return found
	}
	return modeUnknown
}

// configOf is the whole configuration of a mirror: the address comes with each command. A mirror without blobs has
// to know a promisor remote, or git would call its own commits incomplete; readers never see this file.
var configOf = map[mode]string{
	modeAll:     "[core]\n\trepositoryformatversion = 0\n\tbare = true\n",
	modePlanned: "[core]\n\trepositoryformatversion = 1\n\tbare = true\n[remote \"origin\"]\n\tpromisor = true\n\tpartialclonefilter = blob:none\n[extensions]\n\tpartialclone = origin\n",
}

// create makes an empty mirror in place of whatever is there. The caller holds disk.
func (m *mirror) create(wanted mode) error {
	m.mu.Lock()
	m.ready, m.complete, m.broken = map[string]time.Time{}, map[string]bool{}, false
	m.mode = modeUnknown
	m.mu.Unlock()
	for _, dir := range []string{m.gitDir(), m.readerDir(), m.historyDir()} {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	m.store.readers.forget(m.readerDir())
	m.store.cache.forget(m.key)
	if err := skeleton(m.gitDir(), configOf[wanted]); err != nil {
		return err
	}
	if err := m.createReader(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(m.gitDir(), modeFile), []byte(wanted), 0o600)
}

// createReader makes the repository that readers run over. It comes into its place with one step, whole: git looks for
// borrowed objects once, so that a reader that began amid would never see any.
func (m *mirror) createReader() error {
	building := m.readerDir() + ".new"
	if err := os.RemoveAll(building); err != nil {
		return err
	}
	if err := skeleton(building, configOf[modeAll]); err != nil {
		return err
	}
	objects, err := filepath.Abs(filepath.Join(m.gitDir(), "objects"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(building, "objects", "info", "alternates"), []byte(objects+"\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(building, m.readerDir())
}

// skeleton makes an empty bare repository as gitrepository-layout(5) has it, without templates and hooks.
func skeleton(dir, config string) error {
	for _, sub := range []string{"objects/info", "objects/pack", "refs/heads"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "HEAD"), []byte("ref: refs/heads/none\n"), 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "config"), []byte(config), 0o600)
}

// setMode turns a mirror without blobs that got them all the same (a server that knows no filter) into a whole one.
func (m *mirror) setMode(wanted mode) error {
	if wanted == modeAll {
		marks, err := filepath.Glob(filepath.Join(m.gitDir(), "objects", "pack", "*.promisor"))
		if err != nil {
			return err
		}
		for _, mark := range marks {
			if err := os.Remove(mark); err != nil {
				return err
			}
		}
		if err := os.WriteFile(filepath.Join(m.gitDir(), "config"), []byte(configOf[wanted]), 0o600); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(m.gitDir(), modeFile), []byte(wanted), 0o600); err != nil {
			return err
		}
	}
	m.mu.Lock()
	m.mode = wanted
	m.mu.Unlock()
	return nil
}

// sweepDebris removes what a killed git left: lock files, which would stop the next one, and half packs, which
// nothing names. The caller holds disk, so no git of ours is at work here.
func (m *mirror) sweepDebris() { sweep(m.gitDir()) }

func sweep(dir string) {
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil //nolint:nilerr // what cannot be read will be said by git
		}
		name := d.Name()
		if strings.HasSuffix(name, ".lock") || strings.HasPrefix(name, "tmp_") || strings.HasPrefix(name, ".tmp-") {
			_ = os.Remove(path)
		}
		return nil
	})
}

// use reports whether a commit is ready, and notes its use.
func (m *mirror) use(commit string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.ready[commit]; !ok || m.broken {
		return false
	}
	m.ready[commit] = m.store.clock.Now()
	return true
}

func (m *mirror) currentMode() mode {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mode
}

// checkOpen refuses the mirror of credentials that are gone.
func (m *mirror) checkOpen() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.forgotten {
		return fault.New(fault.Stalled, "read", "repository "+m.remote.repo.String(), "", "its credentials were removed or changed",
			"set valid credentials in the Secret labelled argocd.argoproj.io/secret-type: repository (or repo-creds) for this address")
	}
	return nil
}

// forget closes the mirror to every reader and removes it from the disk.
func (m *mirror) forget() error {
	m.mu.Lock()
	m.forgotten = true
	m.ready = map[string]time.Time{}
	m.mu.Unlock()
	m.disk.Lock()
	defer m.disk.Unlock()
	m.shut()
	m.store.readers.forget(m.readerDir())
	m.store.cache.forget(m.key)
	return os.RemoveAll(m.dir)
}

// close ends what is open, once the last fetch has ended.
func (m *mirror) close() {
	m.disk.Lock()
	defer m.disk.Unlock()
	m.shut()
}

// shut is close for callers that hold disk.
func (m *mirror) shut() {
	if m.keepers != nil {
		m.keepers.close()
	}
	m.open = false
	if m.http != nil {
		m.http.client.CloseIdleConnections()
	}
}
