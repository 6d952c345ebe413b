// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestARestartRendersNothing(t *testing.T) {
	w := newEverything(t, asHelm, "kube\napis\nvar ARGOCD_APP_NAME")
	before := w.show(w.app)
	w.begin()
	after := w.expectRenders("after a restart", 0, w.app)
	compare(t, w.app, before, after)
	if diff := cmp.Diff(before.Explain().Sources[0].Reads, after.Explain().Sources[0].Reads); diff != "" {
		t.Error(diff)
	}
	w.commit("r", files{"app/other": text("2")})
	w.begin()
	w.expectRenders("at a commit that came meanwhile", 0, w.app)
	w.commit("r", files{"app/a": text("2")})
	w.begin()
	w.expectRenders("at a commit that changed something", 1, w.app)
}

func TestWhatTheCacheHoldsIsNotBelieved(t *testing.T) {
	for name, spoil := range map[string]func(m *mapMemory){
		"lost":    func(m *mapMemory) { clear(m.records) },
		"cut off": func(m *mapMemory) { each(m, func(d []byte) []byte { return d[:len(d)/2] }) },
		"of another version": func(m *mapMemory) {
			each(m, func(d []byte) []byte { return []byte(`{"libraries":"other","mounts":[{"reads":null}],"key":"x"}`) })
		},
		"empty":      func(m *mapMemory) { each(m, func([]byte) []byte { return []byte("{}") }) },
		"unreadable": func(m *mapMemory) { m.loadErr = errors.New("disk on fire") },
	} {
		t.Run(name, func(t *testing.T) {
			w := newEverything(t, asDirectory, "")
			before := w.show(w.app)
			spoil(w.cache)
			w.begin()
			after := w.expectRenders("after a restart", 1, w.app)
			compare(t, w.app, before, after)
		})
	}
}

func each(m *mapMemory, change func([]byte) []byte) {
	for k, v := range m.records {
		m.records[k] = change(v)
	}
}

func TestACacheThatCannotBeWrittenStopsNothing(t *testing.T) {
	w := newEverything(t, asDirectory, "")
	w.cache.saveErr = errors.New("disk full")
	w.expectRenders("first", 1, w.app)
	w.expectRenders("then", 0, w.app)
	w.begin()
	w.expectRenders("after a restart", 1, w.app)
}

func TestForgettingEmptiesTheCache(t *testing.T) {
	w := newEverything(t, asDirectory, "")
	w.show(w.app)
	if len(w.cache.records) != 1 {
		t.Fatalf("%d records", len(w.cache.records))
	}
	if err := w.engine.Forget(id(w.app)); err != nil || len(w.cache.records) != 0 {
		t.Errorf("%d records are left, %v", len(w.cache.records), err)
	}
}

// A look at another revision leaves what is kept of the newest one alone.
func TestALookBackIsNotKept(t *testing.T) {
	w := newEverything(t, asDirectory, "roll f0")
	w.show(w.app)
	w.commit("r", files{"app/a": text("2")})
	newest := w.show(w.app)
	if _, err := w.engine.At(context.Background(), id(w.app), "default", w.app.Spec.Sources, []string{"r1"}, w.target); err != nil {
		t.Fatal(err)
	}
	w.begin()
	if state := w.expectRenders("after a restart", 0, w.app); state.Digest != newest.Digest {
		t.Error("it is another one")
	}
}

// A kept render is what was kept, or nothing; it never makes the process fall.
func FuzzDecodeRender(f *testing.F) {
	t := &testing.T{}
	w := newEverything(t, asHelm, "kube\napis\nroll f0\nvar ARGOCD_APP_NAME")
	if _, err := w.ask(w.app); err != nil {
		f.Fatal(err)
	}
	for _, data := range w.cache.records {
		f.Add(data)
	}
	f.Add([]byte(fmt.Sprintf(`{"libraries":%q,"key":"k","mounts":[{}],"manifests":[{"json":{"kind":"x"}}]}`, libraries())))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := decodeRender(data)
		if err != nil {
			return
		}
		encoded, err := encodeRender(r)
		if err != nil {
			t.Fatalf("what was decoded cannot be encoded: %v", err)
		}
		again, err := decodeRender(encoded)
		if err != nil || !reflect.DeepEqual(r, again) {
			t.Errorf("it is not the same after a second time (%v)\n%+v\n%+v", err, r, again)
		}
		for _, m := range r.mounts {
			m.reads.roots()
			m.reads.touched("a/b")
		}
	})
}
