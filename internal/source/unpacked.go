// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"io"
	"os"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/tree"
)

// maxUnpackedFiles is how many names an archive may have that somebody brings along.
const maxUnpackedFiles = 100_000

// Unpacked returns the tree of a tar archive, gzipped or not, that somebody brings along: thing is what it is called in errors,
// limit how many bytes it may unpack to. What it holds lies in a file that has no name any more, and is gone with the tree.
func Unpacked(ctx context.Context, archive io.Reader, thing string, limit int64) (tree.Tree, error) {
	pack, err := os.CreateTemp("", "bowline-files-")
	if err != nil {
		return nil, fault.Wrap(fault.Stalled, "unpack", thing, err, "make room in the folder for temporary files")
	}
	if err := os.Remove(pack.Name()); err != nil {
		return nil, fault.Wrap(fault.Stalled, "unpack", thing, err, "")
	}
	entries, err := unpack(ctx, archive, pack, unpacking{thing: thing, bytes: limit, files: maxUnpackedFiles})
	if err != nil {
		_ = pack.Close()
		return nil, err
	}
	return newArchiveTree(pack, entries, func() {}), nil
}
