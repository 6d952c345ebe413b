// SPDX-License-Identifier: Apache-2.0

package helm

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"

	"github.com/bowline-cd/bowline/internal/render"
)

// Bounds on chart archives.
const (
	// maxUnpacked bounds what comes out of all archives of a render together. It is Helm's MaxDecompressedChartSize.
	maxUnpacked = 100 << 20
	// maxRatio bounds how much larger than the archive its content may be, once it is larger than minBomb.
	maxRatio = 200
	minBomb  = 16 << 20
)

var drive = regexp.MustCompile(`^[a-zA-Z]:/`)

// unpack reads a chart archive (.tgz) by Helm's rules: every file lies below one folder, whose name does not matter; links
// and devices have no content.
func (j *job) unpack(data []byte, at string) ([]file, error) {
	unzipped, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, j.badArchive(at, err)
	}
	budget := &bounded{from: unzipped, left: min(maxUnpacked, max(minBomb, int64(len(data))*maxRatio))}
	var files []file
	for archive := tar.NewReader(budget); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, j.badArchive(at, err)
		}
		f, err := j.member(archive, header, at)
		if err != nil {
			return nil, err
		}
		if f != nil {
			files = append(files, *f)
		}
	}
	if len(files) == 0 {
		return nil, j.badArchive(at, errors.New("there are no files in it"))
	}
	return files, nil
}

// member reads one file of an archive; nil if it is none.
func (j *job) member(archive *tar.Reader, header *tar.Header, at string) (*file, error) {
	if err := j.count(at); err != nil {
		return nil, err
	}
	if header.FileInfo().IsDir() || header.Typeflag == tar.TypeXGlobalHeader || header.Typeflag == tar.TypeXHeader {
		return nil, nil
	}
	name, err := memberName(header.Name)
	if err != nil {
		return nil, j.badArchive(at, err)
	}
	if header.Size > j.in.Limits.FileBytes {
		return nil, j.badArchive(at, fmt.Errorf("the file %s in it is larger than %s", name, render.Size(j.in.Limits.FileBytes)))
	}
	content, err := io.ReadAll(archive)
	if err != nil {
		return nil, j.badArchive(at, err)
	}
	if j.bytes += int64(len(content)); j.bytes > maxUnpacked { // a sparse file is larger than what stands for it
		return nil, j.badArchive(at, errTooLarge)
	}
	if header.Typeflag == tar.TypeSymlink || header.Typeflag == tar.TypeLink {
		j.warn("%s: %s is a link in an archive, which has no content for Helm; put the file itself into the archive", at, name)
	}
	return &file{name: name, at: at + "/" + name, data: bytes.TrimPrefix(content, utf8BOM)}, nil
}

// memberName returns the path in the chart of a name in its archive.
func memberName(name string) (string, error) {
	separator := "/"
	if strings.Contains(name, `\`) {
		separator = `\`
	}
	folder, rest, _ := strings.Cut(name, separator)
	if folder == "Chart.yaml" {
		return "", errors.New("its Chart.yaml does not lie in a folder of the chart's name")
	}
	rest = strings.ReplaceAll(rest, separator, "/")
	cleaned := path.Clean(rest)
	if path.IsAbs(rest) || cleaned == "." || strings.HasPrefix(cleaned, "..") || drive.MatchString(cleaned) || strings.ContainsRune(cleaned, 0) {
		return "", fmt.Errorf("the name %q leads out of the chart", name)
	}
	return cleaned, nil
}

func (j *job) badArchive(at string, cause error) error {
	return j.mistake(at, "it is no good chart archive: "+cause.Error(), "pack it again with `helm package` or `helm dependency update`")
}

var errTooLarge = errors.New("what is in it is too large")

// bounded is a reader that fails where it would give too much. It counts what comes out of the decompressor: what an
// archive says of the sizes of its files is not believed.
type bounded struct {
	from io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errTooLarge
	}
	return n, err
}
