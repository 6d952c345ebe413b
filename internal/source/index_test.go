// SPDX-License-Identifier: Apache-2.0

package source

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/test/registry"
)

// versionsOf writes versions as one line: version, first URL, digest.
func versionsOf(found map[string][]chartVersion, chart string) string {
	var out []string
	for _, v := range found[chart] {
		out = append(out, strings.TrimSpace(fmt.Sprint(v.Version, " ", strings.Join(v.URLs, ","), " ", v.Digest)))
	}
	return strings.Join(out, "; ")
}

func TestScanIndex(t *testing.T) {
	const want = "1.1.0 web-1.1.0.tgz,second.tgz abc; 1.0.0 web-1.0.0.tgz"
	for name, text := range map[string]string{
		"as Helm writes it": `apiVersion: v1
entries:
  app:
  - version: 9.9.9
    urls:
    - app.tgz
  web:
  - annotations:
      version: 6.6.6
      text: |
        version: 7.7.7

        urls: none
    apiVersion: v2
    created: "2026-01-01T00:00:00Z"
    dependencies:
    - name: other
      version: 8.8.8
    description: |-
      version: 5.5.5
    digest: abc
    name: web
    urls:
    - web-1.1.0.tgz
    - second.tgz
    version: 1.1.0
  - version: 1.0.0
    urls: [web-1.0.0.tgz]
  zoo:
  - version: 2.2.2
generated: "2026-01-01T00:00:00Z"
`,
		"indented lists, quotes, comments": `---
# an index
"apiVersion": v1
entries: # of charts
    app: []
    "web":   # the one
      - version: "1.1.0"   # newest
        digest: 'abc'
        urls:
            - "web-1.1.0.tgz"
            # and
            - second.tgz
        description: >-
          folded
          text: x
      -
        urls:
        - web-1.0.0.tgz

        version: '1.0.0'
    zoo: [{version: 1.0.0}]
serverInfo: {}
`,
		"windows":          "apiVersion: v1\r\nentries:\r\n  web:\r\n  - version: 1.1.0\r\n    digest: abc\r\n    urls:\r\n    - web-1.1.0.tgz\r\n    - second.tgz\r\n  - version: 1.0.0\r\n    urls:\r\n    - web-1.0.0.tgz\r\n",
		"entries first":    "entries:\n  web:\n  - {}\n",
		"JSON":             `{"apiVersion":"v1","x":[[{"a":"]}\\\""}]],"entries":{"app":[{"version":"9"}],"web":[{"version":"1.1.0","urls":["web-1.1.0.tgz","second.tgz"],"digest":"abc","deep":{"version":"7"}},{"urls":["web-1.0.0.tgz"],"version":"1.0.0"}],"n":null}}`,
		"JSON with spaces": "\n { \"entries\" : { \"web\" : [ { \"version\" : \"1.1.0\", \"digest\":\"abc\",\n \"urls\" : [ \"web-1.1.0.tgz\" , \"second.tgz\" ] } , {\"version\":\"1.0.0\",\"urls\":[\"web-1.0.0.tgz\"]} ] } }\n",
	} {
		found, err := scanIndex(strings.NewReader(text), map[string]bool{"web": true})
		if name == "entries first" {
			if err == nil {
				t.Errorf("%s: versions in braces were read as %v", name, found)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := versionsOf(found, "web"); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, want)
		}
		if len(found) != 1 {
			t.Errorf("%s: also found %v", name, found)
		}
	}
}

func TestScanIndexThatHasNothing(t *testing.T) {
	for _, text := range []string{
		"apiVersion: v1\n", "apiVersion: v1\nentries: {}\n", "entries:\n", "entries: null\n", "apiVersion: v1\nentries:\n  other:\n  - version: 1.0.0\n", `{"entries":{}}`, `{"apiVersion":"v1"}`,
		`{"entries":null}`, "apiVersion: v1\nentries:\n  web: []\n",
	} {
		found, err := scanIndex(strings.NewReader(text), map[string]bool{"web": true})
		if err != nil || len(found["web"]) != 0 {
			t.Errorf("%q: %v, %v", text, found, err)
		}
	}
}

// What cannot be read is an error, never an index without charts.
func TestScanIndexThatIsNone(t *testing.T) {
	for _, text := range []string{
		"", "   \n", "<!DOCTYPE html>\n<html></html>\n", "404 page not found\n", "kind: List\nitems: []\n", "[]", "{", `{"entries":{"web":[{"version":"1.0.0"`, `{"a":1}`, `{"entries":{"web":[1]}}`,
		`{"entries" "web"}`, "entries: {web: [{version: 1.0.0}]}\n", "apiVersion: v1\nentries:\n  web: [{version: 1.0.0}]\n", "apiVersion: v1\nentries:\n  web:\n    version: 1.0.0\n",
		"apiVersion: v1\nentries:\n  web:\n  - *other\n", "apiVersion: v1\nentries:\n  web:\n  - version: *v\n", "apiVersion: v1\nentries:\n    web:\n    - version: 1.0.0\n  zoo:\n  - version: 1.0.0\n",
		"apiVersion: v1\nentries:\n  web:\n  - version: [1, 2\n", "apiVersion: v1\nentries:\n  web:\n  - <<: *x\n    version: 1.0.0\n",
		"apiVersion: v1\nentries:\n  web:\n  - version: 1.0.0\n    urls:\n    - " + strings.Repeat("x", 1<<20) + "\n",
		`{"entries":{"web":[{"version":"` + strings.Repeat("x", 4<<20) + `"}]}}`,
	} {
		found, err := scanIndex(strings.NewReader(text), map[string]bool{"web": true})
		if !errors.Is(err, errIndex) {
			t.Errorf("%.80q: %v, %v", text, found, err)
		}
	}
}

// bigIndex gives an index of many charts a line at a time.
type bigIndex struct {
	charts, versions int
	chart, version   int
	buffer           []byte
}

func (b *bigIndex) Read(p []byte) (int, error) {
	for len(b.buffer) == 0 {
		switch {
		case b.chart == b.charts:
			return 0, io.EOF
		case b.chart == 0 && b.version == 0:
			b.buffer = append(b.buffer, "apiVersion: v1\nentries:\n"...)
		}
		if b.version == 0 {
			b.buffer = fmt.Appendf(b.buffer, "  chart-%d:\n", b.chart)
		}
		b.buffer = fmt.Appendf(b.buffer, `  - annotations:
      artifacthub.io/images: |
        - name: image
          image: registry.example.com/team/image-%[1]d:%[2]d
%[3]s    apiVersion: v2
    appVersion: "%[2]d"
    created: "2026-01-02T03:04:05.678901234Z"
    description: The chart number %[1]d of a large repository, in its version %[2]d
    digest: "%064[2]d"
    name: chart-%[1]d
    urls:
    - https://charts.example.com/files/chart-%[1]d-1.%[2]d.0.tgz
    version: 1.%[2]d.0
`, b.chart, b.version, strings.Repeat("        - name: another\n          image: registry.example.com/team/another:latest\n", 10))
		if b.version++; b.version == b.versions {
			b.chart, b.version = b.chart+1, 0
		}
	}
	n := copy(p, b.buffer)
	b.buffer = b.buffer[n:]
	return n, nil
}

func TestLargeIndexIsNotHeld(t *testing.T) {
	const charts, versions = 500, 90
	var start, before, after runtime.MemStats
	runtime.ReadMemStats(&start)
	size, err := io.Copy(io.Discard, &bigIndex{charts: charts, versions: versions})
	if err != nil || size < 50<<20 {
		t.Fatalf("the index has %d bytes, %v", size, err)
	}
	wanted := map[string]bool{"chart-0": true, "chart-250": true, "chart-499": true}
	runtime.ReadMemStats(&before)
	found, err := scanIndex(&bigIndex{charts: charts, versions: versions}, wanted)
	runtime.ReadMemStats(&after)
	if err != nil || len(found) != 3 || len(found["chart-250"]) != versions || found["chart-499"][89].Version != "1.89.0" {
		t.Fatalf("found %d charts, %v", len(found), err)
	}
	// All that was allocated on the way, without what making the index costs, is an upper bound of what was held.
	if took := int64(after.TotalAlloc-before.TotalAlloc) - int64(before.TotalAlloc-start.TotalAlloc); took > 16<<20 {
		t.Errorf("%d MiB allocated for an index of %d MiB", took>>20, size>>20)
	} else {
		t.Logf("%d KiB allocated for an index of %d MiB", took>>10, size>>20)
	}
}

func TestLargeIndexOfAServer(t *testing.T) {
	content, err := io.ReadAll(&bigIndex{charts: 500, versions: 90})
	if err != nil {
		t.Fatal(err)
	}
	server := registry.New(t, registry.Options{})
	server.Put("c/index.yaml", content)
	s, r := openStore(t, nil), Repository{URL: server.URL + "/c"}
	if p := mustResolve(t, s, r, chartOf("chart-77", "<1.80")); p.Version != "1.79.0" {
		t.Errorf("%+v", p)
	}
	_, err = s.ResolveArtifact(t.Context(), r, chartOf("chart-9999", ""))
	wantUnknown(t, err, "no chart")
	if n := server.Count("index.yaml"); n != 1 {
		t.Errorf("%d requests", n)
	}
}

// FuzzScanIndex holds the scan against a parser that reads all: where both read an index, they find the same; and no text makes
// the scan find what the parser does not.
func FuzzScanIndex(f *testing.F) {
	f.Add("apiVersion: v1\nentries:\n  web:\n  - version: 1.0.0\n    urls:\n    - a\n    digest: b\n")
	f.Add("entries:\n  web:\n    - urls: [a, b]\n      version: \"2\"\n      description: |\n        version: 3\n  x: []\n")
	f.Add(`{"entries":{"web":[{"version":"1.0.0","urls":["a"]}]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		found, err := scanIndex(strings.NewReader(text), map[string]bool{"web": true})
		if err != nil {
			return
		}
		var whole struct {
			Entries map[string][]chartVersion `json:"entries"`
		}
		if yaml.Unmarshal([]byte(text), &whole) != nil {
			return // it is the publisher's own; being lenient gives nobody else's charts
		}
		want := slices.DeleteFunc(whole.Entries["web"], func(v chartVersion) bool { return v.Version == "" })
		got := versionsOf(found, "web")
		if expected := versionsOf(map[string][]chartVersion{"web": want}, "web"); got != expected {
			t.Errorf("%q\ngot  %s\nwant %s", text, got, expected)
		}
	})
}

// A version that repeats a long text by aliases is refused before any of it is written out.
func TestScanIndexOfAliases(t *testing.T) {
	text := "apiVersion: v1\nentries:\n  web:\n  - version: 1.0.0\n    urls: [&a " + strings.Repeat("x", 32<<10) + "," + strings.Repeat("*a,", 400) + "]\n"
	found, err := scanIndex(strings.NewReader(text), map[string]bool{"web": true})
	if err == nil {
		t.Errorf("an index of aliases gives %s", versionsOf(found, "web"))
	}
}
