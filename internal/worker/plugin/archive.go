// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/tree"
)

// archive is a repository as it is sent: a file that has no name any more.
type archive struct {
	file     *os.File
	size     int64
	checksum string
}

func (a *archive) close() { _ = a.file.Close() }

// maxFile bounds one file: each is in memory while it is packed.
const maxFile = 100 << 20

// blockSize is what the header of an entry takes; it counts too, so that a tree of very many empty files has an end.
const blockSize = 512

// fileTime is the time of all files: the same tree makes the same archive, whenever it is made.
var fileTime = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// pack writes the whole tree, but for exclusions, to a temporary file. It has to be whole before it is sent, because its
// checksum goes ahead of it.
func pack(ctx context.Context, t tree.Tree, options Options) (a *archive, err error) {
	file, err := os.CreateTemp(options.Temp, "bowline-plugin-")
	if err != nil {
		return nil, fault.Wrap(fault.Stalled, "pack", "the repository for a plugin", err, "let Bowline write temporary files")
	}
	defer func() {
		if err != nil {
			_ = file.Close()
		}
	}()
	if err := os.Remove(file.Name()); err != nil {
		return nil, err
	}
	p := newPacker(t, file, options)
	if err := p.folder(ctx, ""); err != nil {
		return nil, err
	}
	if err := p.addLinks(ctx); err != nil {
		return nil, err
	}
	if p.missing != nil {
		return nil, p.missing
	}
	if err := p.finish(); err != nil {
		return nil, fault.Wrap(fault.Retry, "pack", "the repository for a plugin", err, "check the room for temporary files")
	}
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return &archive{file: file, size: size, checksum: hex.EncodeToString(p.sum.Sum(nil))}, nil
}

// packer writes an archive.
type packer struct {
	tree       tree.Tree
	exclusions []string
	left, most int64 // bytes
	links      []string
	missing    error // the first of files that were not fetched

	sum    hash.Hash
	buffer *bufio.Writer
	gzip   *gzip.Writer
	tar    *tar.Writer
}

func newPacker(t tree.Tree, file *os.File, options Options) *packer {
	settings := options.Settings()
	most := settings.MaxTar
	if most <= 0 {
		most = defaultMaxTar
	}
	p := &packer{tree: t, exclusions: settings.Exclusions, left: most, most: most, sum: sha256.New()}
	p.buffer = bufio.NewWriterSize(io.MultiWriter(file, p.sum), 64<<10)
	p.gzip, _ = gzip.NewWriterLevel(p.buffer, gzip.BestSpeed) // the level is valid
	p.tar = tar.NewWriter(p.gzip)
	return p
}

func (p *packer) finish() error {
	return errors.Join(p.tar.Close(), p.gzip.Close(), p.buffer.Flush())
}

// folder adds everything below a folder.
func (p *packer) folder(ctx context.Context, dir string) error {
	entries, err := p.tree.List(ctx, dir)
	if p.passOver(err) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		at := tree.Join(dir, e.Name)
		left, err := p.excluded(at)
		if err != nil {
			return err
		}
		if left {
			continue
		}
		if err := p.entry(ctx, at, e); err != nil {
			return err
		}
	}
	return nil
}

func (p *packer) entry(ctx context.Context, at string, e tree.Entry) error {
	switch e.Mode {
	case tree.Link:
		if p.left -= blockSize + int64(len(at)); p.left < 0 { // they are remembered until the end
			return p.tooLarge(at)
		}
		p.links = append(p.links, at)
		return nil
	case tree.Dir:
		if err := p.add(tar.Header{Typeflag: tar.TypeDir, Name: at + "/", Mode: 0o755}, nil); err != nil {
			return err
		}
		return p.folder(ctx, at)
	case tree.Submodule: // not fetched: an empty folder, as Git leaves it
		return p.add(tar.Header{Typeflag: tar.TypeDir, Name: at + "/", Mode: 0o755}, nil)
	}
	content, err := p.tree.Read(ctx, at, min(p.left, maxFile))
	switch {
	case p.passOver(err):
		return nil
	case errors.Is(err, tree.ErrTooLarge):
		return p.tooLarge(at)
	case err != nil:
		return err
	}
	mode := int64(0o644)
	if e.Mode == tree.Executable {
		mode = 0o755
	}
	return p.add(tar.Header{Typeflag: tar.TypeReg, Name: at, Mode: mode, Size: int64(len(content))}, content)
}

func (p *packer) add(header tar.Header, content []byte) error {
	if p.left -= blockSize + int64(len(header.Name)+len(content)); p.left < 0 {
		return p.tooLarge(strings.TrimSuffix(header.Name, "/"))
	}
	header.ModTime = fileTime
	err := p.tar.WriteHeader(&header)
	if err == nil {
		_, err = p.tar.Write(content)
	}
	return fault.Wrap(fault.Retry, "pack", "file "+header.Name+" for a plugin", err, "check the room for temporary files")
}

func (p *packer) tooLarge(at string) error {
	return fault.New(fault.Mistake, "send", "the repository to a plugin", at,
		fmt.Sprintf("a file may have %d MiB and all together %d MiB", maxFile>>20, p.most>>20),
		"leave files out with reposerver.plugin.tar.exclusions in argocd-cmd-params-cm, or raise bowline.plugin.maxTar in argocd-cm")
}

// excluded reports whether a path is one of those that plugins do not get, by Argo CD's rule: path.Match on the path
// from the root; a folder that matches is left out whole.
func (p *packer) excluded(at string) (bool, error) {
	for _, pattern := range p.exclusions {
		matched, err := path.Match(pattern, at)
		if err != nil {
			return false, fault.New(fault.Stalled, "read", "reposerver.plugin.tar.exclusions", "", fmt.Sprintf("%q is no glob", pattern), "correct it in argocd-cmd-params-cm")
		}
		if matched {
			return true, nil
		}
	}
	return false, nil
}

// addLinks adds the links, after all that they may lead to: argocd-cmp-server sets a link's time through the link, which
// fails while there is nothing at its end. A chain of links becomes links to its end for the same reason.
func (p *packer) addLinks(ctx context.Context) error {
	for _, at := range p.links {
		target, err := p.target(ctx, at)
		if p.passOver(err) {
			continue
		}
		if err != nil {
			return err
		}
		if err := p.add(tar.Header{Typeflag: tar.TypeSymlink, Name: at, Linkname: target, Mode: 0o777}, nil); err != nil {
			return err
		}
	}
	return nil
}

// maxTarget bounds the target of a link, as PATH_MAX does.
const maxTarget = 4096

// target returns what a link says, from its own folder. A link that leads out of the repository is refused, also if what it
// leads through is not there: the plugin might make it.
func (p *packer) target(ctx context.Context, at string) (string, error) {
	content, err := p.tree.Read(ctx, at, maxTarget)
	if errors.Is(err, tree.ErrTooLarge) {
		return "", leadsOut(at, "a path of more than 4096 bytes")
	}
	if err != nil {
		return "", err
	}
	said := string(content)
	if _, ok := tree.Clean(path.Dir(at) + "/" + said); !ok || path.IsAbs(said) || strings.ContainsRune(said, 0) {
		return "", leadsOut(at, said)
	}
	end, _, err := tree.Resolve(ctx, p.tree, at)
	var escape *tree.EscapeError
	switch {
	case errors.As(err, &escape):
		return "", leadsOut(at, said)
	case errors.Is(err, tree.ErrAbsent), errors.Is(err, tree.ErrLinks):
		return said, nil // it leads nowhere, here as there
	case err != nil:
		return "", err
	}
	relative, err := filepath.Rel("/"+path.Dir(at), "/"+end)
	return filepath.ToSlash(relative), err
}

func leadsOut(at, target string) error {
	return fault.New(fault.Mistake, "send", "the repository to a plugin", at, fmt.Sprintf("it is a link to %q, outside of the repository", target),
		"keep links inside the repository, or leave it out with reposerver.plugin.tar.exclusions in argocd-cmd-params-cm")
}

// passOver notes that a file was not fetched yet, and reports whether err says so. Packing goes on, so that whoever fetches
// learns of all that is missing at once: a request for each file would be as many requests as there are files.
func (p *packer) passOver(err error) bool {
	var missing interface{ MissingPath() string }
	if !errors.As(err, &missing) {
		return false
	}
	if p.missing == nil {
		p.missing = err
	}
	return true
}
