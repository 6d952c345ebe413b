// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/bowline-cd/bowline/internal/tree"
)

// files is the file at a repository's address: a value file or a resource that a source names by its URL.
type files struct {
	shop   *shop
	latest *asked[fileAnswer]
}

// fileAnswer is what the server said last.
type fileAnswer struct{ digest, etag, modified string }

func newFiles(s *shop) *files {
	f := &files{shop: s}
	f.latest = newAsked(s.all.store, f.ask)
	return f
}

// ask asks for the file if it changed since before.
func (f *files) ask(ctx context.Context, before fileAnswer) (fileAnswer, error) {
	out := before
	err := f.shop.asking(ctx, RequestFile, "", func(ctx context.Context) error {
		header := http.Header{}
		if before.digest != "" && f.shop.shelf.has(before.digest) {
			if before.etag != "" {
				header.Set("If-None-Match", before.etag)
			}
			if before.modified != "" {
				header.Set("If-Modified-Since", before.modified)
			}
		}
		answer, err := f.shop.web.get(ctx, f.address(), header) //nolint:bodyclose // drain closes it
		if err != nil {
			return err
		}
		defer drain(answer.Body)
		if answer.StatusCode == http.StatusNotModified && len(header) > 0 {
			return nil
		}
		if answer.StatusCode != http.StatusOK {
			return &UnreachableError{Problem: ProblemInvalidData, Detail: "the server says that a file did not change which it never sent"}
		}
		digest, err := f.shop.saveArchive(answer.Body, "file "+f.shop.repo.String(), "")
		out = fileAnswer{digest, answer.Header.Get("ETag"), answer.Header.Get("Last-Modified")}
		return err
	})
	return out, err
}

// address is the repository's, with its query and without credentials: web sends these.
func (f *files) address() string {
	u, err := url.Parse(f.shop.repo.URL)
	if err != nil {
		return f.shop.repo.URL
	}
	u.User, u.Fragment = nil, ""
	return u.String()
}

// resolve implements goods.
func (f *files) resolve(ctx context.Context, _ Artifact, notBefore time.Time) (Pin, error) {
	answer, err := f.latest.get(ctx, notBefore)
	if err != nil {
		return Pin{}, err
	}
	return Pin{Digest: answer.digest}, nil
}

// stored implements goods.
func (f *files) stored(_ Artifact, p Pin) (tree.Tree, error) { return f.shop.shelf.file(p.Digest) }

// fetch implements goods: the file has to be what it was.
func (f *files) fetch(ctx context.Context, _ Artifact, p Pin) error {
	if f.shop.shelf.has(p.Digest) {
		return nil // somebody fetched it meanwhile
	}
	answer, err := f.latest.get(ctx, f.shop.all.store.clock.Now())
	if err != nil {
		return err
	}
	if answer.digest != p.Digest {
		return unknownRevision(f.shop.repo, p.Digest, "the file changed since it was looked at", "refresh the application to take the new one")
	}
	return nil
}
