// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/tree"
)

// shelf is the part of the data folder that holds what was fetched from one repository with one set of credentials:
//
//	blobs/<sha256>            as it was fetched; its name is its digest
//	packs/<sha256>[.strip]    the content of its files, unpacked
//	keep                      which owner needs which of them (see keepers)
//	index, index.json         the index of a chart repository and how it was got
//
// A blob is written under its name when it is whole and its digest is right. It is verified again whenever it is
// read; a pack is only a copy that saves unpacking, and each read of it is verified against the blob it was made from.
type shelf struct {
	dir     string
	scratch string
	clock   clock.Clock
	trees   *treeCache
	grew    func(size int64) // is told of what is unpacked; nil tells nobody

	mu sync.Mutex // guards the files
}

func newShelf(dir, scratch string, clock clock.Clock, trees *treeCache) (*shelf, error) {
	s := &shelf{dir: dir, scratch: scratch, clock: clock, trees: trees}
	return s, s.prepare()
}

// prepare makes the folders of the shelf; empty ones are removed now and then.
func (s *shelf) prepare() error {
	return errors.Join(os.MkdirAll(filepath.Join(s.dir, "blobs"), 0o700), os.MkdirAll(filepath.Join(s.dir, "packs"), 0o700))
}

// place gives a file that is whole its name.
func (s *shelf) place(from, to string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.prepare()
	if err == nil {
		err = os.Rename(from, to)
	}
	if err != nil {
		return storeFault(err)
	}
	return nil
}

var digestForm = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// digestHex returns the digits of a digest of the form sha256:….
func digestHex(digest string) (string, bool) {
	if !digestForm.MatchString(digest) {
		return "", false
	}
	return digest[len("sha256:"):], true
}

func digestOfSum(h hash.Hash) string { return "sha256:" + hex.EncodeToString(h.Sum(nil)) }

func (s *shelf) blob(digest string) string {
	return filepath.Join(s.dir, "blobs", digest[len("sha256:"):])
}

func (s *shelf) pack(digest string, strip bool) string {
	name := filepath.Join(s.dir, "packs", digest[len("sha256:"):])
	if strip {
		name += ".strip"
	}
	return name
}

// wrongDigest says that content is not what was promised.
type wrongDigest struct{ want, got string }

func (e *wrongDigest) Error() string {
	return "what was sent has the digest " + e.got + " and should have " + e.want
}

// put stores what r gives and returns its digest and size. If want is not "" and the digest is another, nothing is stored and
// the error is a *wrongDigest.
func (s *shelf) put(r io.Reader, want string) (digest string, size int64, err error) {
	f, err := os.CreateTemp(s.scratch, "") // mode 0600
	if err != nil {
		return "", 0, storeFault(err)
	}
	defer func() {
		_ = f.Close()
		_ = os.Remove(f.Name())
	}()
	h := sha256.New()
	to := &storeWriter{w: f}
	if size, err = io.Copy(io.MultiWriter(to, h), r); err != nil {
		if to.err != nil {
			err = storeFault(to.err)
		}
		return "", 0, err
	}
	if digest = digestOfSum(h); want != "" && digest != want {
		return "", 0, &wrongDigest{want, digest}
	}
	now := s.clock.Now()
	if err := os.Chtimes(f.Name(), now, now); err != nil {
		return "", 0, storeFault(err)
	}
	return digest, size, s.place(f.Name(), s.blob(digest))
}

// storeWriter remembers whether it was the disk that failed.
type storeWriter struct {
	w   io.Writer
	err error
}

func (s *storeWriter) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	if err != nil {
		s.err = err
	}
	return n, err
}

// storeFault says that the data folder fails: what was asked of a repository may work later.
func storeFault(err error) error {
	return &fault.Error{Kind: fault.Retry, Op: "write", Thing: "the data folder", Fix: consequence[ProblemStore].fix,
		Err: &UnreachableError{Problem: ProblemStore, Detail: err.Error()}}
}

// has reports whether there is a blob of this digest.
func (s *shelf) has(digest string) bool {
	_, err := os.Stat(s.blob(digest))
	return err == nil
}

// read returns a small blob after verifying it; ok is false if there is none or it is damaged, which removes it.
func (s *shelf) read(digest string, limit int64) (content []byte, ok bool) {
	f, err := os.Open(s.blob(digest))
	if err != nil {
		return nil, false
	}
	defer func() { _ = f.Close() }()
	content, err = io.ReadAll(io.LimitReader(f, limit+1))
	sum := sha256.Sum256(content)
	if err != nil || "sha256:"+hex.EncodeToString(sum[:]) != digest {
		s.drop(digest)
		return nil, false
	}
	s.touch(digest)
	return content, true
}

// touch notes that a blob is in use. Once an hour is enough.
func (s *shelf) touch(digest string) {
	path, now := s.blob(digest), s.clock.Now()
	if info, err := os.Stat(path); err == nil && now.Sub(info.ModTime()).Abs() > time.Hour {
		_ = os.Chtimes(path, now, now)
	}
}

// drop removes a blob and what was made of it.
func (s *shelf) drop(digest string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, path := range []string{s.blob(digest), s.pack(digest, false), s.pack(digest, true)} {
		_ = os.Remove(path)
	}
	s.trees.forget(s.pack(digest, false), s.pack(digest, true))
}

// errNotStored says that there is no blob, or none that is whole.
var errNotStored = errors.New("it is not in the data folder")

// file returns the tree that holds a blob as its only file, under the name "file".
func (s *shelf) file(digest string) (tree.Tree, error) {
	s.touch(digest)
	key := s.pack(digest, false)
	return s.trees.get(key, func() (*archiveTree, error) {
		f, err := os.Open(s.blob(digest))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, errNotStored
		}
		if err != nil {
			return nil, storeFault(err)
		}
		h := sha256.New()
		size, err := io.Copy(h, f)
		if err != nil || digestOfSum(h) != digest {
			_ = f.Close()
			s.drop(digest)
			return nil, errNotStored
		}
		only := packed{path: "file", mode: tree.File, size: size, sum: [sha256.Size]byte(h.Sum(nil))}
		return newArchiveTree(f, []packed{only}, func() { s.drop(digest) }), nil
	})
}

// unpacked returns the tree of a stored archive, which it unpacks at first.
func (s *shelf) unpacked(ctx context.Context, digest string, how unpacking) (tree.Tree, error) {
	s.touch(digest)
	return s.trees.get(s.pack(digest, how.strip), func() (*archiveTree, error) { return s.unpack(ctx, digest, how) })
}

func (s *shelf) unpack(ctx context.Context, digest string, how unpacking) (*archiveTree, error) {
	path := s.pack(digest, how.strip)
	if pack, err := os.Open(path); err == nil {
		entries, err := s.list(ctx, digest, io.Discard, how)
		if info, statErr := pack.Stat(); err == nil && statErr == nil && info.Size() == contentSize(entries) {
			return newArchiveTree(pack, entries, s.damagedPack(path)), nil
		}
		_ = pack.Close()
		if err != nil {
			return nil, err
		}
	}
	pack, err := os.CreateTemp(s.scratch, "")
	if err != nil {
		return nil, storeFault(err)
	}
	to := &storeWriter{w: pack}
	entries, err := s.list(ctx, digest, to, how)
	if to.err != nil {
		err = storeFault(to.err)
	}
	if err == nil {
		err = s.place(pack.Name(), path)
	}
	if err != nil {
		_ = pack.Close()
		_ = os.Remove(pack.Name())
		return nil, err
	}
	if s.grew != nil {
		s.grew(contentSize(entries))
	}
	return newArchiveTree(pack, entries, s.damagedPack(path)), nil
}

// list unpacks a blob to out and verifies the whole of it.
func (s *shelf) list(ctx context.Context, digest string, out io.Writer, how unpacking) ([]packed, error) {
	f, err := os.Open(s.blob(digest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNotStored
	}
	if err != nil {
		return nil, storeFault(err)
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	through := io.TeeReader(f, h)
	entries, unpackErr := unpack(ctx, through, out, how)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if _, err := io.Copy(io.Discard, through); err != nil || digestOfSum(h) != digest {
		s.drop(digest)
		return nil, errNotStored
	}
	return entries, unpackErr
}

func (s *shelf) damagedPack(path string) func() {
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		_ = os.Remove(path)
		s.trees.forget(path)
	}
}

// contentSize is the size that a pack of these names has.
func contentSize(entries []packed) int64 {
	var size int64
	for _, e := range entries {
		if e.mode != tree.Dir {
			size = max(size, e.offset+e.size)
		}
	}
	return size
}
