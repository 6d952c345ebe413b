// SPDX-License-Identifier: Apache-2.0

package object

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"sigs.k8s.io/yaml"
)

func TestParseYAML(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/documents.txtar")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range archive.Files {
		files[f.Name] = string(f.Data)
	}
	for name, text := range files {
		if strings.HasSuffix(name, ".want") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			want, ok := files[name+".want"]
			if !ok {
				t.Fatal("nothing is wanted of it")
			}
			docs, err := ParseYAML(name, []byte(disguise(name, text)))
			if diff := cmp.Diff(want, describe(t, name, docs, err)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// disguise rewrites a text in ways that an archive cannot show.
func disguise(name, text string) string {
	text = strings.ReplaceAll(text, "→", "\t")
	if strings.Contains(name, "crlf") {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	if strings.Contains(name, "bom") {
		text = "\ufeff" + text
	}
	return text
}

func describe(t *testing.T, name string, docs []Document, err error) string {
	t.Helper()
	if err != nil {
		var parse *ParseError
		if !errors.As(err, &parse) || parse.File != name || len(docs) != 0 {
			t.Fatalf("got %d documents and %#v, want a *ParseError alone", len(docs), err)
		}
		return fmt.Sprintf("! %d: %v\n", parse.Line, parse.Err)
	}
	var b strings.Builder
	for _, d := range docs {
		content := "not a mapping"
		if d.Data != nil {
			raw, err := json.Marshal(d.Data)
			if err != nil {
				t.Fatal(err)
			}
			content = string(raw)
		}
		fmt.Fprintf(&b, "%d: %s\n", d.Line, content)
		for _, r := range d.Repeated {
			fmt.Fprintf(&b, "  again at %d: %s\n", r.Line, r.Key)
		}
	}
	return b.String()
}

func TestParseYAMLReadsUTF16(t *testing.T) {
	const text = "kind: Ä\n---\nkind: 😀\n"
	for name, order := range map[string][2]int{"big endian": {8, 0}, "little endian": {0, 8}} {
		t.Run(name, func(t *testing.T) {
			var data []byte
			for _, u := range utf16.Encode([]rune("\ufeff" + text)) {
				data = append(data, byte(u>>order[0]), byte(u>>order[1]))
			}
			docs, err := ParseYAML("x.yaml", data)
			if got := describe(t, "x.yaml", docs, err); got != "1: {\"kind\":\"Ä\"}\n3: {\"kind\":\"😀\"}\n" {
				t.Errorf("got %s", got)
			}
			if _, err := ParseYAML("x.yaml", data[:len(data)-1]); err == nil {
				t.Error("half a character was accepted")
			}
		})
	}
}

// Small files must not become large objects.
func TestParseYAMLBoundsAliases(t *testing.T) {
	laughs := "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
	for i := 1; i < 10; i++ {
		laughs += fmt.Sprintf("a%d: &a%d [%s*a%d]\n", i, i, strings.Repeat(fmt.Sprintf("*a%d,", i-1), 9), i-1)
	}
	quadratic := "text: &t " + strings.Repeat("x", 100_000) + "\nlist: [" + strings.Repeat("*t,", 200) + "]\n"
	deep := strings.Repeat("[", 100_000)
	for name, text := range map[string]string{"laughs": laughs, "quadratic": quadratic, "deep": deep, "deep JSON": strings.Repeat(`{"a":`, 100_000)} {
		t.Run(name, func(t *testing.T) {
			if docs, err := ParseYAML("bomb.yaml", []byte(text)); err == nil {
				t.Errorf("accepted, %d documents", len(docs))
			}
		})
	}
}

func TestParseYAMLReadsLargeFiles(t *testing.T) {
	var b strings.Builder
	const n = 5_000
	for i := range n {
		fmt.Fprintf(&b, "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c%d}\ndata: {text: %q}\n", i, strings.Repeat("y", 100))
	}
	docs, err := ParseYAML("large.yaml", []byte(b.String()))
	if err != nil || len(docs) != n {
		t.Fatalf("%d documents, %v", len(docs), err)
	}
	if last := docs[n-1]; last.Line != (n-1)*5+2 {
		t.Errorf("the last begins on line %d", last.Line)
	}
}

func TestParseJSON(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"object", "\n{\"a\": 1, \"b\": 2.0}", `2: {"a":1,"b":2}`},
		{"byte order mark", "\ufeff{\"a\": \"\\ud83d\\ude00\"}", `1: {"a":"😀"}`},
		{"two objects", "{\"a\": 1}\n{\"b\": 2}", "! x.json:2: more follows the first object: a .json file holds one"},
		{"array", "[{}]", "! x.json:1: it holds a JSON array, not an object"},
		{"null", "null", "! x.json:1: it holds a JSON null, not an object"},
		{"empty", " \n", "! x.json:1: the file is empty"},
		{"cut off", "{\"a\":\n1", "! x.json:2: not valid JSON: it ends too early"},
		{"a comma too many", "{\n\"a\": 1,\n}", "! x.json:3: not valid JSON: invalid character '}' looking for beginning of object key string"},
		{"number too large", "{\"password\": 1e999}", "! x.json:1: not valid JSON: password: a number does not fit into 64 bits"},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc, err := ParseJSON("x.json", []byte(c.text))
			got := fmt.Sprint("! ", err)
			if err == nil {
				raw, _ := json.Marshal(doc.Data)
				got = fmt.Sprintf("%d: %s", doc.Line, raw)
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// Whatever is thrown at it, it returns; what Kubernetes' own reader takes as one document reads the same here.
func FuzzParseYAML(f *testing.F) {
	archive, err := txtar.ParseFile("testdata/documents.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range archive.Files {
		f.Add([]byte(disguise(file.Name, string(file.Data))))
	}
	f.Add([]byte("a: 1\r---\rb: 2"))
	f.Add([]byte("a: 1e22\nb: -9223372036854775809\nc: 1152921504606846976.0"))
	f.Fuzz(func(t *testing.T, data []byte) {
		docs, err := ParseYAML("f.yaml", data)
		if err != nil {
			var parse *ParseError
			if !errors.As(err, &parse) || parse.File != "f.yaml" || parse.Line > 1+strings.Count(string(data), "\n")+len(data) {
				t.Fatalf("not a fitting *ParseError: %#v", err)
			}
			return
		}
		for _, d := range docs {
			if d.Line < 1 {
				t.Errorf("document on line %d", d.Line)
			}
			if _, err := json.Marshal(d.Data); err != nil {
				t.Errorf("no JSON form: %v", err)
			}
		}
		if len(splitDocuments(data)) != 1 || len(docs) != 1 {
			return
		}
		raw, err := yaml.YAMLToJSON(data)
		if err != nil || docs[0].Data == nil {
			return
		}
		var theirs map[string]any
		if err := json.Unmarshal(raw, &theirs); err != nil {
			return
		}
		if !reflect.DeepEqual(floats(theirs), floats(docs[0].Data)) {
			t.Errorf("%q\nours   %v\ntheirs %v", data, docs[0].Data, theirs)
		}
	})
}

// floats makes numbers comparable: only their values are.
func floats(v any) any {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = floats(v[i])
		}
		return out
	case map[string]any:
		out := maps.Clone(v)
		for k := range out {
			out[k] = floats(out[k])
		}
		return out
	}
	return v
}
