// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// answerRefs serves one turn of asking: one listing for all who wait.
func (m *mirror) answerRefs(ctx context.Context, calls []*call[struct{}, Refs]) {
	refs, err := m.listRefs(ctx)
	for _, c := range calls {
		c.answer, c.err = refs, err
	}
}

func (m *mirror) listRefs(ctx context.Context) (Refs, error) {
	if err := m.checkOpen(); err != nil {
		return Refs{}, err
	}
	timeout := m.store.options.RefsTimeout
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, unreachable("list the refs of", m.remote.repo, ProblemTimeout, "no answer within "+timeout.String()))
	defer cancel()
	at := m.store.clock.Now()
	list := m.listByGit
	if m.http != nil {
		list = m.listByHTTP
	}
	found, err := list(ctx)
	m.store.observe(Request{Repository: m.remote.repo.String(), Kind: RequestLsRemote, Took: m.store.clock.Since(at), Err: err})
	if err != nil {
		return Refs{}, err
	}
	refs := Refs{Repository: m.remote.repo, At: at, Head: found.head, commits: found.commits, tags: found.tags}
	m.mu.Lock()
	m.refs = refs
	m.mu.Unlock()
	return refs, nil
}

func (m *mirror) listByHTTP(ctx context.Context) (parsedRefs, error) {
	m.mu.Lock()
	more := slices.Sorted(maps.Keys(m.morePrefix))
	m.mu.Unlock()
	return m.http.list(ctx, more)
}

func (m *mirror) listByGit(ctx context.Context) (parsedRefs, error) {
	// The mirror may not exist yet; ls-remote needs a place to run in, not a repository.
	o, err := m.store.talkTo(ctx, m.remote, m.base(), command{dir: m.store.home, args: []string{"ls-remote", "--symref", "--end-of-options", "origin"},
		env: []string{"GIT_CEILING_DIRECTORIES=" + m.store.dir}})
	if err != nil {
		return parsedRefs{}, err
	}
	var exit *exec.ExitError
	switch {
	case o.err == nil:
	case errors.As(o.err, &exit):
		return parsedRefs{}, unreachable("list the refs of", m.remote.repo, diagnose(o.stderr), brief(o.stderr))
	case Unreachable(o.err), errors.Is(o.err, context.Canceled):
		return parsedRefs{}, o.err
	default:
		return parsedRefs{}, unreachable("list the refs of", m.remote.repo, ProblemStore, o.err.Error())
	}
	refs, err := parseLsRemote(o.stdout)
	if err != nil {
		return parsedRefs{}, unreachable("list the refs of", m.remote.repo, ProblemInvalidData, fmt.Sprintf("what git printed cannot be read: %v", err))
	}
	return refs, nil
}

// base is the address that git is given.
func (m *mirror) base() string {
	if m.http != nil {
		if base, _, ok := m.http.server(); ok {
			return base
		}
	}
	return m.remote.endpoint.remote
}

// expect notes refs that are neither branches nor tags, so that they are listed.
func (m *mirror) expect(revision Revision) {
	name := revision.Name
	if !strings.HasPrefix(name, "refs/") || strings.HasPrefix(name, "refs/heads/") || strings.HasPrefix(name, "refs/tags/") || control.MatchString(name) {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.morePrefix[name] = true
}

// recentRefs returns the refs last seen if they are not older than age, or somebody asks regularly and vouches for them.
func (m *mirror) recentRefs(age time.Duration) (Refs, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.forgotten || m.refs.At.IsZero() {
		return Refs{}, false
	}
	return m.refs, m.store.clock.Since(m.refs.At) <= max(age, m.vouched)
}

// vouch says for how long refs count as recent, because they are asked for again before.
func (m *mirror) vouch(age time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.vouched = age
}

// ensure makes a commit ready with the blobs of want.
func (m *mirror) ensure(ctx context.Context, commit string, want []Want) error {
	if err := m.checkCommit(commit); err != nil {
		return err
	}
	for range 3 { // a mirror may be replaced between the fetch and the look
		if done, err := m.has(ctx, commit, want); done || err != nil {
			return err
		}
		if _, err := m.fetching.ask(ctx, demand{commit: commit, want: want}); err != nil {
			return err
		}
	}
	return unreachable("fetch from", m.remote.repo, ProblemStore, "commit "+commit+" does not stay in the mirror")
}

func (m *mirror) checkCommit(commit string) error {
	if !IsCommitID(commit) {
		return unknownRevision(m.remote.repo, commit, "this is not the whole id of a commit", "resolve it first")
	}
	return m.checkOpen()
}

// ensureAll makes several commits ready in one turn and returns an error for each.
func (m *mirror) ensureAll(ctx context.Context, demands []demand) []error {
	failures := make([]error, len(demands))
	var calls []*call[demand, struct{}]
	var index []int
	for i, d := range demands {
		if failures[i] = m.checkCommit(d.commit); failures[i] == nil {
			calls, index = append(calls, &call[demand, struct{}]{question: d}), append(index, i)
		}
	}
	m.fetching.askAll(ctx, calls)
	for i, c := range calls {
		failures[index[i]] = c.err
	}
	return failures
}

// has reports whether a commit is ready with the blobs of want.
func (m *mirror) has(ctx context.Context, commit string, want []Want) (bool, error) {
	if !m.use(commit) {
		return false, nil
	}
	if m.currentMode() != modePlanned || len(want) == 0 {
		return true, nil
	}
	m.remember(want)
	missing := map[string]bool{}
	err := m.missingBlobs(ctx, commit, want, missing)
	var lost *MissingError
	if errors.As(err, &lost) {
		return false, nil
	}
	return len(missing) == 0, err
}
