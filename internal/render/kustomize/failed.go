// SPDX-License-Identifier: Apache-2.0

package kustomize

import (
	"errors"
	"maps"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/bowline-cd/bowline/internal/fault"
)

// maxCause bounds the library's text in an error.
const maxCause = 2000

var (
	// accumulated is where the library names the folder of a kustomization in whose build something failed.
	accumulated = regexp.MustCompile(`(?:accumulation of|for|merging from) path '([^']+)'`)
	// fromFile is where it names a file with objects.
	fromFile = regexp.MustCompile(`(?:accumulating|merging) resources from '([^']+)'`)
)

// failed turns an error of the library into one that names the innermost kustomization, and the file if it is one. The
// library quotes what it works on, so values of Secrets are removed.
func (s *scout) failed(err error) error {
	text := err.Error()
	at := s.root
	if all := accumulated.FindAllStringSubmatch(text, -1); len(all) > 0 {
		at = all[len(all)-1][1]
	}
	where := at
	if n, ok := s.nodes[at]; ok {
		where = n.file
	}
	if all := fromFile.FindAllStringSubmatch(text, -1); len(all) > 0 {
		if p := filepath.Join(at, all[len(all)-1][1]); s.files.isFile(p) {
			where = p
		}
	}
	cause, fix := said(s.redact(text))
	return &fault.Error{Kind: fault.Mistake, Op: "render", Thing: "with Kustomize", Where: s.known(s.display(where)), Err: errors.New(s.known(cause)), Fix: fix}
}

// known replaces folders of the library's by what the user knows, and shortens.
func (s *scout) known(text string) string {
	for _, dir := range slices.Backward(slices.Sorted(maps.Keys(s.remotes))) {
		text = strings.ReplaceAll(text, dir, s.remotes[dir])
		text = strings.ReplaceAll(text, path.Base(dir), s.remotes[dir])
	}
	text = strings.ReplaceAll(strings.ReplaceAll(text, chartsFolder, "helmCharts"), chartsFile, "helmCharts")
	text = strings.ReplaceAll(strings.ReplaceAll(text, home+"/", ""), home, ".")
	text = strings.TrimSpace(text)
	if len(text) > maxCause {
		text = strings.ToValidUTF8(text[:maxCause], "") + " …"
	}
	return text
}
