// SPDX-License-Identifier: Apache-2.0

package source

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/bowline-cd/bowline/test/registry"
)

func TestUnusedArtifactsMakeRoom(t *testing.T) {
	server := registry.New(t, registry.Options{})
	clock := clocktesting.NewFakeClock(time.Now())
	dir := t.TempDir()
	s := openStoreIn(t, dir, func(o *Options) { o.Clock, o.ArtifactBytes = clock, 1<<40 })
	r := unencrypted(Repository{URL: server.Host, EnableOCI: true})
	var pins []Pin
	for n := range 6 {
		server.PushChart("", "web", fmt.Sprintf("1.0.%d", n), map[string]string{"x": strings.Repeat(fmt.Sprint(n), 1000)})
		a := chartOf("web", fmt.Sprintf("1.0.%d", n))
		p := mustResolve(t, s, r, a)
		mustArtifact(t, s, r, a, p)
		pins = append(pins, p)
		clock.Step(2 * time.Hour)
	}
	if err := s.KeepArtifacts(r, "app", pins[:2]); err != nil {
		t.Fatal(err)
	}
	server.Misbehave(registry.Fail)
	stored := func() (out string) {
		s.artifacts.trees.forgetBelow("")
		for n, p := range pins {
			if _, err := s.ArtifactTree(t.Context(), r, chartOf("web", ""), p); err == nil {
				out += fmt.Sprint(n)
			} else if !Unreachable(err) {
				t.Error(err)
			}
		}
		return out
	}
	if err := s.artifacts.collect(); err != nil {
		t.Fatal(err)
	}
	if got := stored(); got != "012345" {
		t.Errorf("there was room for all, and %s stayed", got)
	}
	clock.Step(2 * time.Hour)
	if _, err := s.ArtifactTree(t.Context(), r, chartOf("web", ""), pins[3]); err != nil {
		t.Fatal(err)
	}
	s.options.ArtifactBytes = 1
	if err := s.artifacts.collect(); err != nil {
		t.Fatal(err)
	}
	if got := stored(); got != "013" {
		t.Errorf("%s stayed, want those that are kept and the one used lately", got)
	}
	clock.Step(2 * time.Hour)
	s.options.ArtifactBytes = 1 << 40
	clock.Step(s.options.ArtifactLife)
	if err := s.KeepArtifacts(r, "app", pins[:1]); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil { // who keeps what is known after a restart
		t.Fatal(err)
	}
	s = openStoreIn(t, dir, func(o *Options) { o.Clock = clock })
	if err := s.artifacts.collect(); err != nil {
		t.Fatal(err)
	}
	if got := stored(); got != "0" {
		t.Errorf("%s stayed, want only what is kept", got)
	}
	if err := s.KeepArtifacts(r, "app", nil); err != nil {
		t.Fatal(err)
	}
	clock.Step(s.options.ArtifactLife + time.Hour)
	if err := s.artifacts.collect(); err != nil {
		t.Fatal(err)
	}
	if got := stored(); got != "" {
		t.Errorf("%s stayed although nobody keeps it", got)
	}
	server.Misbehave(registry.None)
	mustArtifact(t, s, r, chartOf("web", ""), pins[5]) // a shelf that was cleared is filled again
}

func TestThereIsAnEndToRepositories(t *testing.T) {
	clock := clocktesting.NewFakeClock(time.Now())
	s := openStore(t, func(o *Options) { o.Clock = clock })
	for n := range openShops + 100 {
		if _, err := s.artifacts.shop(Repository{URL: fmt.Sprint("https://host.example/", n)}, ArtifactFile); err != nil {
			t.Fatal(err)
		}
		clock.Step(5 * time.Second)
	}
	if n := len(s.artifacts.shops); n > openShops/2 {
		t.Errorf("%d repositories are held", n)
	}
}

func TestRoomIsMadeByItself(t *testing.T) {
	server := registry.New(t, registry.Options{})
	clock := clocktesting.NewFakeClock(time.Now())
	s := openStore(t, func(o *Options) { o.Clock, o.ArtifactBytes = clock, 40_000 })
	r := Repository{URL: server.URL + "/c"}
	for n := range 30 {
		content := strings.Repeat(fmt.Sprint(n, n*7919), 300)
		server.AddChart("c", "web", fmt.Sprintf("1.0.%d", n), map[string]string{"x": content, "y": content + "y"})
	}
	for n := range 30 {
		a := chartOf("web", fmt.Sprintf("1.0.%d", n))
		mustArtifact(t, s, r, a, mustResolve(t, s, r, a))
		clock.Step(2 * time.Hour)
	}
	waitFor(t, func() bool { // what is still to come is small
		_ = s.artifacts.collect()
		return sizeOf(s.artifacts.dir) < 60_000
	})
}

func TestForgottenRepositoriesLeaveNothing(t *testing.T) {
	server := registry.New(t, registry.Options{Username: "me", Password: canary})
	server.AddChart("c", "web", "1.0.0", nil)
	dir := t.TempDir()
	s, r := openStoreIn(t, dir, nil), withAccount(Repository{URL: server.URL + "/c"})
	p := mustResolve(t, s, r, chartOf("web", ""))
	mustArtifact(t, s, r, chartOf("web", ""), p)
	folders := func() int {
		found, err := filepath.Glob(filepath.Join(dir, "artifacts", "*"))
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	if err := s.Retain([]Repository{r}); err != nil || folders() != 1 {
		t.Errorf("retained: %v, %d folders", err, folders())
	}
	if err := s.Forget(r); err != nil || folders() != 0 {
		t.Errorf("forgotten: %v, %d folders", err, folders())
	}
	mustArtifact(t, s, r, chartOf("web", ""), mustResolve(t, s, r, chartOf("web", "")))
	if err := s.Retain(nil); err != nil || folders() != 0 {
		t.Errorf("not retained: %v, %d folders", err, folders())
	}
}

func TestTheDataFolderIsForNobodyElse(t *testing.T) {
	server := registry.New(t, registry.Options{Username: "me", Password: canary})
	server.AddChart("c", "web", "1.0.0", nil)
	dir := t.TempDir()
	s, r := openStoreIn(t, dir, nil), withAccount(Repository{URL: server.URL + "/c"})
	p := mustResolve(t, s, r, chartOf("web", ""))
	mustArtifact(t, s, r, chartOf("web", ""), p)
	if err := s.KeepArtifacts(r, "app", []Pin{p}); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(filepath.Join(dir, "artifacts"), func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has the mode %s", path, info.Mode())
		}
		if content, err := os.ReadFile(path); err == nil && strings.Contains(string(content)+path, canary) {
			t.Errorf("%s holds the password", path)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	other := r
	other.Username = "eve"
	if _, err := s.ArtifactTree(t.Context(), other, chartOf("web", ""), p); !Unreachable(err) {
		t.Errorf("another account reads what this one fetched: %v", err)
	}
	var u *UnreachableError
	if _, err := s.ArtifactTree(t.Context(), r, chartOf("web", ""), Pin{Digest: "sha256:../../key"}); errors.As(err, &u) || err == nil {
		t.Errorf("a pin that is a path: %v", err)
	}
}

// A small archive may unpack to a large one: both take room.
func TestWhatIsUnpackedTakesRoom(t *testing.T) {
	server := registry.New(t, registry.Options{})
	server.AddChart("c", "web", "1.0.0", map[string]string{"x": strings.Repeat("x", 1<<20)})
	s := openStore(t, func(o *Options) { o.ArtifactBytes = 1 << 30 })
	s.artifacts.unseen.Store(0)
	r, a := Repository{URL: server.URL + "/c"}, chartOf("web", "1.0.0")
	mustArtifact(t, s, r, a, mustResolve(t, s, r, a))
	if n := s.artifacts.unseen.Load(); n < 1<<20 {
		t.Errorf("%d bytes count", n)
	}
}
