// SPDX-License-Identifier: Apache-2.0

package page

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/web"
)

// What the page may weigh, in bytes: what is loaded before the list of applications can be used, by gzip; and everything, as browsers
// get it over TLS (brotli).
const (
	firstScripts = 60_000
	firstStyles  = 15_000
	everything   = 200_000
)

// chunk is an entry of the manifest that Vite writes (https://vite.dev/guide/backend-integration.html).
type chunk struct {
	File    string   `json:"file"`
	IsEntry bool     `json:"isEntry"`
	Imports []string `json:"imports"`
	CSS     []string `json:"css"`
}

func built(t *testing.T) (fs.FS, map[string]chunk) {
	t.Helper()
	files := web.Files()
	raw, err := fs.ReadFile(files, ".vite/manifest.json")
	if err != nil {
		t.Fatalf("the page is not built into this test: run `make build` first: %v", err)
	}
	chunks := map[string]chunk{}
	if err := json.Unmarshal(raw, &chunks); err != nil {
		t.Fatal(err)
	}
	return files, chunks
}

func TestPageIsLight(t *testing.T) {
	files, chunks := built(t)
	entry := chunks["index.html"]
	if !entry.IsEntry {
		t.Fatal("the manifest has no entry index.html")
	}
	scripts, styles := map[string]bool{}, map[string]bool{}
	var load func(c chunk)
	load = func(c chunk) {
		scripts[c.File] = true
		for _, name := range c.CSS {
			styles[name] = true
		}
		for _, name := range c.Imports {
			if !scripts[chunks[name].File] {
				load(chunks[name])
			}
		}
	}
	load(entry)
	first, css, all := weigh(t, files, scripts), weigh(t, files, styles), 0
	for name := range assets(t, files) {
		all += served(t, files, name)
	}
	t.Logf("first load %d bytes of scripts and %d of styles, everything %d", first, css, all)
	for _, limit := range []struct {
		what      string
		got, most int
	}{{"the scripts of the first load", first, firstScripts}, {"the styles of the first load", css, firstStyles}, {"everything", all, everything}} {
		if limit.got > limit.most {
			t.Errorf("%s: %d bytes, and may be %d: load views when they are opened (web/src/app.tsx), or do without a package", limit.what, limit.got, limit.most)
		}
	}
}

// assets are the files that browsers load, with what they hold.
func assets(t *testing.T, files fs.FS) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	names, err := fs.Glob(files, "assets/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if !slices.Contains([]string{".js", ".css", ".svg"}, path.Ext(name)) {
			continue
		}
		if out[name], err = fs.ReadFile(files, name); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// served is the size in which a browser gets an asset over TLS: by brotli, as it was built.
func served(t *testing.T, files fs.FS, name string) int {
	t.Helper()
	body, err := fs.ReadFile(files, name+".br")
	if err != nil {
		t.Fatal(err)
	}
	return len(body)
}

func weigh(t *testing.T, files fs.FS, names map[string]bool) int {
	t.Helper()
	total := 0
	for name := range names {
		body, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		var small bytes.Buffer
		w, _ := gzip.NewWriterLevel(&small, gzip.BestCompression) // the level is a valid one
		_, _ = w.Write(body)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		total += small.Len()
	}
	return total
}

var address = regexp.MustCompile(`(?i)(?:https?:|wss?:)?//[a-z0-9-]+(?:\.[a-z0-9-]+)+[^\s"'` + "`" + `)]*`)

// names are addresses that nobody asks: names of XML vocabularies, and examples in hints.
var names = regexp.MustCompile(`^(?:https?:)?//(?:www\.w3\.org/|(?:[a-z0-9-]+\.)*example\.(?:com|org)\b|kubernetes\.default\.svc|127\.0\.0\.1\b|github\.com/|argo-cd\.readthedocs\.io)`)

func TestPageLeadsNowhereElse(t *testing.T) {
	files, _ := built(t)
	for name, body := range assets(t, files) {
		for _, found := range address.FindAllString(string(body), -1) {
			if !names.MatchString(found) {
				t.Errorf("%s has the address %s: the page asks its own server only", name, found)
			}
		}
	}
	document, err := fs.ReadFile(files, "index.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []string{"<style", " style=", " onload=", "://"} {
		if strings.Contains(string(document), wrong) {
			t.Errorf("index.html has %q, which its own policy refuses", wrong)
		}
	}
	if inline := regexp.MustCompile(`<script(?:\s[^>]*)?>[^<]`).FindString(string(document)); inline != "" {
		t.Errorf("index.html has a script in it: %s", inline)
	}
}
