// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// Want is a part of a tree that will be read.
type Want struct {
	// Path of a file or folder; "" for the root.
	Path string
	// Files limits a folder to the files directly in it. Otherwise everything below is meant.
	Files bool
}

// demand is one call for a commit.
type demand struct {
	commit string
	want   []Want
}

// answerDemands serves one turn of fetching: at most one request for the commits and one for the blobs.
func (m *mirror) answerDemands(ctx context.Context, calls []*call[demand, struct{}]) {
	ctx, cancel := context.WithTimeoutCause(ctx, m.store.options.FetchTimeout,
		unreachable("fetch from", m.remote.repo, ProblemTimeout, "the fetch took longer than "+m.store.options.FetchTimeout.String()))
	defer cancel()
	m.disk.Lock()
	defer m.disk.Unlock()
	if err := m.prepare(ctx); err != nil {
		failAll(calls, err)
		return
	}
	m.fetchCommits(ctx, calls)
	if m.currentMode() != modePlanned {
		return
	}
	m.fetchPlanned(ctx, calls)
}

func failAll[Q, A any](calls []*call[Q, A], err error) {
	for _, c := range calls {
		if c.err == nil {
			c.err = err
		}
	}
}

func (m *mirror) prepare(ctx context.Context) error {
	if err := m.checkOpen(); err != nil {
		return err
	}
	m.mu.Lock()
	broken := m.broken
	m.mu.Unlock()
	if broken {
		m.store.log.Warn("replacing a mirror that lost objects", "repository", m.remote.repo.String())
		if err := m.create(modePlanned); err != nil {
			return m.storeError(err)
		}
	}
	return m.load(ctx)
}

// fetchCommits makes the demanded commits ready. If the server refuses one of several the others are asked for one
// by one: a commit that is gone must not stop a repository.
func (m *mirror) fetchCommits(ctx context.Context, calls []*call[demand, struct{}]) {
	var missing []string
	for _, c := range calls {
		if !m.use(c.question.commit) && !slices.Contains(missing, c.question.commit) {
			missing = append(missing, c.question.commit)
		}
	}
	if len(missing) == 0 {
		return
	}
	err := m.fetchReady(ctx, missing)
	var unknown *UnknownRevisionError
	failures := map[string]error{}
	for _, commit := range missing {
		failures[commit] = err
		if len(missing) > 1 && errors.As(err, &unknown) {
			failures[commit] = m.fetchReady(ctx, []string{commit})
		}
	}
	for _, c := range calls {
		c.err = failures[c.question.commit]
	}
}

// fetchReady fetches commits without their history, and marks them ready. The first fetch of a mirror brings no
// blobs: it shows how large the repository is. A small one is then fetched whole, from then on with one request
// for each commit.
func (m *mirror) fetchReady(ctx context.Context, commits []string) error {
	if m.currentMode() == modeUnknown && m.knownWithoutFilter() {
		if err := m.startOver(modeAll); err != nil {
			return err
		}
	}
	if m.currentMode() != modeUnknown {
		return m.becomeReady(m.fetchObjects(ctx, commits, m.currentMode() == modePlanned))
	}
	// Nobody may read of this first look: the mirror may be made anew in a moment.
	got, wrong := m.fetchObjects(ctx, commits, true)
	if len(got) == 0 {
		return wrong
	}
	small, err := m.small(ctx, got)
	if err != nil {
		return err
	}
	if !small || m.currentMode() == modeAll {
		if err := m.setMode(modeOr(m.currentMode(), modePlanned)); err != nil {
			return err
		}
		return m.becomeReady(got, wrong)
	}
	if err := m.startOver(modeAll); err != nil {
		return err
	}
	return m.becomeReady(m.fetchObjects(ctx, commits, false))
}

// becomeReady lets commits be read.
func (m *mirror) becomeReady(commits []string, err error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, commit := range commits {
		m.ready[commit] = m.store.clock.Now()
	}
	return err
}

// knownWithoutFilter reports whether the server said that it cannot leave blobs out.
func (m *mirror) knownWithoutFilter() bool {
	if m.http == nil {
		return false
	}
	_, filter, known := m.http.server()
	return known && !filter
}

func modeOr(a, b mode) mode {
	if a != modeUnknown {
		return a
	}
	return b
}

func (m *mirror) startOver(wanted mode) error {
	if err := m.create(wanted); err != nil {
		return m.storeError(err)
	}
	m.mu.Lock()
	m.mode = wanted
	m.mu.Unlock()
	return nil
}

// small reports whether all commits together have few enough entries to be fetched whole.
func (m *mirror) small(ctx context.Context, commits []string) (bool, error) {
	total := 0
	for _, commit := range commits {
		n, err := m.count(ctx, commit, m.store.options.SmallRepository)
		if err != nil {
			return false, err
		}
		total = max(total, n)
	}
	return total <= m.store.options.SmallRepository, nil
}

// fetchObjects runs one git fetch for commits. git makes the refs that mark them ready only after it has found
// what it got complete and well-formed, so a fetch that is cut or killed leaves nothing that anybody reads. It returns
// what is there and a commit; the error may be about others.
func (m *mirror) fetchObjects(ctx context.Context, commits []string, withoutBlobs bool) (got []string, err error) {
	args := []string{"fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules", "--force", "--depth=1"}
	if withoutBlobs {
		args = append(args, "--filter=blob:none")
	}
	var refspecs strings.Builder
	for _, commit := range commits {
		refspecs.WriteString(commit + ":" + readyRefs + commit + "\n")
	}
	o, err := m.fetch(ctx, append(args, "--stdin", "--end-of-options", "origin"), refspecs.String(), commits[0])
	if err != nil {
		return nil, err
	}
	if withoutBlobs && m.currentMode() == modeUnknown && strings.Contains(o.stderr, "filtering not recognized") {
		if err := m.setMode(modeAll); err != nil {
			return nil, m.storeError(err)
		}
	}
	kinds, err := m.store.readers.read(ctx, m.readerDir(), commits, false, 0)
	if err != nil {
		return nil, m.storeError(err)
	}
	var wrong error
	for i, o := range kinds {
		switch o.kind {
		case "commit":
			got = append(got, commits[i])
		case "":
			m.store.readers.forget(m.readerDir()) // whoever does not see what was fetched is of no use
			wrong = m.storeError(fmt.Errorf("commit %s was fetched and is not seen", commits[i]))
		default:
			wrong = unknownRevision(m.remote.repo, commits[i], "this id is that of a "+o.kind+", not of a commit", "set targetRevision to a commit")
		}
	}
	m.store.tidyLater(m)
	return got, wrong
}

// fetch runs one git fetch and tells the observer. It retries once on a new mirror if git finds this one damaged.
func (m *mirror) fetch(ctx context.Context, args []string, stdin, what string) (outcome, error) {
	for attempt := 0; ; attempt++ {
		start := m.store.clock.Now()
		o, err := m.store.talkTo(ctx, m.remote, m.base(), command{dir: m.gitDir(), args: args, stdin: []byte(stdin)})
		if err != nil {
			return outcome{}, err
		}
		err = m.fetchError(o, what)
		m.store.observe(Request{Repository: m.remote.repo.String(), Kind: RequestFetch, Revision: what, Took: m.store.clock.Since(start), Err: err})
		if o.err == nil {
			return o, nil
		}
		m.sweepDebris()
		if attempt > 0 || !damaged(o.stderr) || ctx.Err() != nil || !m.failsCheck(ctx) {
			return o, err
		}
		m.store.log.Warn("replacing a damaged mirror", "repository", m.remote.repo.String(), "error", err)
		wanted := modeOr(m.modeOnDisk(), modePlanned)
		before := m.currentMode()
		if err := m.startOver(wanted); err != nil {
			return o, err
		}
		m.mu.Lock()
		m.mode = before
		m.mu.Unlock()
	}
}

// failsCheck asks git whether the mirror itself is at fault: a server that sends nonsense makes git say much the
// same, and must not cost us the commits we keep.
func (m *mirror) failsCheck(ctx context.Context) bool {
	o := m.local(ctx, nil, "fsck", "--connectivity-only", "--no-dangling", "--no-progress")
	return o.err != nil && ctx.Err() == nil
}

func (m *mirror) fetchError(o outcome, what string) error {
	var exit *exec.ExitError
	switch {
	case o.err == nil:
		return nil
	case !errors.As(o.err, &exit):
		if Unreachable(o.err) || errors.Is(o.err, context.Canceled) {
			return o.err
		}
		return unreachable("fetch from", m.remote.repo, ProblemStore, o.err.Error())
	case noSuchObject(o.stderr):
		return unknownRevision(m.remote.repo, what, "the repository has no such commit, or does not give it out", "set targetRevision to a commit that a branch or tag of the repository holds")
	case damaged(o.stderr):
		return unreachable("fetch from", m.remote.repo, ProblemStore, "the mirror is damaged: "+brief(o.stderr))
	}
	return unreachable("fetch from", m.remote.repo, diagnose(o.stderr), brief(o.stderr))
}

// planLife is how long a path stays in a mirror's plan after it was last asked for.
const planLife = 24 * time.Hour

// fetchPlanned brings the blobs of the plan at the demanded commits in one request: of what is demanded now, and
// of what others demanded lately, who will ask for the same commit next.
func (m *mirror) fetchPlanned(ctx context.Context, calls []*call[demand, struct{}]) {
	commits := map[string]bool{}
	for _, c := range calls {
		if c.err == nil {
			m.remember(c.question.want)
			commits[c.question.commit] = true
		}
	}
	plan := m.currentPlan()
	ids := map[string]bool{}
	for commit := range commits {
		if err := m.missingBlobs(ctx, commit, plan, ids); err != nil {
			failAll(calls, err)
			return
		}
	}
	if len(ids) == 0 {
		return
	}
	if err := m.fetchBlobs(ctx, ids); err != nil {
		failAll(calls, err)
		return
	}
	for commit := range commits { // marks what is complete now
		if err := m.missingBlobs(ctx, commit, plan, map[string]bool{}); err != nil {
			failAll(calls, err)
			return
		}
	}
}

// fetchBlobs asks for objects by id. No negotiation: the server must not build deltas on blobs it believes we have.
func (m *mirror) fetchBlobs(ctx context.Context, ids map[string]bool) error {
	args := []string{"-c", "fetch.negotiationAlgorithm=noop", "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance",
		"--no-recurse-submodules", "--filter=blob:none", "--stdin", "--end-of-options", "origin"}
	var lines strings.Builder
	for id := range ids {
		lines.WriteString(id + "\n")
	}
	_, err := m.fetch(ctx, args, lines.String(), fmt.Sprintf("%d files", len(ids)))
	var unknown *UnknownRevisionError
	if errors.As(err, &unknown) {
		// The server serves commits without blobs but refuses blobs by id. Fetch whole commits from now on.
		m.store.log.Info("the server does not serve single files; fetching whole commits", "repository", m.remote.repo.String())
		commits := m.readyCommits()
		if err := m.startOver(modeAll); err != nil {
			return err
		}
		return m.becomeReady(m.fetchObjects(ctx, commits, false))
	}
	return err
}

func (m *mirror) readyCommits() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []string
	for commit := range m.ready {
		out = append(out, commit)
	}
	slices.Sort(out)
	return out
}

func (m *mirror) remember(wants []Want) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range wants {
		m.plan[w] = m.store.clock.Now()
	}
}

func (m *mirror) currentPlan() []Want {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Want
	for w, at := range m.plan {
		if m.store.clock.Since(at) > planLife {
			delete(m.plan, w)
			continue
		}
		out = append(out, w)
	}
	return out
}
