// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
)

// lfsPointer is what a pointer file of Git LFS stands for
// (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md).
type lfsPointer struct {
	oid      string // 64 digits of the SHA-256
	size     int64
	extended bool // programs of the user's have to change the content
}

// maxPointer is the size that pointers are smaller than.
const maxPointer = 1024

var lfsVersions = []string{"version https://git-lfs.github.com/spec/v1\n", "version https://hawser.github.com/spec/v1\n"}

var (
	lfsKey = regexp.MustCompile(`^[a-z0-9.-]+$`)
	lfsOID = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// parsePointer reads a pointer. ok is false for all that is none: it is content then, as for git-lfs.
func parsePointer(data []byte) (p lfsPointer, ok bool) {
	if len(data) >= maxPointer || !bytes.HasSuffix(data, []byte("\n")) {
		return lfsPointer{}, false
	}
	for _, version := range lfsVersions {
		if rest, found := strings.CutPrefix(string(data), version); found {
			return parsePointerLines(strings.TrimSuffix(rest, "\n"))
		}
	}
	return lfsPointer{}, false
}

// parsePointerLines reads "key value" lines, each key once and in alphabetical order.
func parsePointerLines(text string) (p lfsPointer, ok bool) {
	before, sized := "", false
	for line := range strings.SplitSeq(text, "\n") {
		key, value, found := strings.Cut(line, " ")
		if !found || !lfsKey.MatchString(key) || key <= before || strings.ContainsAny(value, "\r\x00") {
			return lfsPointer{}, false
		}
		before = key
		switch {
		case key == "oid":
			oid, sha256 := strings.CutPrefix(value, "sha256:")
			if !sha256 || !lfsOID.MatchString(oid) {
				return lfsPointer{}, false
			}
			p.oid = oid
		case key == "size":
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil || n < 0 || strconv.FormatInt(n, 10) != value {
				return lfsPointer{}, false
			}
			p.size, sized = n, true
		case strings.HasPrefix(key, "ext-"):
			p.extended = true
		}
	}
	return p, p.oid != "" && sized
}
