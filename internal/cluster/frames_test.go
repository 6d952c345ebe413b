// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

func TestFramesCutValues(t *testing.T) {
	for _, text := range []string{
		`{}`, `[]`, `"a"`, `"a\"b\\"`, `12.5e3`, `true`, `null`, `{"a":"}","b":["]",{"c":"\\\""}]}`, `""`,
	} {
		for name, reader := range map[string]func(string) io.Reader{
			"at once":      func(s string) io.Reader { return strings.NewReader(s) },
			"byte by byte": func(s string) io.Reader { return iotest.OneByteReader(strings.NewReader(s)) },
		} {
			t.Run(text+" "+name, func(t *testing.T) {
				f := newFrames(reader(" " + text + "\n" + text + ","))
				for range 2 {
					got, err := f.value()
					if err != nil || string(got) != text {
						t.Errorf("value = %q, %v", got, err)
					}
				}
				if ok, err := f.take(','); !ok || err != nil {
					t.Errorf("the comma after it: %v, %v", ok, err)
				}
				if _, err := f.value(); !errors.Is(err, io.EOF) {
					t.Errorf("at the end: %v, want io.EOF", err)
				}
			})
		}
	}
}

func TestFramesSayWhatIsCutOff(t *testing.T) {
	for _, text := range []string{`{`, `{"a"`, `{"a":1`, `[1,`, `"abc`, `"abc\`} {
		if _, err := newFrames(strings.NewReader(text)).value(); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v, want io.ErrUnexpectedEOF", text, err)
		}
	}
	if _, err := newFrames(strings.NewReader(`,`)).value(); !errors.Is(err, errNotJSON) {
		t.Errorf("a comma: %v", err)
	}
}

// A list whose end did not come is an error, whatever was in it; half a list is not a list.
func TestListThatIsCutAnywhereIsAnError(t *testing.T) {
	whole := `{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"7","continue":"x"},"items":[{"metadata":{"name":"a"}},{"metadata":{"name":"b"}}]}`
	read := func(text string) (listHead, int, error) {
		n := 0
		head, err := readList(strings.NewReader(text), func([]byte) error { n++; return nil })
		return head, n, err
	}
	if head, n, err := read(whole); err != nil || n != 2 || head != (listHead{rv: "7", next: "x"}) {
		t.Fatalf("the whole list: %+v, %d items, %v", head, n, err)
	}
	for i := range len(whole) {
		if _, _, err := read(whole[:i]); err == nil {
			t.Errorf("%s: no error", whole[:i])
		}
	}
	for _, other := range []string{`{}`, `null`, `[]`, `{"kind":"Status"}`, `{"kind":"ConfigMapList","items":{}}`, `<html>`, ``} {
		if _, _, err := read(other); err == nil {
			t.Errorf("%s counts as a list", other)
		}
	}
	sorted := `{"apiVersion":"v1","items":[{"metadata":{"name":"a"}}],"kind":"WidgetList","metadata":{"continue":"","resourceVersion":"7"}}`
	if head, n, err := read(sorted); err != nil || n != 1 || head.rv != "7" {
		t.Errorf("with sorted fields: %+v, %d items, %v", head, n, err)
	}
	if head, n, err := read(`{"kind":"WidgetList","metadata":{"resourceVersion":"7"},"items":null}`); err != nil || n != 0 || head.rv != "7" {
		t.Errorf("with null for no items: %+v, %d items, %v", head, n, err)
	}
}

// Whatever the library reads, frames cut at the same places.
func FuzzFrames(f *testing.F) {
	f.Add([]byte(`{"a":[1,2,{"b":"\"}"}]} "x" 1 null`), 3)
	f.Add(manifest("a", "u", "1", "app"), 1)
	f.Fuzz(func(t *testing.T, raw []byte, piece int) {
		var want []json.RawMessage
		for dec := json.NewDecoder(bytes.NewReader(raw)); ; {
			var value json.RawMessage
			if err := dec.Decode(&value); err != nil {
				break
			}
			want = append(want, value)
		}
		frames := newFrames(&pieces{raw, max(1, piece%97)})
		for i, value := range want {
			got, err := frames.value()
			if i == len(want)-1 && len(got) > len(value) || bytes.ContainsAny(value, "0123456789truefalsn") && value[0] != '{' && value[0] != '[' && value[0] != '"' {
				return // numbers and words that touch each other are not what an API server writes
			}
			if err != nil || !bytes.Equal(got, value) {
				t.Fatalf("value %d = %q, %v, want %q", i, got, err, value)
			}
		}
	})
}

// The metadata of an object is what the library reads of it.
func FuzzMetadata(f *testing.F) {
	f.Add(manifest("a", "u", "1", "app"))
	f.Add([]byte(` { "metadata" : {"name":"a\u00e4","labels":{"a":"b"},"annotations":{"x\"":"\\"},"ownerReferences":[{"uid":"1"}],"generation":3,"deletionTimestamp":"2026-01-01T00:00:00Z"} , "data" : {} }`))
	f.Add([]byte(`{"metadata":null}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var want struct {
			Metadata itemMeta `json:"metadata"`
		}
		if !utf8.Valid(raw) || bytes.Count(raw, []byte(`"metadata"`)) > 1 || unmarshal(raw, &want) != nil {
			return
		}
		got, err := decodeItem(raw)
		if err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		delete(want.Metadata.Annotations, lastApplied)
		if got.meta.Labels == nil && len(want.Metadata.Labels) == 0 {
			want.Metadata.Labels = nil
		}
		if got.meta.Annotations == nil && len(want.Metadata.Annotations) == 0 {
			want.Metadata.Annotations = nil
		}
		if !reflect.DeepEqual(got.meta, want.Metadata) {
			t.Errorf("%s: %+v, want %+v", raw, got.meta, want.Metadata)
		}
	})
}

type pieces struct {
	raw  []byte
	size int
}

func (p *pieces) Read(to []byte) (int, error) {
	if len(p.raw) == 0 {
		return 0, io.EOF
	}
	n := copy(to, p.raw[:min(p.size, len(p.raw))])
	p.raw = p.raw[n:]
	return n, nil
}

// BenchmarkReadList compares cutting a list with reading it into memory first.
func BenchmarkReadList(b *testing.B) {
	var list bytes.Buffer
	list.WriteString(`{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"7"},"items":[`)
	const n = 500
	for i := range n {
		if i > 0 {
			list.WriteByte(',')
		}
		list.Write(manifest(fmt.Sprint("config-", i), fmt.Sprint("uid-", i), fmt.Sprint(i), "shop"))
	}
	list.WriteString(`]}`)
	b.SetBytes(int64(list.Len()))
	b.Run("cut", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := readList(bytes.NewReader(list.Bytes()), func([]byte) error { return nil }); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode the metadata", func(b *testing.B) {
		b.ReportAllocs()
		raw := manifest("a", "u", "1", "shop")
		for b.Loop() {
			for range n {
				if _, err := decodeItem(raw); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("pack", func(b *testing.B) {
		raw := manifest("a", "u", "1", "shop")
		for b.Loop() {
			for range n {
				pack(raw)
			}
		}
	})
}
