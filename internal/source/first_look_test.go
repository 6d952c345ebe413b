// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"sync"
	"testing"

	"github.com/bowline-cd/bowline/test/gitserver"
)

// A repository is small, which shows only after a first fetch; the mirror is made anew then. Whoever came meanwhile reads
// whole commits, and no reader is left behind that sees nothing.
func TestManyComeAtTheFirstFetch(t *testing.T) {
	server := gitserver.New(t, gitserver.Options{})
	repo := server.Repo(t, "infra")
	files := map[string]string{}
	for i := range 40 {
		files[fmt.Sprintf("web/%d.yaml", i)] = fmt.Sprint(i)
	}
	commit := repo.Write(t, files)
	for range 5 {
		s, err := NewStore(t.TempDir(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for i := range 40 {
			all.Go(func() {
				r := Repository{URL: repo.URL}
				got, err := s.Resolve(t.Context(), r, Revision{Name: "main"})
				if err != nil || got != commit {
					t.Errorf("resolve: %s, %v", got, err)
					return
				}
				files, err := s.Tree(t.Context(), r, commit, []Want{{Path: "web"}})
				if err != nil {
					t.Errorf("tree: %v", err)
					return
				}
				if data, err := files.Read(t.Context(), fmt.Sprintf("web/%d.yaml", i), -1); err != nil || string(data) != fmt.Sprint(i) {
					t.Errorf("read: %q, %v", data, err)
				}
			})
		}
		all.Wait()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
