// SPDX-License-Identifier: Apache-2.0

package app

import (
	"bytes"
	"compress/flate"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
)

// The sealed folders of the data folder, and how much each may hold.
const (
	rendersFolder  = "renders"
	rendersBytes   = 256 << 20
	acceptedFolder = "accepted"
	acceptedBytes  = 64 << 20
)

// sealedFolder keeps entries in a folder of the data folder, each in a file of its own, encrypted with a key derived from
// server.secretkey of argocd-secret. Without a key it keeps nothing. It implements desired.Cache.
//
// What does not fit its key is as good as nothing: whoever can write to the folder can make something be worked out
// again, and nothing else.
type sealedFolder struct {
	dir   string
	what  string // the entries, for messages: the folder's name
	limit int64
	log   *slog.Logger
	clock clock.PassiveClock

	mu       sync.Mutex
	key      *cacheKey
	keyless  bool // it was said that there is no key
	files    map[string]*keptFile
	bytes    int64
	rejected int64
}

// keptFile is one file of the folder.
type keptFile struct {
	size int64
	used time.Time
}

// cacheKey encrypts and authenticates.
type cacheKey struct {
	id   []byte // says which key it is, and nothing about it
	aead cipher.AEAD
}

// The form of a file: magic, id of the key, nonce, sealed content. The name of the entry is authenticated with it, so
// that files cannot be swapped.
const (
	cacheMagic = "bowline render 1\n" // of all folders: whose a file is the key says
	keyIDSize  = 8
	newPrefix  = "new-"
)

func newSealedFolder(data, what string, limit int64, log *slog.Logger, c clock.PassiveClock) (*sealedFolder, error) {
	r := &sealedFolder{dir: filepath.Join(data, what), what: what, limit: limit, log: log, clock: c, files: map[string]*keptFile{}}
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder for what is kept as %s: %w", what, err)
	}
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		return nil, fmt.Errorf("look what is kept as %s: %w", what, err)
	}
	for _, e := range entries {
		info, err := e.Info()
		switch {
		case err != nil || !info.Mode().IsRegular():
		case strings.HasPrefix(e.Name(), newPrefix):
			_ = os.Remove(filepath.Join(r.dir, e.Name())) // a write that did not come to its end
		default:
			r.files[e.Name()] = &keptFile{info.Size(), info.ModTime()}
			r.bytes += info.Size()
		}
	}
	r.evict()
	return r, nil
}

// SetKey has entries encrypted with a key derived from a secret. What another key encrypted is not read any more. An
// empty secret ends the keeping.
func (r *sealedFolder) SetKey(secret fault.Secret) error {
	key, err := deriveKey(secret, r.what)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.key = key
	return nil
}

func deriveKey(secret fault.Secret, what string) (*cacheKey, error) {
	if secret.Empty() {
		return nil, nil
	}
	material, err := hkdf.Key(sha256.New, []byte(secret.Reveal()), nil, "bowline kept "+what, 32+keyIDSize)
	if err != nil {
		return nil, fmt.Errorf("derive the key of kept %s: %w", what, err)
	}
	block, err := aes.NewCipher(material[:32])
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	return &cacheKey{id: material[32:], aead: aead}, err
}

// current returns the key; nil if there is none, which is said once.
func (r *sealedFolder) current() *cacheKey {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.key == nil && !r.keyless {
		r.keyless = true
		r.log.Warn("argocd-secret has no server.secretkey: nothing is kept in the data folder, and a restart renders and compares every application again", "what", r.what)
	}
	return r.key
}

func fileOf(key string) string { return string(object.DigestBytes([]byte(key))) }

// Load implements desired.Cache.
func (r *sealedFolder) Load(key string) ([]byte, error) {
	k := r.current()
	if k == nil {
		return nil, nil
	}
	name := fileOf(key)
	sealed, err := r.read(name)
	if err != nil || sealed == nil {
		return nil, err
	}
	data, err := k.open(key, sealed, r.limit)
	if err != nil {
		r.reject(name, err)
		return nil, nil
	}
	r.touch(name)
	return data, nil
}

// Save implements desired.Cache.
func (r *sealedFolder) Save(key string, data []byte) error {
	name := fileOf(key)
	if data == nil {
		return r.remove(name)
	}
	k := r.current()
	if k == nil {
		return nil
	}
	sealed, err := k.seal(key, data)
	if err != nil {
		return err
	}
	if int64(len(sealed)) > r.limit {
		return r.remove(name) // what was kept before is of no use either
	}
	return r.write(name, sealed)
}

func (r *sealedFolder) read(name string) ([]byte, error) {
	f, err := os.Open(filepath.Join(r.dir, name)) //nolint:gosec // a digest
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, r.limit+1))
}

// write replaces a file. A reader sees the old content or the new one, never half of one.
func (r *sealedFolder) write(name string, sealed []byte) error {
	f, err := os.CreateTemp(r.dir, newPrefix+"*") // of mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(sealed)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(r.dir, name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget(name)
	r.files[name] = &keptFile{int64(len(sealed)), r.clock.Now()}
	r.bytes += int64(len(sealed))
	r.evict()
	return nil
}

func (r *sealedFolder) remove(name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget(name)
	if err := os.Remove(filepath.Join(r.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// forget takes a file out of the account. It is called with the lock held.
func (r *sealedFolder) forget(name string) {
	if f := r.files[name]; f != nil {
		r.bytes -= f.size
		delete(r.files, name)
	}
}

// touch notes that a file was used, on disk too: the next process has to know what was used last.
func (r *sealedFolder) touch(name string) {
	now := r.clock.Now()
	_ = os.Chtimes(filepath.Join(r.dir, name), now, now)
	r.mu.Lock()
	defer r.mu.Unlock()
	if f := r.files[name]; f != nil {
		f.used = now
	}
}

// evict removes what was not used for longest until a tenth of the room is free, once it is full. It is called with the
// lock held, or before anybody knows the cache.
func (r *sealedFolder) evict() {
	if r.bytes <= r.limit {
		return
	}
	names := make([]string, 0, len(r.files))
	for name := range r.files {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return r.files[a].used.Compare(r.files[b].used) })
	for _, name := range names {
		if r.bytes <= r.limit-r.limit/10 {
			return
		}
		r.forget(name)
		_ = os.Remove(filepath.Join(r.dir, name))
	}
}

// reject removes a file that cannot be trusted.
func (r *sealedFolder) reject(name string, err error) {
	if errors.Is(err, errOtherKey) {
		r.log.Debug("what was kept was encrypted with another key", "what", r.what, "file", name)
	} else {
		r.log.Warn("what was kept was changed or damaged: it is removed and worked out again", "what", r.what, "file", name, "error", err)
		r.mu.Lock()
		r.rejected++
		r.mu.Unlock()
	}
	if err := r.remove(name); err != nil {
		r.log.Warn("remove what was kept", "what", r.what, "file", name, "error", err)
	}
}

// sealedStats says what is kept.
type sealedStats struct {
	Files    int
	Bytes    int64
	Rejected int64 // files that were changed or damaged, since the start
}

// Stats returns what is kept now.
func (r *sealedFolder) Stats() sealedStats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return sealedStats{len(r.files), r.bytes, r.rejected}
}

var (
	errOtherKey = errors.New("it is of another key")
	errDamaged  = errors.New("it is not what was written")
)

// compressors are used again: each is more than a megabyte, and at a start thousands of entries are sealed.
var compressors = sync.Pool{New: func() any {
	w, err := flate.NewWriter(io.Discard, flate.BestSpeed)
	if err != nil {
		panic(err) // the level is a constant
	}
	return w
}}

// seal compresses, encrypts and authenticates an entry under its name.
func (k *cacheKey) seal(name string, data []byte) ([]byte, error) {
	var packed bytes.Buffer
	w := compressors.Get().(*flate.Writer)
	defer compressors.Put(w)
	w.Reset(&packed)
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	nonce := make([]byte, k.aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	head := slices.Concat([]byte(cacheMagic), k.id, nonce)
	return k.aead.Seal(head, nonce, packed.Bytes(), []byte(name)), nil
}

// open is the reverse of seal. An entry of more than limit bytes is damaged.
func (k *cacheKey) open(name string, sealed []byte, limit int64) ([]byte, error) {
	rest, ok := bytes.CutPrefix(sealed, []byte(cacheMagic))
	if !ok || len(rest) < keyIDSize+k.aead.NonceSize() {
		return nil, errDamaged
	}
	if !bytes.Equal(rest[:keyIDSize], k.id) {
		return nil, errOtherKey
	}
	nonce, body := rest[keyIDSize:keyIDSize+k.aead.NonceSize()], rest[keyIDSize+k.aead.NonceSize():]
	packed, err := k.aead.Open(nil, nonce, body, []byte(name))
	if err != nil {
		return nil, errDamaged
	}
	data, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), 16*limit+1))
	if err != nil || int64(len(data)) > 16*limit {
		return nil, errDamaged
	}
	return data, nil
}
