// SPDX-License-Identifier: Apache-2.0

package app

import (
	"bytes"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/internal/controller/application"
	"github.com/bowline-cd/bowline/internal/controller/configuration"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/source"
)

// An application that is deleted lets go of what a process before this one pinned for it.
func TestADeletedApplicationKeepsNothing(t *testing.T) {
	dir, log := t.TempDir(), slog.New(slog.DiscardHandler)
	store, err := source.NewStore(dir, source.Options{Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	snapshot, err := settingsOf(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	process := func() *sources {
		s := newSources(t.Context(), store, func() *configuration.Snapshot { return snapshot }, log)
		s.poller = source.NewPoller(store, source.PollerOptions{})
		return s
	}
	digits := strings.Repeat("ab", 32)
	commit := desired.Commit{Repo: desired.Repo{URL: "oci://127.0.0.1:1/bundle", Project: "default"}, Kind: desired.KindOCI, Digest: "sha256:" + digits}
	kept := func() (found bool) {
		t.Helper()
		if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.Name() != "keep" {
				return err
			}
			content, err := os.ReadFile(path) // a line for each change, of which the last counts
			found = bytes.HasSuffix(content, []byte(digits+"\n"))
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return found
	}
	if err := process().Keep(t.Context(), "web", []desired.Commit{commit}); err != nil || !kept() {
		t.Fatalf("nothing is kept: %v", err)
	}
	s := process()
	s.Want("web", []application.Followed{{Wanted: commit.Wanted()}})
	s.Forget("web")
	if err := s.Keep(t.Context(), "web", nil); err != nil || kept() {
		t.Errorf("it is still kept: %v", err)
	}
}
