// SPDX-License-Identifier: Apache-2.0

package scene

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/bowline-cd/bowline/test/gitserver"
)

// host is where all repositories of the scene are.
const host = "https://git.example.org"

// Hosting serves the repositories of the scene.
type Hosting struct {
	git     *gitserver.Server
	proxy   *gitserver.Proxy
	commits map[string][]string // of each repository, oldest first
}

// Host makes the repositories below a folder, a temporary one if empty, and serves them. Those that are there are served as they are.
func Host(root string) (*Hosting, error) {
	git, err := gitserver.Start(gitserver.Options{Root: root, TLS: true, OtherName: true})
	if err != nil {
		return nil, err
	}
	proxy, err := gitserver.StartProxy(strings.TrimPrefix(git.URL, "https://"), "", "")
	if err != nil {
		git.Close()
		return nil, err
	}
	h := &Hosting{git: git, proxy: proxy, commits: map[string][]string{}}
	now := time.Now().UTC()
	for _, name := range slices.Sorted(maps.Keys(repositories)) {
		if err := h.fill(name, now); err != nil {
			h.Close()
			return nil, fmt.Errorf("repository %s: %w", name, err)
		}
	}
	return h, nil
}

// fill makes a repository and its commits; one that is there is only read.
func (h *Hosting) fill(name string, now time.Time) error {
	repo, err := h.git.Create(name)
	if err != nil {
		return err
	}
	if known, err := repo.Log("main"); err == nil {
		h.commits[name] = known
		return nil
	}
	for _, c := range repositories[name]() {
		id, err := repo.Commit(gitserver.Change{Message: c.message, Author: c.author, At: now.Add(-c.ago), Files: c.files, Delete: c.gone})
		if err != nil {
			return err
		}
		h.commits[name] = append(h.commits[name], id)
	}
	return nil
}

// Commit changes files of a repository, now.
func (h *Hosting) Commit(name, author, message string, files map[string]string) (string, error) {
	repo, err := h.git.Create(name)
	if err != nil {
		return "", err
	}
	return repo.Commit(gitserver.Change{Message: message, Author: author, Files: files})
}

// Close ends the serving.
func (h *Hosting) Close() {
	h.proxy.Close()
	h.git.Close()
}

// commit is one in the past of a repository.
type commit struct {
	author, message string
	ago             time.Duration
	files           map[string]string
	gone            []string
}

// Those who commit.
const (
	ana   = "Ana Ferreira <ana@example.org>"
	bjorn = "Björn Lindqvist <bjorn@example.org>"
	chidi = "Chidi Okafor <chidi@example.org>"
	dana  = "Dana Kowalski <dana@example.org>"
	bot   = "Image Bot <bot@example.org>"
)

const day = 24 * time.Hour
