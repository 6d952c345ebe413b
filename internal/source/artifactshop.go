// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/bowline-cd/bowline/internal/tree"
)

// artifacts are the repositories of a Store that are not Git.
type artifacts struct {
	store  *Store
	dir    string
	trees  *treeCache
	limits atomic.Pointer[ArtifactLimits]
	slots  chan struct{} // one element for each download

	mu    sync.Mutex
	shops map[string]*shop

	collecting sync.Mutex          // guards what follows, and that what is removed is needed by nobody
	keepers    map[string]*keepers // by the folder of a shelf
	unseen     atomic.Int64        // bytes stored since room was last made
}

const (
	openTrees = 256     // trees held, with an open file each
	openNames = 200_000 // names of all of them together
	// openShops is from how many repositories on those are dropped that nobody asked for in idleShop.
	openShops = 1000
	idleShop  = 20 * time.Minute
	// maxDownloads bounds the archives that are fetched at a time.
	maxDownloads = 32
)

func newArtifacts(s *Store) *artifacts {
	a := &artifacts{store: s, dir: filepath.Join(s.dir, "artifacts"), trees: newTreeCache(openTrees, openNames), shops: map[string]*shop{}, keepers: map[string]*keepers{}, slots: make(chan struct{}, maxDownloads)}
	limits := s.options.ArtifactLimits.withDefaults()
	a.limits.Store(&limits)
	a.unseen.Store(s.options.ArtifactBytes) // what an earlier process left is not counted yet
	return a
}

// shop is one repository as it is asked for artifacts of one kind: what it said lately and what was got from it. Who has the
// key of one repository never sees what was got with that of another.
type shop struct {
	all   *artifacts
	repo  Repository
	kind  ArtifactKind
	shelf *shelf
	web   *web
	what  goods
	used  time.Time // when it was last asked for; guarded by artifacts.mu

	vouched   atomic.Int64 // time.Duration for which answers count as recent
	downloads singleflight.Group
}

// goods is what differs between HTTP chart repositories, registries and files.
type goods interface {
	// resolve finds out what an artifact is, by answers to requests that began at notBefore or later.
	resolve(ctx context.Context, a Artifact, notBefore time.Time) (Pin, error)
	// stored returns the tree of a pin, or errNotStored.
	stored(a Artifact, p Pin) (tree.Tree, error)
	// fetch brings what a pin needs into the shelf.
	fetch(ctx context.Context, a Artifact, p Pin) error
}

// shop returns the shop of a repository, which it opens at first.
func (all *artifacts) shop(r Repository, kind ArtifactKind) (*shop, error) {
	if all.store.base.Err() != nil {
		return nil, errors.New("the store is closed")
	}
	key := fmt.Sprint(r.Key(), kind, inRegistry(r, kind), r.vouched())
	now := all.store.clock.Now()
	all.mu.Lock()
	defer all.mu.Unlock()
	s, ok := all.shops[key]
	if !ok {
		s = &shop{all: all, repo: r, kind: kind}
		if err := s.open(); err != nil {
			return nil, err
		}
		all.shops[key] = s
		all.closeIdle(now)
	}
	s.used = now
	return s, nil
}

// closeIdle drops what is known of repositories that nobody asked for lately, when there are many: addresses of files stand in
// what others write, so there is no end to them. The caller holds mu.
func (all *artifacts) closeIdle(now time.Time) {
	if len(all.shops) <= openShops {
		return
	}
	for key, s := range all.shops {
		if now.Sub(s.used) > idleShop && !s.used.IsZero() {
			s.web.close()
			delete(all.shops, key)
		}
	}
}

func (s *shop) open() error {
	store := s.all.store
	options := webOptions{
		refuse: store.options.RefuseAddress, private: store.options.AllowPrivate,
		vouched: s.repo.vouched(), outside: s.kind == ArtifactFile || s.kind == artifactElsewhere,
	}
	address := s.repo.URL
	registry := inRegistry(s.repo, s.kind)
	if registry {
		place, err := parseRegistry(s.repo)
		if err != nil {
			return err
		}
		address = place.address()
	}
	var err error
	if s.web, err = newWeb(s.repo, address, options); err != nil {
		return err
	}
	s.identify()
	if s.shelf, err = newShelf(s.all.folder(s.repo), filepath.Join(store.dir, "scratch"), store.clock, s.all.trees); err != nil {
		return storeFault(err)
	}
	s.shelf.grew = s.all.grew
	switch {
	case registry:
		s.what, err = newOCIRegistry(s)
	case s.kind == ArtifactChart:
		s.what, err = newCharts(s)
	default:
		s.what = newFiles(s)
	}
	return err
}

// identify takes who asks from where tokens that end come from, if the repository has such an identity.
func (s *shop) identify() {
	if s.repo.issuer() == nil {
		return
	}
	tokens := s.all.store.tokens
	s.web.credential = func(ctx context.Context) (login, error) { return tokens.login(ctx, s.repo) }
}

// reject tells that credentials were refused: a token that ends may be worth another.
func (s *shop) reject(ctx context.Context, err error) {
	var u *UnreachableError
	if !errors.As(err, &u) || u.Problem != ProblemAuth || s.repo.issuer() == nil {
		return
	}
	if who, err := s.all.store.tokens.login(ctx, s.repo); err == nil {
		s.all.store.tokens.refused(s.repo, who)
	}
}

func (all *artifacts) folder(r Repository) string {
	return filepath.Join(all.dir, r.digest(all.store.key))
}

// vouched reports whether somebody who may write Secrets named the repository.
func (r Repository) vouched() bool { return r.Declared || r.hasCredentials() }

// trust is how old an answer may be.
func (s *shop) trust() time.Duration {
	return max(s.all.store.options.RefsAge, time.Duration(s.vouched.Load()))
}

func (s *shop) limits() ArtifactLimits { return *s.all.limits.Load() }

func (s *shop) resolve(ctx context.Context, a Artifact, notBefore time.Time) (Pin, error) {
	if err := a.check(s.repo); err != nil {
		return Pin{}, err
	}
	return s.what.resolve(ctx, a, notBefore)
}

func (s *shop) stored(a Artifact, p Pin) (tree.Tree, error) { return s.what.stored(a, p) }

// fetch lets those who want the same share one download, which goes on when one of them gives up.
func (s *shop) fetch(ctx context.Context, a Artifact, p Pin) error {
	return s.share(ctx, "fetch "+p.Digest, func(ctx context.Context) error { return s.what.fetch(ctx, a, p) })
}

// share runs work once for all who call with the same key meanwhile.
func (s *shop) share(ctx context.Context, key string, work func(context.Context) error) error {
	done := s.downloads.DoChan(key, func() (any, error) {
		store := s.all.store
		if store.base.Err() != nil {
			return nil, context.Cause(store.base)
		}
		store.work.Add(1)
		defer store.work.Done()
		timeout := store.options.FetchTimeout
		ctx, cancel := context.WithTimeoutCause(store.base, timeout, unreachable("fetch from", s.repo, ProblemTimeout, "it took longer than "+timeout.String()))
		defer cancel()
		select {
		case s.all.slots <- struct{}{}:
			defer func() { <-s.all.slots }()
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		return nil, work(ctx)
	})
	select {
	case result := <-done:
		return result.Err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// asking bounds one small question to the repository, and tells Options.Observe of it.
func (s *shop) asking(ctx context.Context, kind RequestKind, revision string, ask func(context.Context) error) error {
	store := s.all.store
	timeout := store.options.RefsTimeout
	if kind == RequestIndex || kind == RequestExtract {
		timeout = store.options.FetchTimeout
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, unreachable("ask", s.repo, ProblemTimeout, "no answer within "+timeout.String()))
	defer cancel()
	at := store.clock.Now()
	err := ask(ctx)
	if err != nil {
		op := requestVerbs[kind]
		if kind == RequestExtract {
			op = "fetch " + revision + " from" // the archive may lie anywhere: say which
		}
		err = s.web.failed(ctx, op, err)
		s.reject(ctx, err)
	}
	store.observe(Request{Repository: s.name(), Kind: kind, Revision: revision, Took: store.clock.Since(at), Err: err})
	return err
}

// name is how counts call the repository: of files the server, as there is no end to their addresses.
func (s *shop) name() string {
	if s.kind == ArtifactFile {
		return s.web.own.scheme + "://" + s.web.own.host
	}
	return s.repo.String()
}

// Kinds of requests for artifacts; the last three by the names of Argo CD's metrics about registries.
const (
	RequestIndex    RequestKind = "index"            // the index of a chart repository
	RequestFile     RequestKind = "file"             // a file at an address
	RequestTags     RequestKind = "get-tags"         // the tags of a registry's repository
	RequestManifest RequestKind = "resolve-revision" // what a tag points to
	RequestExtract  RequestKind = "extract"          // an archive
)

var requestVerbs = map[RequestKind]string{
	RequestIndex: "read the index of", RequestFile: "read", RequestTags: "list the tags of", RequestManifest: "resolve a tag of",
}

// save stores content under a digest, and makes room for it.
func (s *shop) save(put func() (string, int64, error)) (string, error) {
	digest, size, err := put()
	var wrong *wrongDigest
	if errors.As(err, &wrong) {
		err = &UnreachableError{Problem: ProblemInvalidData, Detail: wrong.Error()}
	}
	if err == nil {
		s.all.grew(size)
	}
	return digest, err
}

// asked is an answer of a repository that many go by. Those who need a newer one share one request.
type asked[A any] struct {
	turns *turns[time.Time, A]
	now   func() time.Time
	ask   func(ctx context.Context, before A) (A, error)

	mu   sync.Mutex
	at   time.Time // when the request began; zero for none
	last A
}

func newAsked[A any](s *Store, ask func(ctx context.Context, before A) (A, error)) *asked[A] {
	a := &asked[A]{now: s.clock.Now, ask: ask}
	a.turns = newTurns(s.base, a.answer)
	return a
}

// get returns an answer to a request that began at notBefore or later.
func (a *asked[A]) get(ctx context.Context, notBefore time.Time) (A, error) {
	if last, at := a.known(); !at.IsZero() && !at.Before(notBefore) {
		return last, nil
	}
	return a.turns.ask(ctx, notBefore)
}

func (a *asked[A]) known() (A, time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.last, a.at
}

// answer serves one turn, without a request if one that was made meanwhile is new enough for all.
func (a *asked[A]) answer(ctx context.Context, calls []*call[time.Time, A]) {
	var newest time.Time
	for _, c := range calls {
		if c.question.After(newest) {
			newest = c.question
		}
	}
	last, at := a.known()
	var err error
	if at.IsZero() || at.Before(newest) {
		at = a.now()
		if last, err = a.ask(ctx, last); err == nil {
			a.mu.Lock()
			a.last, a.at = last, at
			a.mu.Unlock()
		}
	}
	for _, c := range calls {
		c.answer, c.err = last, err
	}
}
