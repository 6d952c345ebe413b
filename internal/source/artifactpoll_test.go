// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/test/gitserver"
	"github.com/bowline-cd/bowline/test/registry"
)

func TestPollerFollowsCharts(t *testing.T) {
	server := registry.New(t, registry.Options{})
	first := server.AddChart("c", "web", "1.0.0", nil)
	other := server.AddChart("c", "other", "3.0.0", nil)
	f, r := follow(t), Repository{URL: server.URL + "/c", Type: KindHelm}
	ranged, exact := Revision{Chart: "web", Name: "1.x"}, Revision{Chart: "other", Name: "3.0.0"}
	for app := range 100 {
		f.Want(fmt.Sprint("app", app), Watch{Repository: r, Revisions: []Revision{ranged, exact}})
	}
	moves := f.next(t, 2)
	slices.SortFunc(moves, func(a, b Move) int { return strings.Compare(b.Revision.Chart, a.Revision.Chart) })
	if moves[0].To != first || moves[0].Revision != ranged || moves[0].Err != nil || moves[1].To != other || moves[1].Revision != exact {
		t.Fatalf("first moves %+v", moves)
	}
	if n := len(server.Requests()); n != 1 {
		t.Errorf("%d requests at first, want one for the index", n)
	}
	second := server.AddChart("c", "web", "1.1.0", nil)
	server.Reset()
	if n := f.Hint(server.URL + "/c/"); n != 1 {
		t.Errorf("the hint was for %d repositories", n)
	}
	moves = f.next(t, 1)
	if moves[0].From != first || moves[0].To != second {
		t.Errorf("after a release: %+v", moves[0])
	}
	if n := len(server.Requests()); n != 1 {
		t.Errorf("%d requests for one release", n)
	}

	server.Reset()
	f.clock.Step(3 * time.Minute) // the interval: nothing new
	waitFor(t, func() bool {
		f.clock.Step(100 * time.Millisecond)
		return len(server.Requests()) > 0 && server.Requests()[0].Status != 0
	})
	if q := server.Requests()[0]; !q.Conditional || q.Status != 304 {
		t.Errorf("a poll is %+v, want one by condition", q)
	}
	f.none(t)
	server.Reset()
	if p := mustResolve(t, f.store, r, chartOf("web", "1.x")); p.Digest != second {
		t.Errorf("%+v", p)
	}
	if n := len(server.Requests()); n != 0 {
		t.Errorf("%d requests although the poller vouches", n)
	}

	server.Misbehave(registry.Fail)
	f.Hint(server.URL + "/c")
	moves = f.next(t, 1)
	if !Unreachable(moves[0].Err) || moves[0].To != second || moves[0].Revision != ranged {
		t.Errorf("a failure: %+v", moves[0])
	}
	if _, err := f.State(r); !Unreachable(err) {
		t.Errorf("state %v", err)
	}
	server.Misbehave(registry.None)
	moves = f.next(t, 1) // it asks again by itself
	if moves[0].Err != nil || moves[0].From != second || moves[0].To != second {
		t.Errorf("after the failure: %+v", moves[0])
	}
}

func TestPollerFollowsTags(t *testing.T) {
	server := registry.New(t, registry.Options{})
	first := server.Push("config", "latest", layered(map[string]string{"a": "1"}))
	fixed := server.Push("config", "v1.0.0", layered(map[string]string{"a": "0"}))
	f, r := follow(t), unencrypted(Repository{URL: "oci://" + server.Host + "/config", Type: KindOCI})
	f.Want("app", Watch{Repository: r, Revisions: []Revision{{}, {Name: fixed}, {Name: "1.x"}, {Name: "9.x"}}})
	moves := f.next(t, 4)
	byName := map[string]Move{}
	for _, m := range moves {
		byName[m.Revision.Name] = m
	}
	if byName[""].To != first || byName[fixed].To != fixed || byName["1.x"].To != fixed || byName["9.x"].Err == nil || Unreachable(byName["9.x"].Err) {
		t.Fatalf("first moves %+v", moves)
	}
	server.Reset()
	second := server.Push("config", "latest", layered(map[string]string{"a": "2"}))
	newer := server.Push("config", "v1.1.0", layered(map[string]string{"a": "3"}))
	f.Hint("https://" + server.Host + "/config")
	moves = f.next(t, 2)
	slices.SortFunc(moves, func(a, b Move) int { return strings.Compare(a.Revision.Name, b.Revision.Name) })
	if moves[0].From != first || moves[0].To != second || moves[1].From != fixed || moves[1].To != newer {
		t.Errorf("moves %+v", moves)
	}
	if n := server.Count("/tags/list"); n != 1 {
		t.Errorf("%d lists of tags for two constraints", n)
	}
	if n := server.Count("/blobs/"); n != 0 {
		t.Errorf("%d layers fetched by a poll", n)
	}
	if n := server.Count(fixed); n != 0 {
		t.Errorf("a digest was polled %d times", n)
	}
}

func TestPollerAsksADeadRegistryOnce(t *testing.T) {
	server := registry.New(t, registry.Options{})
	server.Misbehave(registry.Fail)
	f, r := follow(t), unencrypted(Repository{URL: "oci://" + server.Host + "/config", Type: KindOCI})
	var revisions []Revision
	for n := range 30 {
		revisions = append(revisions, Revision{Name: fmt.Sprint("tag", n)})
	}
	f.Want("app", Watch{Repository: r, Revisions: revisions})
	for _, m := range f.next(t, 30) {
		if !Unreachable(m.Err) || !fault.Is(m.Err, fault.Retry) {
			t.Errorf("%+v", m)
		}
	}
	if n := len(server.Requests()); n > 3 {
		t.Errorf("%d requests to a server that is out of order", n)
	}
}

// A repository of charts and one of Git may have the same address.
func TestPollerFollowsGitAndChartsOfOneAddress(t *testing.T) {
	git := gitserver.New(t, gitserver.Options{})
	repo := git.Repo(t, "mono")
	commit := repo.Write(t, map[string]string{"a": "1"})
	f, r := follow(t), Repository{URL: repo.URL}
	f.Want("app", Watch{Repository: r, Revisions: []Revision{{Name: "main"}, {Chart: "web"}}})
	for _, m := range f.next(t, 2) {
		if m.Revision.Chart == "" && m.To != commit || m.Revision.Chart != "" && m.Err == nil {
			t.Errorf("%+v", m)
		}
	}
}
