// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/bowline-cd/bowline/internal/fault"
)

// index is the index of a chart repository as it was at one moment. It lies on disk; in memory are the versions of the charts
// that somebody asked for.
type index struct {
	file *os.File // stays readable when a newer one takes its place
	meta indexMeta

	mu     sync.Mutex
	charts map[string][]chartVersion
	used   map[string]bool   // names asked for since it came
	sums   map[string]string // URL of an archive without digest to the digest it was found to have
}

// indexMeta is how an index was got, for asking whether it changed.
type indexMeta struct {
	ETag     string `json:"etag,omitempty"`
	Modified string `json:"lastModified,omitempty"`
	Digest   string `json:"digest"` // sha256:… of the file
}

// versions returns what the index has of a chart; none if it does not name it.
func (x *index) versions(chart string) ([]chartVersion, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.used[chart] = true
	if _, ok := x.charts[chart]; !ok {
		if err := x.read(map[string]bool{chart: true}); err != nil {
			return nil, err
		}
	}
	return x.charts[chart], nil
}

func (x *index) names() map[string]bool {
	if x == nil {
		return map[string]bool{}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return maps.Clone(x.used)
}

// indexFile and indexMetaFile are the names on the shelf.
const (
	indexFile     = "index"
	indexMetaFile = "index.json"
)

// askIndex asks for the index if it changed since before. Without a before the one that an earlier process left serves.
func (c *charts) askIndex(ctx context.Context, before *index) (*index, error) {
	if before == nil {
		before = c.leftIndex()
	}
	out := before
	err := c.shop.asking(ctx, RequestIndex, "", func(ctx context.Context) error {
		header := http.Header{"Accept": {"application/yaml, application/json;q=0.9, */*;q=0.5"}}
		if before != nil && before.meta.ETag != "" {
			header.Set("If-None-Match", before.meta.ETag)
		}
		if before != nil && before.meta.Modified != "" {
			header.Set("If-Modified-Since", before.meta.Modified)
		}
		answer, err := c.shop.web.get(ctx, c.indexURL(), header) //nolint:bodyclose // drain closes it
		if err != nil {
			return err
		}
		defer drain(answer.Body)
		if answer.StatusCode == http.StatusNotModified {
			if before == nil {
				return &UnreachableError{Problem: ProblemInvalidData, Detail: "the server says that an index did not change which it never sent"}
			}
			return nil
		}
		out, err = c.takeIndex(answer, before)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// indexURL is the address of the index: below that of the repository, with its query.
func (c *charts) indexURL() string {
	u := *c.base
	u.User, u.Fragment = nil, ""
	u.Path, u.RawPath = strings.TrimSuffix(u.Path, "/")+"/index.yaml", ""
	return u.String()
}

// takeIndex stores an index while it comes, and reads what was asked for of the one before.
func (c *charts) takeIndex(answer *http.Response, before *index) (*index, error) {
	thing := "the index of repository " + c.shop.repo.String()
	limit := c.shop.limits().Index
	body := atMost(answer.Body, limit, tooLarge("read", thing, "its size", byteCount(limit), indexSetting))
	f, err := os.CreateTemp(c.shop.shelf.scratch, "")
	if err != nil {
		return nil, storeFault(err)
	}
	next := newIndex(f, indexMeta{ETag: answer.Header.Get("ETag"), Modified: answer.Header.Get("Last-Modified")})
	keep := false
	defer func() {
		if !keep {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	to, hash := &storeWriter{w: f}, sha256.New()
	if _, err := io.Copy(io.MultiWriter(to, hash), body); err != nil {
		if to.err != nil {
			err = storeFault(to.err)
		}
		return nil, err
	}
	next.meta.Digest = digestOfSum(hash)
	if before != nil && before.meta.Digest == next.meta.Digest {
		before.meta = next.meta // it came again under another tag
		return before, nil
	}
	if err := next.read(before.names()); err != nil {
		return nil, err
	}
	if err := c.keepIndex(next); err != nil {
		return nil, err
	}
	keep = true
	return next, nil
}

func newIndex(f *os.File, meta indexMeta) *index {
	return &index{file: f, meta: meta, charts: map[string][]chartVersion{}, used: map[string]bool{}, sums: map[string]string{}}
}

// read reads the whole file for these charts, so that one that cannot be read is refused when it comes.
func (x *index) read(wanted map[string]bool) error {
	found, err := scanIndex(io.NewSectionReader(x.file, 0, 1<<62), wanted)
	if errors.Is(err, errIndex) {
		return &UnreachableError{Problem: ProblemInvalidData, Detail: err.Error()}
	}
	if err != nil {
		return storeFault(err)
	}
	for name := range wanted {
		x.charts[name] = found[name]
	}
	return nil
}

// keepIndex puts an index in the place of the one before.
func (c *charts) keepIndex(next *index) error {
	dir := c.shop.shelf.dir
	meta, err := json.Marshal(next.meta)
	if err != nil {
		return err
	}
	if err := c.shop.shelf.place(next.file.Name(), filepath.Join(dir, indexFile)); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, indexMetaFile), meta, 0o600); err != nil {
		return storeFault(err)
	}
	return nil
}

// leftIndex returns the index that an earlier process left, if it is still what was got then.
func (c *charts) leftIndex() *index {
	dir := c.shop.shelf.dir
	content, err := os.ReadFile(filepath.Join(dir, indexMetaFile))
	var meta indexMeta
	if err != nil || json.Unmarshal(content, &meta) != nil {
		return nil
	}
	f, err := os.Open(filepath.Join(dir, indexFile))
	if err != nil {
		return nil
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, bufio.NewReader(f)); err != nil || digestOfSum(hash) != meta.Digest {
		_ = f.Close()
		return nil
	}
	return newIndex(f, meta)
}

// parseBase checks the address of an HTTP chart repository.
func parseBase(r Repository) (*url.URL, error) {
	u, err := url.Parse(r.URL)
	if err != nil || u.Host == "" {
		return nil, fault.New(fault.Mistake, "use", "repository "+r.String(), "", "this is not the address of a chart repository", "write it as https://host/path")
	}
	return u, nil
}
