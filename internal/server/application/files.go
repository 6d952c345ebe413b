// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/repository"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/source"
)

// The limits of what callers bring along: as an archive, and unpacked, as Argo CD has them.
const (
	maxArchive  = 100 << 20
	maxUnpacked = 1 << 30
)

// GetManifestsWithFiles returns the manifests that an application would have if its source were the files that the caller
// brings: the first element of the stream says which application, the others are the pieces of a tar.gz of the repository.
func (s *Service) GetManifestsWithFiles(ctx context.Context, next func() (*application.ApplicationManifestQueryWithFilesWrapper, error)) (*repository.ManifestResponse, error) {
	first, err := next()
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return nil, err
	case err != nil || first.Query == nil:
		return nil, fault.New(fault.Mistake, "read", "the files", "", "the first element does not say which application they are for", "send the query before the chunks")
	}
	query := first.Query
	app, err := s.load(ctx, access.Get, query.Project, query.AppNamespace, query.Name)
	if err != nil {
		return nil, err
	}
	pieces := &pieces{next: next, sum: sha256.New()}
	files, err := source.Unpacked(ctx, pieces, "the files", maxUnpacked)
	if pieces.err != nil {
		return nil, pieces.err
	}
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(io.Discard, pieces); err != nil {
		return nil, err
	}
	if sum := hex.EncodeToString(pieces.sum.Sum(nil)); sum != query.Checksum {
		return nil, fault.New(fault.Mistake, "read", "the files", "checksum", fmt.Sprintf("what came has the SHA-256 sum %s, and %s was announced", sum, query.Checksum), "send them again")
	}
	rendered, err := s.Previews.RenderFiles(ctx, app, files)
	if err != nil {
		return nil, err
	}
	return s.manifests(app, rendered)
}

// pieces reads the chunks of a stream as one file.
type pieces struct {
	next func() (*application.ApplicationManifestQueryWithFilesWrapper, error)
	sum  hash.Hash
	rest []byte
	read int64
	err  error // of the stream, or of its size
}

// Read implements io.Reader.
func (p *pieces) Read(into []byte) (int, error) {
	for len(p.rest) == 0 {
		if p.err != nil {
			return 0, p.err
		}
		element, err := p.next()
		switch {
		case errors.Is(err, io.EOF):
			return 0, io.EOF
		case err != nil:
			p.err = err
		case element.Chunk == nil:
			p.err = fault.New(fault.Mistake, "read", "the files", "", "an element has no chunk", "send the pieces of one tar.gz archive")
		default:
			p.rest = element.Chunk.Chunk
			if p.read += int64(len(p.rest)); p.read > maxArchive {
				p.rest, p.err = nil, &fault.Error{Kind: fault.Mistake, Code: fault.TooLarge, Op: "read", Thing: "the files", Err: errors.New("the archive is larger than 100 MiB"), Fix: "send fewer files"}
			}
			_, _ = p.sum.Write(p.rest)
		}
	}
	n := copy(into, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}
