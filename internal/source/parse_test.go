// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bufio"
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/internal/tree"
)

const (
	idA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	idB = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

func rawTree(pairs ...string) []byte {
	var b bytes.Buffer
	for i := 0; i < len(pairs); i += 2 {
		b.WriteString(pairs[i] + " " + pairs[i+1] + "\x00" + strings.Repeat("\xaa", 20))
	}
	return b.Bytes()
}

func TestParseTree(t *testing.T) {
	entries, err := parseTree(rawTree("100644", "a.b", "40000", "a", "100664", "z", "100755", "run", "120000", "link", "160000", "sub"), 20)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name)
		if e.ID != idA || e.Size != -1 {
			t.Errorf("entry %+v", e)
		}
	}
	if strings.Join(got, " ") != "a a.b link run sub z" || entries[0].Mode != tree.Dir || entries[5].Mode != tree.File {
		t.Errorf("entries %v", entries)
	}
	for name, raw := range map[string][]byte{
		"dot dot": rawTree("100644", ".."), "dot": rawTree("100644", "."), "slash": rawTree("100644", "a/b"), "empty": rawTree("100644", ""),
		"git": rawTree("40000", ".GIT"), "mode": rawTree("100666", "a"), "twice": rawTree("100644", "a", "40000", "a"),
		"short": rawTree("100644", "a")[:20], "no name": []byte("100644 a"), "no mode": []byte("a"),
	} {
		if entries, err := parseTree(raw, 20); !errors.Is(err, errObject) {
			t.Errorf("%s: %v, %v", name, entries, err)
		}
	}
}

func FuzzParseTree(f *testing.F) {
	f.Add(rawTree("100644", "a", "40000", "b"))
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := parseTree(data, 20)
		for i, e := range entries {
			if err != nil || !plainName(e.Name) || i > 0 && entries[i-1].Name >= e.Name {
				t.Errorf("entries %v, %v", entries, err)
			}
			if j, ok := find(entries, e.Name); !ok || j != i {
				t.Errorf("%q is not found", e.Name)
			}
		}
	})
}

func FuzzParseCommit(f *testing.F) {
	f.Add([]byte("tree " + idA + "\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nmessage\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, err := parseCommit(data); err == nil && !objectID.MatchString(c.tree) {
			t.Errorf("tree %q", c.tree)
		}
	})
}

func FuzzParseLsRemote(f *testing.F) {
	f.Add([]byte("ref: refs/heads/main\tHEAD\n" + idA + "\tHEAD\n" + idB + "\trefs/tags/v1\n" + idA + "\trefs/tags/v1^{}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parseLsRemote(data)
		if err != nil {
			return
		}
		refs := Refs{commits: p.commits, Head: p.head}
		for _, name := range []string{"", "main", "v1", "^1", "refs/tags/v1", "aaaaaaa"} {
			if commit, err := refs.Resolve(Revision{Name: name}); err == nil && !objectID.MatchString(commit) {
				t.Errorf("%q resolves to %q", name, commit)
			}
		}
	})
}

func FuzzParseAdvertisement(f *testing.F) {
	f.Add([]byte(pktLine("# service=git-upload-pack\n") + flushPkt + pktLine("version 2\n") + pktLine("fetch=shallow filter\n") + flushPkt))
	f.Add([]byte(pktLine(idA+" HEAD\x00symref=HEAD:refs/heads/main filter\n") + pktLine(idB+" refs/heads/main\n") + flushPkt))
	f.Add([]byte(pktLine(idA+" HEAD symref-target:refs/heads/main\n") + pktLine(idA+" refs/tags/v1 peeled:"+idB+"\n") + flushPkt))
	f.Fuzz(func(t *testing.T, data []byte) {
		refs, caps, err := parseAdvertisement(bufio.NewReader(bytes.NewReader(data)))
		if err == nil && caps.v2 && len(refs.commits) > 0 {
			t.Error("version 2 advertises no refs")
		}
		refs, err = parseLsRefs(bufio.NewReader(bytes.NewReader(data)))
		if err != nil && len(refs.commits) > 0 {
			t.Error("half an answer was taken")
		}
	})
}

func TestFirstVersionOfTheProtocol(t *testing.T) {
	answer := pktLine("# service=git-upload-pack\n") + flushPkt + pktLine(idA+" HEAD\x00multi_ack symref=HEAD:refs/heads/main filter agent=x\n") +
		pktLine(idA+" refs/heads/main\n") + pktLine(idA+" refs/tags/v1\n") + pktLine(idB+" refs/tags/v1^{}\n") + flushPkt
	p, caps, err := parseAdvertisement(bufio.NewReader(strings.NewReader(answer)))
	if err != nil || p.head != "refs/heads/main" || !caps.filter || caps.v2 || p.commits["refs/tags/v1"] != idB || p.commits["HEAD"] != idA {
		t.Errorf("%+v %+v %v", p, caps, err)
	}
	for cut := range len(answer) {
		if p, _, err := parseAdvertisement(bufio.NewReader(strings.NewReader(answer[:cut]))); err == nil {
			t.Fatalf("cut after %d bytes: %+v", cut, p)
		}
	}
	empty := pktLine(strings.Repeat("0", 40)+" capabilities^{}\x00agent=x\n") + flushPkt
	if p, _, err := parseAdvertisement(bufio.NewReader(strings.NewReader(empty))); err != nil || len(p.commits) > 0 {
		t.Errorf("empty: %+v %v", p, err)
	}
}

func TestCacheStaysWithinItsLimit(t *testing.T) {
	c := newCache(16 * 1024)
	for i := range 100 {
		c.put(cacheKey{"m", strings.Repeat("x", i)}, i, 800)
		if c.size > c.limit {
			t.Fatalf("size %d", c.size)
		}
	}
	if _, ok := c.get(cacheKey{"m", ""}); ok {
		t.Error("the oldest is still there")
	}
	if v, ok := c.get(cacheKey{"m", strings.Repeat("x", 99)}); !ok || v != 99 {
		t.Error("the newest is gone")
	}
	if _, ok := c.get(cacheKey{"other", strings.Repeat("x", 99)}); ok {
		t.Error("another mirror sees it")
	}
	c.put(cacheKey{"m", "large"}, 0, 2000)
	if _, ok := c.get(cacheKey{"m", "large"}); ok {
		t.Error("one object takes more than its share")
	}
	c.forget("m")
	if c.size != 0 || len(c.items) != 0 {
		t.Errorf("after forget: %d bytes, %d items", c.size, len(c.items))
	}
}
