// SPDX-License-Identifier: Apache-2.0

package app

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	testingclock "k8s.io/utils/clock/testing"

	"github.com/bowline-cd/bowline/internal/fault"
)

const canary = "hunter2-the-password"

// kept is a cache with a clock and a log that can be looked into.
type kept struct {
	*sealedFolder
	t     *testing.T
	data  string
	clock *testingclock.FakePassiveClock
	log   *bytes.Buffer
}

func newKept(t *testing.T, limit int64, secret string) *kept {
	k := &kept{t: t, data: t.TempDir(), clock: testingclock.NewFakePassiveClock(time.Now().Add(time.Hour)), log: &bytes.Buffer{}}
	k.begin(limit, secret)
	return k
}

// begin opens the folder as a new process would.
func (k *kept) begin(limit int64, secret string) {
	k.t.Helper()
	var err error
	k.sealedFolder, err = newSealedFolder(k.data, rendersFolder, limit, slog.New(slog.NewTextHandler(k.log, nil)), k.clock)
	if err == nil {
		err = k.SetKey(fault.NewSecret(secret))
	}
	if err != nil {
		k.t.Fatal(err)
	}
}

func (k *kept) save(key, data string) {
	k.t.Helper()
	k.clock.SetTime(k.clock.Now().Add(time.Second))
	if err := k.Save(key, []byte(data)); err != nil {
		k.t.Fatal(err)
	}
}

func (k *kept) expect(key, want string) {
	k.t.Helper()
	k.clock.SetTime(k.clock.Now().Add(time.Second))
	if got, err := k.Load(key); err != nil || string(got) != want || (want == "") != (got == nil) {
		k.t.Errorf("%s: %q, %v; want %q", key, got, err, want)
	}
}

func (k *kept) each(change func([]byte) []byte) {
	k.t.Helper()
	files, err := filepath.Glob(filepath.Join(k.dir, "*"))
	if err != nil || len(files) == 0 {
		k.t.Fatalf("%v, %v", files, err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err == nil {
			err = os.WriteFile(f, change(data), 0o600)
		}
		if err != nil {
			k.t.Fatal(err)
		}
	}
}

func TestKeptRendersOutliveTheProcess(t *testing.T) {
	k := newKept(t, 1<<20, "key")
	k.expect("a", "")
	k.save("a", "one")
	k.save("../b", "two")
	k.save("a", "three")
	k.begin(1<<20, "key")
	k.expect("a", "three")
	k.expect("../b", "two")
	assertPrivate(t, k.data, 2)
	if err := k.Save("a", nil); err != nil {
		t.Error(err)
	}
	k.expect("a", "")
	if s := k.Stats(); s.Files != 1 || s.Rejected != 0 {
		t.Errorf("%+v", s)
	}
}

func TestKeptRendersAreEncrypted(t *testing.T) {
	k := newKept(t, 1<<20, "key")
	k.save("argocd/"+canary, strings.Repeat(canary+" ", 100))
	k.each(func(data []byte) []byte {
		if bytes.Contains(data, []byte(canary)) || bytes.Contains(data, []byte(canary[:6])) {
			t.Error("a Secret can be read in the file")
		}
		return data
	})
	names, _ := filepath.Glob(filepath.Join(k.dir, "*"))
	if strings.Contains(fmt.Sprint(names), canary) {
		t.Errorf("the name says what it is: %v", names)
	}
	k.begin(1<<20, "another key")
	k.expect("argocd/"+canary, "")
	if s := k.Stats(); s.Files != 0 || s.Rejected != 0 || k.log.Len() > 0 {
		t.Errorf("a changed key is no attack: %+v, %s", s, k.log)
	}
}

func TestWithoutAKeyNothingIsKept(t *testing.T) {
	k := newKept(t, 1<<20, "")
	k.save("a", canary)
	k.save("b", canary)
	k.expect("a", "")
	assertPrivate(t, k.data, 0)
	if got := strings.Count(k.log.String(), "server.secretkey"); got != 1 {
		t.Errorf("it is said %d times: %s", got, k.log)
	}
	if err := k.SetKey(fault.NewSecret("key")); err != nil {
		t.Fatal(err)
	}
	k.save("a", "one")
	k.expect("a", "one")
}

func TestChangedFilesAreNotBelieved(t *testing.T) {
	for name, change := range map[string]func([]byte) []byte{
		"a bit":     func(d []byte) []byte { d[len(d)-1] ^= 1; return d },
		"the nonce": func(d []byte) []byte { d[len(cacheMagic)+keyIDSize] ^= 1; return d },
		"cut off":   func(d []byte) []byte { return d[:len(d)-1] },
		"empty":     func([]byte) []byte { return nil },
		"longer":    func(d []byte) []byte { return append(d, 0) },
		"no magic":  func(d []byte) []byte { return d[1:] },
	} {
		t.Run(name, func(t *testing.T) {
			k := newKept(t, 1<<20, "key")
			k.save("a", canary)
			k.each(change)
			k.expect("a", "")
			if s := k.Stats(); s.Files != 0 || s.Rejected != 1 {
				t.Errorf("%+v", s)
			}
			if !strings.Contains(k.log.String(), "changed or damaged") || strings.Contains(k.log.String(), canary) {
				t.Errorf("the log says %s", k.log)
			}
			k.save("a", "new")
			k.expect("a", "new")
		})
	}
}

// A file that was kept for one application is nothing to another.
func TestSwappedFilesAreNotBelieved(t *testing.T) {
	k := newKept(t, 1<<20, "key")
	k.save("a", "one")
	k.save("b", "two")
	if err := os.Rename(filepath.Join(k.dir, fileOf("a")), filepath.Join(k.dir, fileOf("b"))); err != nil {
		t.Fatal(err)
	}
	k.expect("b", "")
	k.expect("a", "")
	if s := k.Stats(); s.Rejected != 1 {
		t.Errorf("%+v", s)
	}
}

func TestTheLeastUsedMakesRoom(t *testing.T) {
	k := newKept(t, 10_000, "key")
	noise := func(n int) string {
		var b strings.Builder
		for i := range n / 10 {
			fmt.Fprintf(&b, "%010x", uint32(i)*2654435761)
		}
		return b.String()
	}
	content := noise(3000)
	for _, key := range []string{"a", "b", "c"} {
		k.save(key, content)
	}
	k.expect("a", content)
	before := k.Stats()
	for i := range 20 {
		k.save(fmt.Sprintf("more%d", i), content)
		k.expect("a", content)
	}
	if s := k.Stats(); s.Bytes > 10_000 || s.Files < 2 || before.Files < 3 {
		t.Errorf("%+v, before %+v", s, before)
	}
	k.expect("b", "")
	k.save("huge", noise(100_000))
	k.expect("huge", "")
	k.expect("a", content)
	k.begin(before.Bytes/int64(before.Files)*2, "key")
	k.expect("a", content)
	if s := k.Stats(); s.Files != 1 {
		t.Errorf("with less room: %+v", s)
	}
}

func TestHalfWrittenFilesAreRemoved(t *testing.T) {
	k := newKept(t, 1<<20, "key")
	if err := os.WriteFile(filepath.Join(k.dir, newPrefix+"1"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	k.begin(1<<20, "key")
	assertPrivate(t, k.data, 0)
}

func TestKeptRendersAtTheSameTime(t *testing.T) {
	k := newKept(t, 20_000, "key")
	var work sync.WaitGroup
	for n := range 8 {
		work.Go(func() {
			for i := range 50 {
				key := fmt.Sprint((n + i) % 5)
				if err := k.Save(key, []byte("content of "+key)); err != nil {
					t.Error(err)
				}
				if got, err := k.Load(key); err != nil || got != nil && string(got) != "content of "+key {
					t.Errorf("%s: %q, %v", key, got, err)
				}
			}
		})
	}
	work.Wait()
	if s := k.Stats(); s.Rejected != 0 || s.Files != 5 {
		t.Errorf("%+v", s)
	}
}

// Nothing that somebody writes into a file comes out of it.
func FuzzKeptFile(f *testing.F) {
	key, err := deriveKey(fault.NewSecret("key"), rendersFolder)
	if err != nil {
		f.Fatal(err)
	}
	good, err := key.seal("a", []byte("content"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(cacheMagic)+keyIDSize])
	f.Add([]byte(cacheMagic))
	f.Fuzz(func(t *testing.T, sealed []byte) {
		data, err := key.open("a", sealed, 1<<20)
		if err == nil && string(data) != "content" { // each process that fuzzes seals it with a nonce of its own
			t.Errorf("a forged file gave %q", data)
		}
	})
}
