// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bowline-cd/bowline/internal/tree"
)

var errObject = errors.New("malformed Git object")

// parseTree reads a tree object: "<octal mode> <name>\0<raw id>" for each entry. Entries come sorted by plain name
// (Git sorts folders as if their name ended in a slash). Names that are no plain names are refused: transfer.fsckObjects
// should have, and no reader may depend on that.
func parseTree(data []byte, idLength int) ([]tree.Entry, error) {
	entries := make([]tree.Entry, 0, 8)
	for len(data) > 0 {
		mode, rest, ok := bytes.Cut(data, []byte{' '})
		if !ok {
			return nil, errObject
		}
		name, rest, ok := bytes.Cut(rest, []byte{0})
		if !ok || len(rest) < idLength {
			return nil, errObject
		}
		entry := tree.Entry{Name: string(name), ID: hex.EncodeToString(rest[:idLength]), Size: -1}
		if entry.Mode = modeOf(string(mode)); entry.Mode == 0 || !plainName(entry.Name) {
			return nil, fmt.Errorf("%w: entry %.60q of mode %.10q", errObject, name, mode)
		}
		entries = append(entries, entry)
		data = rest[idLength:]
	}
	slices.SortFunc(entries, func(a, b tree.Entry) int { return strings.Compare(a.Name, b.Name) })
	for i := 1; i < len(entries); i++ {
		if entries[i].Name == entries[i-1].Name {
			return nil, fmt.Errorf("%w: two entries %.60q", errObject, entries[i].Name)
		}
	}
	return slices.Clip(entries), nil
}

func plainName(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.Contains(name, "/") && !strings.EqualFold(name, ".git")
}

// modeOf maps the modes Git writes; old tools also wrote 100664 and a leading zero. 0 for any other.
func modeOf(octal string) tree.Mode {
	switch strings.TrimLeft(octal, "0") {
	case "100644", "100664":
		return tree.File
	case "100755":
		return tree.Executable
	case "40000":
		return tree.Dir
	case "120000":
		return tree.Link
	case "160000":
		return tree.Submodule
	default:
		return 0
	}
}

// CommitInfo is what a commit says of itself.
type CommitInfo struct {
	Author  string // "Name <address>"
	Date    time.Time
	Message string
	Tags    []string // tags that point to it, by the refs last seen
}

// parsedCommit is a commit object.
type parsedCommit struct {
	tree string
	info CommitInfo
}

// parseCommit reads a commit object: header lines, an empty line, the message.
func parseCommit(data []byte) (parsedCommit, error) {
	header, message, _ := strings.Cut(string(data), "\n\n")
	c := parsedCommit{info: CommitInfo{Message: strings.TrimRight(message, "\n")}}
	for line := range strings.SplitSeq(header, "\n") {
		key, value, _ := strings.Cut(line, " ")
		switch key {
		case "tree":
			c.tree = value
		case "author":
			c.info.Author, c.info.Date = parseSignature(value)
		}
	}
	if !objectID.MatchString(c.tree) {
		return parsedCommit{}, fmt.Errorf("%w: a commit without tree", errObject)
	}
	return c, nil
}

// parseSignature splits "Name <address> seconds zone"; what cannot be read is left empty.
func parseSignature(s string) (string, time.Time) {
	end := strings.LastIndexByte(s, '>')
	if end < 0 {
		return s, time.Time{}
	}
	fields := strings.Fields(s[end+1:])
	if len(fields) == 0 {
		return s[:end+1], time.Time{}
	}
	seconds, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil {
		return s[:end+1], time.Time{}
	}
	return s[:end+1], time.Unix(seconds, 0).UTC()
}
