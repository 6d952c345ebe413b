// SPDX-License-Identifier: Apache-2.0

package source

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	// freshBlob is how long what was used lately is never removed: somebody may be about to read it.
	freshBlob = time.Hour
	// keepName is the file on a shelf that says which owner needs what.
	keepName = "keep"
)

// KeepArtifacts makes what was pinned stay in the data folder, for histories and rollbacks. The pins replace what the owner
// kept of the repository before; none means that it keeps nothing. Pins that were not fetched are kept once they are.
func (s *Store) KeepArtifacts(r Repository, owner string, pins []Pin) error {
	var digests []string
	for _, p := range pins {
		if digits, ok := digestHex(p.Digest); ok {
			digests = append(digests, digits)
		}
	}
	slices.Sort(digests)
	s.artifacts.collecting.Lock()
	defer s.artifacts.collecting.Unlock()
	keep, err := s.artifacts.keepersOf(r, len(digests) > 0)
	if err != nil || keep == nil {
		return err
	}
	if err := keep.set(owner, slices.Compact(digests)); err != nil {
		return storeFault(err)
	}
	return nil
}

// keepersOf returns who keeps what of a repository; the caller holds collecting. Without create it is nil if nobody kept
// anything yet.
func (all *artifacts) keepersOf(r Repository, create bool) (*keepers, error) {
	dir := all.folder(r)
	if k, ok := all.keepers[dir]; ok {
		return k, nil
	}
	path := filepath.Join(dir, keepName)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && !create {
		return nil, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, storeFault(err)
	}
	k, err := openKeepers(path)
	if err != nil {
		return nil, storeFault(err)
	}
	all.keepers[dir] = k
	return k, nil
}

// grew counts what was stored, and makes room when it may be too much.
func (all *artifacts) grew(size int64) {
	if all.unseen.Add(size) < all.store.options.ArtifactBytes/8 || all.store.base.Err() != nil {
		return
	}
	all.unseen.Store(0)
	all.store.work.Go(func() {
		if err := all.collect(); err != nil && all.store.base.Err() == nil {
			all.store.log.Warn("cannot make room for artifacts", "error", err)
		}
	})
}

// storedBlob is one blob on one shelf with what was made of it.
type storedBlob struct {
	dir    string // of the shelf
	digits string
	used   time.Time
	size   int64
}

// collect removes what nobody keeps and nobody used for long, and more of it, the longest unused first, while all together
// is larger than Options.ArtifactBytes.
func (all *artifacts) collect() error {
	all.collecting.Lock()
	defer all.collecting.Unlock()
	folders, err := filepath.Glob(filepath.Join(all.dir, "*"))
	if err != nil {
		return err
	}
	var blobs []storedBlob
	var total int64
	for _, dir := range folders {
		found, err := all.unkept(dir)
		if err != nil {
			return err
		}
		blobs = append(blobs, found...)
		total += sizeOf(dir)
	}
	slices.SortFunc(blobs, func(a, b storedBlob) int { return a.used.Compare(b.used) })
	now, options := all.store.clock.Now(), all.store.options
	for _, b := range blobs {
		unused := now.Sub(b.used)
		if unused < freshBlob || unused < options.ArtifactLife && total <= options.ArtifactBytes {
			continue
		}
		all.remove(b)
		total -= b.size
	}
	for _, dir := range folders {
		all.removeEmpty(dir)
	}
	return nil
}

// removeEmpty removes a shelf on which nothing was put for long and nothing is.
func (all *artifacts) removeEmpty(dir string) {
	info, err := os.Stat(filepath.Join(dir, "blobs"))
	if err != nil || all.store.clock.Since(info.ModTime()) < all.store.options.ArtifactLife {
		return
	}
	for _, path := range []string{filepath.Join(dir, "blobs"), filepath.Join(dir, "packs"), dir} {
		if os.Remove(path) != nil { // it is not empty
			return
		}
	}
}

// unkept lists the blobs of a shelf that no owner needs.
func (all *artifacts) unkept(dir string) ([]storedBlob, error) {
	kept, err := all.kept(dir)
	if err != nil {
		return nil, err
	}
	files, err := os.ReadDir(filepath.Join(dir, "blobs"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []storedBlob
	for _, f := range files {
		info, err := f.Info()
		if err != nil || kept[f.Name()] {
			continue
		}
		b := storedBlob{dir: dir, digits: f.Name(), used: info.ModTime(), size: info.Size()}
		for _, pack := range b.packs() {
			if info, err := os.Stat(pack); err == nil {
				b.size += info.Size()
			}
		}
		out = append(out, b)
	}
	return out, nil
}

// kept are the blobs of a shelf that owners need: those that they name, and the layers of manifests among these.
func (all *artifacts) kept(dir string) (map[string]bool, error) {
	k, ok := all.keepers[dir]
	if !ok {
		var err error
		if k, err = openKeepers(filepath.Join(dir, keepName)); err != nil {
			return nil, err
		}
		defer k.close()
	}
	out := k.all()
	for digits := range k.all() {
		path := filepath.Join(dir, "blobs", digits)
		if info, err := os.Stat(path); err != nil || info.Size() > maxManifest {
			continue
		}
		content, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		if m, err := parseManifest(content); err == nil {
			for _, l := range m.Layers {
				out[strings.TrimPrefix(l.Digest, "sha256:")] = true
			}
		}
	}
	return out, nil
}

func (b storedBlob) packs() []string {
	path := filepath.Join(b.dir, "packs", b.digits)
	return []string{path, path + ".strip"}
}

func (all *artifacts) remove(b storedBlob) {
	_ = os.Remove(filepath.Join(b.dir, "blobs", b.digits))
	for _, pack := range b.packs() {
		_ = os.Remove(pack)
		all.trees.forget(pack)
	}
}

// sizeOf adds up the files of a shelf.
func sizeOf(dir string) (total int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				total += info.Size()
			}
		}
		return nil
	})
	return total
}

// forget closes what is open of a repository and removes what was got from it.
func (all *artifacts) forget(r Repository) error {
	all.mu.Lock()
	for key, s := range all.shops {
		if s.repo.Key() == r.Key() {
			s.web.close()
			delete(all.shops, key)
		}
	}
	all.mu.Unlock()
	return all.removeFolder(filepath.Base(all.folder(r)))
}

func (all *artifacts) removeFolder(name string) error {
	all.collecting.Lock()
	defer all.collecting.Unlock()
	dir := filepath.Join(all.dir, name)
	if k, ok := all.keepers[dir]; ok {
		k.close()
		delete(all.keepers, dir)
	}
	all.trees.forgetBelow(dir + string(filepath.Separator))
	return os.RemoveAll(dir)
}

// retain removes all but what was got from some repositories.
func (all *artifacts) retain(wanted map[string]bool, folders map[string]bool) error {
	all.mu.Lock()
	for key, s := range all.shops {
		if !wanted[s.repo.Key()] {
			s.web.close()
			delete(all.shops, key)
		}
	}
	all.mu.Unlock()
	left, err := os.ReadDir(all.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	failures := []error{err}
	for _, d := range left {
		if !folders[d.Name()] {
			failures = append(failures, all.removeFolder(d.Name()))
		}
	}
	return errors.Join(failures...)
}

// close ends what is open.
func (all *artifacts) close() {
	all.mu.Lock()
	for _, s := range all.shops {
		s.web.close()
	}
	all.mu.Unlock()
	all.collecting.Lock()
	defer all.collecting.Unlock()
	for _, k := range all.keepers {
		k.close()
	}
}
