// SPDX-License-Identifier: Apache-2.0

package app

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestFileMemory(t *testing.T) {
	data := t.TempDir()
	m, err := newFileMemory(data)
	if err != nil {
		t.Fatal(err)
	}
	expect := func(id, want string) {
		t.Helper()
		if got, err := m.Load(id); err != nil || string(got) != want || (want == "") != (got == nil) {
			t.Errorf("%s: %q, %v", id, got, err)
		}
	}
	save := func(id string, data []byte) {
		t.Helper()
		if err := m.Save(id, data); err != nil {
			t.Fatal(err)
		}
	}
	expect("argocd/web", "")
	save("argocd/web", []byte("one"))
	save("../../etc/passwd", []byte("two"))
	save("argocd/web", []byte("three"))
	expect("argocd/web", "three")
	expect("../../etc/passwd", "two")
	if again, err := newFileMemory(data); err != nil {
		t.Error(err)
	} else if got, _ := again.Load("argocd/web"); string(got) != "three" {
		t.Errorf("after a restart: %q", got)
	}
	assertPrivate(t, data, 2)
	save("argocd/web", nil)
	save("argocd/web", nil)
	expect("argocd/web", "")
	assertPrivate(t, data, 1)
}

// assertPrivate checks that nobody else can read the files, and that there are as many as there should be.
func assertPrivate(t *testing.T, data string, want int) {
	t.Helper()
	n := 0
	err := filepath.Walk(data, func(p string, info os.FileInfo, err error) error {
		if err != nil || p == data {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", p, info.Mode())
		}
		if !info.IsDir() {
			n++
		}
		return nil
	})
	if err != nil || n != want {
		t.Errorf("%d files, %v", n, err)
	}
}

// A reader never sees half a record.
func TestFileMemoryReplacesAtOnce(t *testing.T) {
	m, err := newFileMemory(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	record := func(i int) []byte { return []byte(strings.Repeat(fmt.Sprint(i%10), 10_000)) }
	if err := m.Save("web", record(0)); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var work sync.WaitGroup
	work.Go(func() {
		defer close(done)
		for i := range 200 {
			if err := m.Save("web", record(i)); err != nil {
				t.Error(err)
			}
		}
	})
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		data, err := m.Load("web")
		if err != nil || len(data) != 10_000 || strings.Trim(string(data), string(data[:1])) != "" {
			t.Fatalf("%d bytes, %v", len(data), err)
		}
	}
	work.Wait()
}

func TestFileMemorySaysWhatFails(t *testing.T) {
	data := t.TempDir()
	m, err := newFileMemory(data)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(data); err != nil {
		t.Fatal(err)
	}
	if err := m.Save("web", []byte("x")); err == nil {
		t.Error("a record that could not be written was")
	}
	if got, err := m.Load("web"); got != nil || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := newFileMemory(file); err == nil {
		t.Error("a file serves as the data folder")
	}
}
