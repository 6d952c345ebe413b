// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/tree"
)

// Files of Git LFS are shown by the commits of repositories with Repository.EnableLFS: a pointer file has the content
// that it stands for, fetched at the first read. Its id stays that of the pointer, which fixes the content. Objects are
// held in the part of the data folder that belongs to the repository and its credentials, under their SHA-256: whoever
// writes the oid of another's file into a pointer gets it only if the server gives it to his own credentials.

// artifactLFS is the kind of what is kept of LFS, beside the charts and files of a repository.
const artifactLFS ArtifactKind = "lfs"

// largeFile returns the content of a file whose blob may be a pointer.
func (t *commitTree) largeFile(ctx context.Context, path string, blob []byte, limit int64) ([]byte, error) {
	p, ok := parsePointer(blob)
	switch {
	case !ok && limit >= 0 && int64(len(blob)) > limit:
		return nil, tree.ErrTooLarge
	case !ok:
		return blob, nil
	case p.extended:
		return nil, t.lfsFault(path, fault.Mistake, errors.New("its Git LFS pointer uses extensions, which only programs of its author understand"), "store it without them")
	case limit >= 0 && p.size > limit:
		return nil, tree.ErrTooLarge
	}
	shop, err := t.lfsShop(ctx)
	if err != nil {
		return nil, t.lfsFault(path, fault.KindOf(err), err, "")
	}
	if most := shop.limits().Archive; p.size > most {
		return nil, t.lfsFault(path, fault.Mistake, fmt.Errorf("the Git LFS object has %d bytes, more than the limit of %d", p.size, most), "make it smaller, or raise "+archiveSetting)
	}
	key := cacheKey{t.mirror.key, "lfs " + p.oid}
	if known, ok := t.mirror.store.cache.get(key); ok {
		if content, ok := known.([]byte); ok && int64(len(content)) == p.size {
			return slices.Clone(content), nil
		}
	}
	var content []byte
	err = t.patience.wait(ctx, t.mirror.remote.repo, func(ctx context.Context) (err error) {
		content, err = shop.largeObject(ctx, p)
		return err
	})
	if err != nil {
		return nil, t.lfsFault(path, fault.KindOf(err), err, "")
	}
	t.mirror.store.cache.put(key, slices.Clone(content), len(content))
	return content, nil
}

func (t *commitTree) lfsFault(path string, kind fault.Kind, err error, fix string) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &fault.Error{Kind: kind, Op: "read", Thing: "file " + path, Where: "repository " + t.mirror.remote.repo.String(), Err: err, Fix: fix}
}

// lfsShop is where the objects of a repository come from.
type lfsShop struct {
	*shop
	remote   *remote
	endpoint string // address of the LFS API; "" if it is asked for over SSH
}

// lfsShop opens it at first. The repository's .lfsconfig may name another address on the same host: whoever may push must
// not choose which host is asked from here, nor who sees the credentials.
func (t *commitTree) lfsShop(ctx context.Context) (*lfsShop, error) {
	configured, err := t.lfsConfig(ctx)
	if err != nil {
		return nil, err
	}
	remote, all := t.mirror.remote, t.mirror.store.artifacts
	endpoint, err := lfsEndpoint(remote.endpoint, t.mirror.base(), configured)
	if err != nil {
		return nil, err
	}
	address := cmp.Or(endpoint, "https://"+bracketed(remote.endpoint.host))
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	key := remote.repo.Key() + string(artifactLFS) + fmt.Sprint(originOf(u))
	all.mu.Lock()
	defer all.mu.Unlock()
	if s, ok := all.shops[key]; ok {
		return &lfsShop{s, remote, endpoint}, nil
	}
	s := &shop{all: all, repo: remote.repo, kind: artifactLFS}
	if s.web, err = newWeb(s.repo, address, s.lfsOptions()); err != nil {
		return nil, err
	}
	s.web.credential = remote.login
	if s.shelf, err = newShelf(all.folder(s.repo), filepath.Join(all.store.dir, "scratch"), all.store.clock, all.trees); err != nil {
		return nil, storeFault(err)
	}
	all.shops[key] = s
	return &lfsShop{s, remote, endpoint}, nil
}

func (s *shop) lfsOptions() webOptions {
	options := s.all.store.options
	return webOptions{refuse: options.RefuseAddress, private: options.AllowPrivate, vouched: s.repo.vouched()}
}

const (
	lfsconfig    = ".lfsconfig"
	maxLFSConfig = 64 << 10
)

// lfsConfig returns the address that .lfsconfig names, "" if none.
func (t *commitTree) lfsConfig(ctx context.Context) (string, error) {
	entry, err := t.Lookup(ctx, lfsconfig)
	if errors.Is(err, tree.ErrAbsent) || err == nil && entry.Mode != tree.File && entry.Mode != tree.Executable {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	data, err := t.mirror.blob(ctx, entry.ID, lfsconfig, maxLFSConfig)
	if err != nil {
		return "", t.where(err)
	}
	settings, err := parseConfig(data)
	if err != nil {
		return "", fault.New(fault.Mistake, "", "", lfsconfig, err.Error(), "correct the file")
	}
	address := ""
	for _, s := range settings {
		if s.section == "lfs" && s.key == "url" {
			address = s.value
		}
	}
	return address, nil
}

// lfsEndpoint returns the address of the LFS API of a repository: what is configured, or by the rule of git-lfs the
// repository's address with /info/lfs. It is "" for a repository that is read over SSH, whose host says it (see lfsGrant).
func lfsEndpoint(e endpoint, base, configured string) (string, error) {
	refuse := func(cause, fix string) (string, error) {
		return "", fault.New(fault.Mistake, "use", "Git LFS", "", cause, fix)
	}
	if configured == "" {
		switch e.scheme {
		case "https", "http":
			return strings.TrimSuffix(strings.TrimRight(base, "/"), ".git") + ".git/info/lfs", nil
		case "ssh":
			return "", nil
		}
		return refuse("the repository is on the local disk", "serve it over https")
	}
	other, err := parseEndpoint(configured, false)
	switch {
	case err != nil || !other.overHTTP():
		return refuse("lfs.url in .lfsconfig is not an https address", "write it as https://host/path")
	case e.scheme == "ssh" && other.scheme == "https" && strings.EqualFold(e.host, other.host):
	case !e.overHTTP() || !sameOrigin(base, other.remote):
		return refuse("lfs.url in .lfsconfig names another host than the repository has: "+other.scheme+"://"+other.host, "use an LFS server on the host of the repository")
	}
	return other.remote, nil
}

func sameOrigin(a, b string) bool {
	one, err := url.Parse(a)
	if err != nil {
		return false
	}
	two, err := url.Parse(b)
	return err == nil && originOf(one) == originOf(two)
}
