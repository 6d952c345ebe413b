// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"k8s.io/utils/clock"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/tree"
)

// Store holds the mirrors of one data folder. It is safe for concurrent use.
type Store struct {
	dir     string
	home    string
	key     []byte
	options Options
	clock   clock.WithTicker
	log     *slog.Logger
	readers *readers
	cache   *cache
	slots   chan struct{} // one element for each git that talks to a repository
	places  chan struct{} // one element for each other git that is at work
	tokens  *tokens
	// artifacts are charts, what registries have, and files.
	artifacts *artifacts

	base   context.Context // ends with Close
	cancel context.CancelFunc
	lock   *os.File
	work   sync.WaitGroup

	mu      sync.Mutex
	mirrors map[string]*mirror
}

// NewStore opens the Store in dir, which it makes with mode 0700. Only one Store can have it open.
func NewStore(dir string, options Options) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	s := &Store{dir: dir, home: filepath.Join(dir, "home"), options: withDefaults(options), mirrors: map[string]*mirror{}}
	s.clock, s.log = s.options.Clock, s.options.Logger
	if err := checkGit(); err != nil {
		return nil, err
	}
	if err := s.prepareFolder(); err != nil {
		return nil, fault.Wrap(fault.Stalled, "open", "the data folder "+dir, err, "give a folder that this user may write to and no other Bowline uses")
	}
	s.base, s.cancel = context.WithCancel(context.Background())
	s.slots, s.places = make(chan struct{}, maxGits), make(chan struct{}, maxLocalGits)
	s.tokens = newTokens(s.clock, s.tokenClient)
	s.readers, s.cache = newReaders(s.options.Readers, s.home), newCache(s.options.CacheBytes)
	s.artifacts = newArtifacts(s)
	return s, nil
}

// Close ends everything that runs. Trees of this Store answer no more.
func (s *Store) Close() error {
	s.cancel()
	s.readers.close()
	s.work.Wait()
	s.artifacts.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.mirrors {
		m.close()
	}
	return s.lock.Close()
}

// mirror returns the mirror of a repository, which it opens at first.
func (s *Store) mirror(r Repository) (*mirror, error) {
	if s.base.Err() != nil {
		return nil, errors.New("the store is closed")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := r.Key()
	if m, ok := s.mirrors[key]; ok {
		return m, nil
	}
	remote, err := newRemote(r, remoteSettings{allowFile: s.options.AllowFile, home: s.home, scratch: filepath.Join(s.dir, "scratch"), refuse: s.options.RefuseAddress, tokens: s.tokens})
	if err != nil {
		return nil, err
	}
	if remote.endpoint.scheme == "file" && within(remote.endpoint.path, s.dir) {
		return nil, fault.New(fault.Forbidden, "use", "repository "+r.String(), "", "it lies in the data folder", "use another folder")
	}
	m, err := newMirror(s, remote)
	if err != nil {
		return nil, err
	}
	s.mirrors[key] = m
	return m, nil
}

func within(path, dir string) bool {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	if target, err := filepath.EvalSymlinks(dir); err == nil {
		dir = target
	}
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
}

func (s *Store) observe(r Request) {
	if s.options.Observe != nil {
		s.options.Observe(r)
	}
}

// Refs asks the repository for its refs now. Calls that come together share one request, which begins after they came.
// A failure is an *UnreachableError.
func (s *Store) Refs(ctx context.Context, r Repository) (Refs, error) {
	m, err := s.mirror(r)
	if err != nil {
		return Refs{}, err
	}
	return m.asking.ask(ctx, struct{}{})
}

// Resolve returns the commit of a revision. It goes by refs not older than Options.RefsAge, and asks if there are
// none, or if they do not have the revision. Commits by id are fetched, so that a wrong id is found here.
// Errors: *UnreachableError if the repository cannot be asked, *UnknownRevisionError if it has no such revision.
func (s *Store) Resolve(ctx context.Context, r Repository, revision Revision) (string, error) {
	m, err := s.mirror(r)
	if err != nil {
		return "", err
	}
	if IsCommitID(revision.Name) {
		commit := strings.ToLower(revision.Name)
		return commit, m.ensure(ctx, commit, nil)
	}
	m.expect(revision)
	if refs, ok := m.recentRefs(s.options.RefsAge); ok {
		if commit, err := refs.Resolve(revision); err == nil {
			return commit, nil
		}
	}
	refs, err := s.Refs(ctx, r)
	if err != nil {
		return "", err
	}
	return s.ResolveIn(ctx, refs, revision)
}

// ResolveIn returns the commit of a revision in refs that were asked for before. Only short commit ids that no ref
// points to need the repository.
func (s *Store) ResolveIn(ctx context.Context, refs Refs, revision Revision) (string, error) {
	commit, err := refs.Resolve(revision)
	if err == nil || !shortID.MatchString(revision.Name) || IsCommitID(revision.Name) {
		return commit, err
	}
	if _, found, _ := refs.named(revision.Name); found {
		return "", err // an ambiguous name
	}
	m, err := s.mirror(refs.Repository)
	if err != nil {
		return "", err
	}
	return m.completeID(ctx, revision.Name)
}

// fetchEach brings commits into the mirror in one request, and returns an error for each that could not be had.
func (s *Store) fetchEach(ctx context.Context, r Repository, commits []string) map[string]error {
	failures := map[string]error{}
	if len(commits) == 0 {
		return failures // of a repository that may not be Git
	}
	m, err := s.mirror(r)
	if err != nil {
		for _, commit := range commits {
			failures[commit] = err
		}
		return failures
	}
	calls := make([]demand, 0, len(commits))
	for _, commit := range commits {
		if IsCommitID(commit) && m.use(commit) {
			continue
		}
		calls = append(calls, demand{commit: commit})
	}
	for i, err := range m.ensureAll(ctx, calls) {
		if err != nil {
			failures[calls[i].commit] = err
		}
	}
	return failures
}

// Tree returns the files of a commit, after fetching what of want is not there. Reads outside of want may give a
// *MissingError in a large repository; ask again with them added. An empty want plans nothing but the folders.
// Submodules are shown as such unless an option says otherwise (see WithSubmodules).
func (s *Store) Tree(ctx context.Context, r Repository, commit string, want []Want, options ...TreeOption) (tree.Tree, error) {
	var o treeOptions
	for _, set := range options {
		set(&o)
	}
	if o.open == nil {
		return s.commitTree(ctx, r, commit, want)
	}
	return s.moduleTree(ctx, r, commit, want, o)
}

// commitTree returns the files of a commit that are in the repository itself.
func (s *Store) commitTree(ctx context.Context, r Repository, commit string, want []Want) (*commitTree, error) {
	m, err := s.mirror(r)
	if err != nil {
		return nil, err
	}
	if r.EnableLFS {
		want = append(slices.Clone(want), Want{Path: lfsconfig})
	}
	if err := m.ensure(ctx, commit, want); err != nil {
		return nil, err
	}
	parsed, err := m.readCommit(ctx, commit)
	if err != nil {
		return nil, (&commitTree{mirror: m, commit: commit}).where(err)
	}
	return &commitTree{mirror: m, commit: commit, root: parsed.tree, lfs: r.EnableLFS, patience: newPatience(s.options.ReadTimeout)}, nil
}

// Changed returns the paths of files, links and submodules that differ between two commits, sorted. Both are
// fetched if they are not there. That there are too many to list is an error.
func (s *Store) Changed(ctx context.Context, r Repository, from, to string) ([]string, error) {
	m, err := s.mirror(r)
	if err != nil {
		return nil, err
	}
	var trees [2]string
	for i, commit := range []string{from, to} {
		if err := m.ensure(ctx, commit, nil); err != nil {
			return nil, err
		}
		parsed, err := m.readCommit(ctx, commit)
		if err != nil {
			return nil, (&commitTree{mirror: m, commit: commit}).where(err)
		}
		trees[i] = parsed.tree
	}
	var found changes
	if err := m.changed(ctx, trees[0], trees[1], "", &found); err != nil {
		return nil, (&commitTree{mirror: m, commit: to}).where(err)
	}
	slices.Sort(found.paths)
	return found.paths, nil
}

// Keep makes commits stay in the mirror whatever happens to the repository's branches. They replace what the owner
// kept before; none means that it keeps nothing. Commits that are not in the mirror are kept once they are.
func (s *Store) Keep(ctx context.Context, r Repository, owner string, commits []string) error {
	m, err := s.mirror(r)
	if err != nil {
		return err
	}
	return m.setKeep(ctx, owner, commits)
}

// Commit returns what a commit says of itself, and the tags that point to it by the refs last seen.
func (s *Store) Commit(ctx context.Context, r Repository, commit string) (CommitInfo, error) {
	m, err := s.mirror(r)
	if err != nil {
		return CommitInfo{}, err
	}
	if err := m.ensure(ctx, commit, nil); err != nil {
		return CommitInfo{}, err
	}
	parsed, err := m.readCommit(ctx, commit)
	if err != nil {
		return CommitInfo{}, (&commitTree{mirror: m, commit: commit}).where(err)
	}
	m.mu.Lock()
	parsed.info.Tags = m.refs.Tags(commit)
	m.mu.Unlock()
	return parsed.info, nil
}

// Forget closes the mirror of a repository and removes it, and what else was got from there: Trees of it answer no more.
// For credentials that are gone.
func (s *Store) Forget(r Repository) error {
	s.mu.Lock()
	m, ok := s.mirrors[r.Key()]
	delete(s.mirrors, r.Key())
	s.mu.Unlock()
	err := s.artifacts.forget(r)
	if !ok {
		return errors.Join(err, os.RemoveAll(filepath.Join(s.dir, "mirrors", r.digest(s.key))))
	}
	return errors.Join(err, m.forget())
}

// Retain removes every mirror, open or left by an earlier process, but those of the given repositories and of the
// submodules that were looked into lately.
func (s *Store) Retain(repositories []Repository) error {
	wanted, folders := map[string]bool{}, map[string]bool{}
	for _, r := range repositories {
		wanted[r.Key()], folders[r.digest(s.key)] = true, true
	}
	var gone []*mirror
	s.mu.Lock()
	s.addModules(wanted, folders)
	for key, m := range s.mirrors {
		if !wanted[key] {
			gone = append(gone, m)
			delete(s.mirrors, key)
		}
	}
	s.mu.Unlock()
	all := []error{s.artifacts.retain(wanted, folders)}
	for _, m := range gone {
		all = append(all, m.forget())
	}
	left, err := os.ReadDir(filepath.Join(s.dir, "mirrors"))
	all = append(all, err)
	for _, d := range left {
		if !folders[d.Name()] {
			all = append(all, os.RemoveAll(filepath.Join(s.dir, "mirrors", d.Name())))
		}
	}
	return errors.Join(all...)
}

// tidyLater tidies a mirror in the background if it needs it.
func (s *Store) tidyLater(m *mirror) {
	if s.base.Err() != nil || !m.untidy() {
		return
	}
	s.work.Go(func() {
		m.disk.Lock()
		defer m.disk.Unlock()
		ctx, cancel := context.WithTimeout(s.base, s.options.FetchTimeout)
		defer cancel()
		if err := m.tidy(ctx); err != nil && s.base.Err() == nil {
			s.log.Warn("cannot tidy a mirror", "repository", m.remote.repo.String(), "error", err)
		}
	})
}
