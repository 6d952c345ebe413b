// SPDX-License-Identifier: Apache-2.0

package app

import (
	"bytes"
	"encoding/json"
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

// storeFor opens a store in a folder of its own. process returns its sources as a process that has just started has them.
func storeFor(t *testing.T) (dir string, process func() *sources) {
	t.Helper()
	dir, log := t.TempDir(), slog.New(slog.DiscardHandler)
	store, err := source.NewStore(dir, source.Options{Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	snapshot, err := settingsOf(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	return dir, func() *sources {
		s := newSources(t.Context(), store, func() *configuration.Snapshot { return snapshot }, log)
		s.poller = source.NewPoller(store, source.PollerOptions{})
		return s
	}
}

// An application that is deleted lets go of what a process before this one pinned for it.
func TestADeletedApplicationKeepsNothing(t *testing.T) {
	dir, process := storeFor(t)
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

// oneRecord is a memory that knows of one application.
type oneRecord []byte

func (r oneRecord) Load(string) ([]byte, error) { return r, nil }
func (oneRecord) Save(string, []byte) error     { return nil }

// What renders needed from elsewhere stays, be it a file, which nobody follows, or of an application that this process did
// not answer yet.
func TestWhatIsPinnedIsRetained(t *testing.T) {
	dir, process := storeFor(t)
	s := process()
	file := desired.Commit{Repo: desired.Repo{URL: "https://files.example.com/values.yaml", Project: "default"}, Kind: desired.KindFile, Digest: "sha256:" + strings.Repeat("cd", 32)}
	stray := desired.Commit{Repo: desired.Repo{URL: "https://files.example.com/other.yaml", Project: "default"}, Kind: desired.KindFile, Digest: file.Digest}
	record, err := json.Marshal(map[string]any{"remotes": []desired.Commit{file}})
	if err != nil {
		t.Fatal(err)
	}
	s.engine = desired.NewEngine(s, nil, oneRecord(record), nil)
	for _, c := range []desired.Commit{file, stray} {
		if err := s.keepAt(t.Context(), "web", placeOf(c), []desired.Commit{c}); err != nil {
			t.Fatal(err)
		}
	}
	s.Want("web", nil)
	if err := s.retain(1); err != nil {
		t.Fatal(err)
	}
	shelves, err := filepath.Glob(filepath.Join(dir, "*", "*", "keep"))
	if err != nil || len(shelves) != 1 {
		t.Errorf("%d places are left: %v %v", len(shelves), shelves, err)
	}
}

// Passes come often, and follow the same all the time; whatever changes is followed at once all the same.
func TestWhatIsFollowedAnewIsNoticed(t *testing.T) {
	_, process := storeFor(t)
	s := process()
	of := func(revision string) []application.Followed {
		return []application.Followed{{Wanted: desired.Commit{Repo: desired.Repo{URL: "https://127.0.0.1:1/a.git", Project: "default"}, Revision: revision}}}
	}
	follows := func(revision string) {
		t.Helper()
		if list := s.follows["web"]; len(list) != 1 || list[0].revision.Name != revision {
			t.Fatalf("it follows %+v, want %s", list, revision)
		}
	}
	for _, revision := range []string{"main", "main", "next", "main"} {
		s.Want("web", of(revision))
		follows(revision)
	}
	for name, change := range map[string]func(){
		"credentials were read anew": func() {
			snapshot, err := settingsOf(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			s.current = func() *configuration.Snapshot { return snapshot }
		},
		"everybody was asked to say it again": s.reset,
		"it was forgotten":                    func() { s.Forget("web") },
	} {
		change()
		delete(s.follows, "web")
		if s.Want("web", of("main")); len(s.follows["web"]) != 1 {
			t.Errorf("%s, and nothing is followed", name)
		}
	}
}
