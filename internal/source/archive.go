// SPDX-License-Identifier: Apache-2.0

package source

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/tree"
)

// packed is one name of an unpacked archive. The content of files and links lies in a pack: one after the other.
type packed struct {
	path         string
	mode         tree.Mode
	offset, size int64
	sum          [sha256.Size]byte // of the content; of a folder, of what it lists
}

// unpacking says how an archive becomes a tree.
type unpacking struct {
	thing   string // for people: "chart web 1.2.3 of https://…"
	strip   bool   // the first folder of each name is left out: charts are packed in a folder of their name
	bytes   int64  // most that the archive may give
	setting string // key that raises it
	files   int    // most names
}

const (
	maxArchiveDepth = 64 // folders in folders
	maxArchivePath  = 1024
	maxLinkText     = 4096 // PATH_MAX, as tree.Resolve has it
)

// unpacker reads one archive.
type unpacker struct {
	unpacking
	ctx   context.Context
	out   io.Writer
	at    int64
	full  error // what more than the limit is
	found map[string]packed
}

// unpack reads a tar archive, gzipped or not, writes the content of its files to out, and returns its names in the order of
// their bytes, folders included. Of two entries of one name the last counts, as tar has it. Names that are absolute or climb,
// devices, and more than the limits allow are a fault.Mistake; links are kept, whatever they point to.
func unpack(ctx context.Context, archive io.Reader, out io.Writer, how unpacking) ([]packed, error) {
	u := &unpacker{unpacking: how, ctx: ctx, out: out, found: map[string]packed{}}
	plain, err := decompress(archive)
	if err != nil {
		return nil, u.broken(err)
	}
	u.full = tooLarge("unpack", how.thing, "what it unpacks to", byteCount(how.bytes), how.setting)
	names := tar.NewReader(atMost(plain, how.bytes, u.full))
	for {
		header, err := names.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = u.add(header, names)
		}
		if err != nil {
			return nil, u.broken(err)
		}
	}
	if err := u.addFolders(); err != nil {
		return nil, err
	}
	return u.sorted(), nil
}

// decompress looks at the first bytes: media types and names of archives are not always true.
func decompress(archive io.Reader) (io.Reader, error) {
	r := bufio.NewReader(archive)
	magic, err := r.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return gzip.NewReader(r)
	}
	return r, nil
}

// broken says that an archive cannot be read; what is judged already passes.
func (u *unpacker) broken(err error) error {
	var judged *fault.Error
	if errors.As(err, &judged) || u.ctx.Err() != nil {
		return err
	}
	return fault.New(fault.Mistake, "unpack", u.thing, "", "it is not a whole tar or tar.gz archive: "+err.Error(), "publish it again")
}

func (u *unpacker) refuse(name, cause string) error {
	return fault.New(fault.Mistake, "unpack", u.thing, fmt.Sprintf("%.200q", name), cause, "publish it without this entry")
}

// add takes one entry of the archive.
func (u *unpacker) add(header *tar.Header, content io.Reader) error {
	if header.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	name, err := u.name(header.Name)
	if err != nil || name == "" {
		return err
	}
	if len(u.found) >= u.files {
		return tooLarge("unpack", u.thing, "the number of its files", fmt.Sprint(u.files), filesSetting)
	}
	switch header.Typeflag {
	case tar.TypeReg:
		if header.Size > u.bytes-u.at { // a sparse file is larger than what stands for it
			return u.full
		}
		mode := tree.File
		if header.Mode&0o111 != 0 {
			mode = tree.Executable
		}
		return u.put(name, mode, content)
	case tar.TypeDir:
		u.found[name] = packed{path: name, mode: tree.Dir}
		return nil
	case tar.TypeSymlink:
		if len(header.Linkname) > maxLinkText {
			return u.refuse(header.Name, "the target of the link is too long")
		}
		return u.put(name, tree.Link, strings.NewReader(header.Linkname))
	case tar.TypeLink:
		return u.copyOf(name, header)
	}
	return u.refuse(header.Name, "it is neither a file nor a folder nor a link")
}

// name returns the clean name of an entry; "" for what is no entry of its own.
func (u *unpacker) name(raw string) (string, error) {
	switch {
	case strings.ContainsRune(raw, 0):
		return "", u.refuse(raw, "its name holds a zero byte")
	case strings.HasPrefix(raw, "/"):
		return "", u.refuse(raw, "its name is an absolute path")
	case slices.Contains(strings.Split(raw, "/"), ".."):
		return "", u.refuse(raw, "its name climbs out of the archive")
	case len(raw) > maxArchivePath:
		return "", u.refuse(raw, fmt.Sprint("its name is longer than ", maxArchivePath, " bytes"))
	case strings.Count(raw, "/") > maxArchiveDepth:
		return "", u.refuse(raw, fmt.Sprint("it lies in more than ", maxArchiveDepth, " folders"))
	}
	name := path.Clean(raw)
	if u.strip {
		_, name, _ = strings.Cut(name, "/")
	}
	if name == "." {
		name = ""
	}
	return name, nil
}

// put writes content to the pack.
func (u *unpacker) put(name string, mode tree.Mode, content io.Reader) error {
	hash := sha256.New()
	size, err := io.Copy(io.MultiWriter(u.out, hash), content)
	if err != nil {
		return err
	}
	e := packed{path: name, mode: mode, offset: u.at, size: size}
	hash.Sum(e.sum[:0])
	u.found[name] = e
	u.at += size
	return nil
}

// copyOf takes a hard link, which is the same file under another name.
func (u *unpacker) copyOf(name string, header *tar.Header) error {
	target, err := u.name(header.Linkname)
	if err != nil {
		return err
	}
	e, ok := u.found[target]
	if !ok || e.mode != tree.File && e.mode != tree.Executable {
		return u.refuse(header.Name, "it is a hard link to what is not in the archive")
	}
	e.path = name
	u.found[name] = e
	return nil
}

// addFolders adds the folders that the archive does not name. Nothing lies below a file or link.
func (u *unpacker) addFolders() error {
	for name := range u.found {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			e, ok := u.found[dir]
			if ok && e.mode != tree.Dir {
				return u.refuse(name, "it lies below "+dir+", which is not a folder")
			}
			if ok {
				continue
			}
			if len(u.found) >= 2*u.files {
				return tooLarge("unpack", u.thing, "the number of its folders", fmt.Sprint(u.files), filesSetting)
			}
			u.found[dir] = packed{path: dir, mode: tree.Dir}
		}
	}
	return nil
}

func (u *unpacker) sorted() []packed {
	out := make([]packed, 0, len(u.found))
	for _, e := range u.found {
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b packed) int { return strings.Compare(a.path, b.path) })
	return out
}

// byteCount writes a size as settings have it.
func byteCount(n int64) string {
	for _, unit := range []struct {
		name string
		size int64
	}{{"Gi", 1 << 30}, {"Mi", 1 << 20}, {"Ki", 1 << 10}} {
		if n >= unit.size && n%unit.size == 0 {
			return fmt.Sprint(n/unit.size, unit.name)
		}
	}
	return fmt.Sprint(n, " bytes")
}
