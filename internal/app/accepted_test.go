// SPDX-License-Identifier: Apache-2.0

package app

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
)

func TestAcceptedFormsOutliveTheProcess(t *testing.T) {
	data, log := t.TempDir(), slog.New(slog.DiscardHandler)
	open := func(version string) *acceptedForms {
		folder, err := newSealedFolder(data, acceptedFolder, acceptedBytes, log, realClock)
		if err != nil {
			t.Fatal(err)
		}
		if err := folder.SetKey(fault.NewSecret("key")); err != nil {
			t.Fatal(err)
		}
		return newAcceptedForms(folder, version, log)
	}
	web, db := object.Key{Group: "apps", Kind: "Deployment", Namespace: "a", Name: "web"}, object.Key{Kind: "Secret", Namespace: "a", Name: "db"}
	forms := map[object.Key]diff.Accepted{web: {Desired: "d1", Form: "f1"}, db: {Desired: "d2", Form: "plain-digest"}}

	first := open("v1")
	first.Save("shop", "here", forms)
	if diff := cmp.Diff(forms, first.Load("shop", "here")); diff != "" {
		t.Errorf("before it is written: %s", diff)
	}
	if err := first.Flush(); err != nil {
		t.Fatal(err)
	}
	first.Save("shop", "here", map[object.Key]diff.Accepted{web: {}})
	if err := first.Flush(); err != nil {
		t.Fatal(err)
	}

	next := open("v1")
	if diff := cmp.Diff(map[object.Key]diff.Accepted{db: forms[db]}, next.Load("shop", "here")); diff != "" {
		t.Errorf("after a restart, of which one was forgotten: %s", diff)
	}
	for _, of := range []acceptedOf{{"shop", "there"}, {"other", "here"}} {
		if kept := next.Load(of.app, of.server); len(kept) > 0 {
			t.Errorf("%v knows %v", of, kept)
		}
	}
	if kept := open("v2").Load("shop", "here"); len(kept) > 0 {
		t.Errorf("another version of the program goes by %v", kept)
	}
	holdsNothing(t, filepath.Join(data, acceptedFolder), "plain-digest")
}

func holdsNothing(t *testing.T, dir, text string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil || len(files) == 0 {
		t.Fatalf("nothing is written to %s: %v", dir, err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(raw, []byte(text)) {
			t.Errorf("%s holds %q", f.Name(), text)
		}
	}
}
