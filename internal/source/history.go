// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"os"
	"path/filepath"
	"strings"
)

// A short commit id can only be completed by who knows all commits. They are fetched into a repository of their own
// beside the mirror, without trees and files, when a short id is asked for: the mirror itself stays without history.

func (m *mirror) historyDir() string { return filepath.Join(m.dir, "history") }

// completeID finds the one commit of the branches and tags whose id begins with short.
func (m *mirror) completeID(ctx context.Context, short string) (string, error) {
	m.disk.Lock()
	defer m.disk.Unlock()
	if err := m.prepare(ctx); err != nil {
		return "", err
	}
	short = strings.ToLower(short)
	if _, err := os.Stat(m.historyDir()); err == nil {
		if id, found, err := m.idInHistory(ctx, short); found {
			return id, err
		}
	}
	if err := m.fetchHistory(ctx); err != nil {
		return "", err
	}
	id, found, err := m.idInHistory(ctx, short)
	if !found {
		return "", unknownRevision(m.remote.repo, short, "there is no branch, tag or commit of this name", "set targetRevision to a branch, tag or commit that exists")
	}
	return id, err
}

// idInHistory looks for commits by prefix. found is true with an error if there are several.
func (m *mirror) idInHistory(ctx context.Context, short string) (id string, found bool, err error) {
	o := m.store.local(ctx, m.historyDir(), nil, "rev-parse", "--disambiguate="+short)
	if o.err != nil {
		return "", false, nil
	}
	ids := strings.Fields(string(o.stdout))
	objects, err := m.kindsInHistory(ctx, ids)
	if err != nil {
		return "", false, err
	}
	for _, c := range objects {
		if id != "" {
			return "", true, unknownRevision(m.remote.repo, short, "several commits begin with it", "write more digits of the commit")
		}
		id = c
	}
	return id, id != "", nil
}

func (m *mirror) kindsInHistory(ctx context.Context, ids []string) (commits []string, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	objects, err := m.store.readers.read(ctx, m.historyDir(), ids, false, 0)
	if err != nil {
		return nil, err
	}
	for _, o := range objects {
		if o.kind == "commit" {
			commits = append(commits, o.id)
		}
	}
	return commits, nil
}

func (m *mirror) fetchHistory(ctx context.Context) error {
	return m.fetchBeside(ctx, m.historyDir(), "the history", "--prune", "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
}

// fetchBeside fetches refs without trees and files into a repository beside the mirror, which it makes if there is
// none. option is one more for git fetch. The caller holds disk.
func (m *mirror) fetchBeside(ctx context.Context, dir, what, option string, refspecs ...string) error {
	if _, err := os.Stat(dir); err != nil {
		if err := skeleton(dir, strings.Replace(configOf[modePlanned], "blob:none", "tree:0", 1)); err != nil {
			return m.storeError(err)
		}
	}
	start := m.store.clock.Now()
	args := []string{"fetch", "--quiet", "--no-tags", option, "--force", "--filter=tree:0",
		"--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules", "--end-of-options", "origin"}
	o, err := m.store.talkTo(ctx, m.remote, m.base(), command{dir: dir, args: append(args, refspecs...)})
	if err != nil {
		return err
	}
	err = m.fetchError(o, what)
	m.store.observe(Request{Repository: m.remote.repo.String(), Kind: RequestFetch, Revision: what, Took: m.store.clock.Since(start), Err: err})
	if o.err != nil {
		sweep(dir)
		if damaged(o.stderr) {
			_ = os.RemoveAll(dir) // cheap to build again, and then surely whole
			m.store.readers.forget(dir)
		}
	}
	return err
}
