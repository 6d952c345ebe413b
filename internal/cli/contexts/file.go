// SPDX-License-Identifier: Apache-2.0

package contexts

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/internal/fault"
)

// Read reads the contexts of a file; "" is that of the environment. A file that does not exist has none.
func Read(path string) (*File, error) {
	ours, theirs, err := paths()
	if path != "" {
		return read(path, path)
	}
	if err != nil {
		return nil, fault.Wrap(fault.Stalled, "find", "the contexts", err, "name a file with --config")
	}
	f, err := read(ours, ours)
	if err == nil && f.from == "" {
		return read(theirs, ours)
	}
	return f, err
}

// Path is where the contexts are written to.
func (f *File) Path() string { return f.path }

// Exists reports whether there was a file to read.
func (f *File) Exists() bool { return f.from != "" }

// paths returns our file and Argo CD's. BOWLINE_CONFIG_DIR and ARGOCD_CONFIG_DIR name their folders; like Argo CD's, theirs is
// in ~/.argocd if that exists, else in $XDG_CONFIG_HOME or ~/.config.
func paths() (ours, theirs string, err error) {
	home, err := os.UserHomeDir()
	base := os.Getenv("XDG_CONFIG_HOME")
	if base == "" {
		base = filepath.Join(home, ".config")
	} else {
		err = nil // no home is needed
	}
	ours, theirs = filepath.Join(base, "bowline"), filepath.Join(base, "argocd")
	if legacy := filepath.Join(home, ".argocd"); home != "" {
		if info, err := os.Stat(legacy); err == nil && info.IsDir() {
			theirs = legacy
		}
	}
	if dir := os.Getenv("ARGOCD_CONFIG_DIR"); dir != "" {
		theirs = dir
	}
	if dir := os.Getenv("BOWLINE_CONFIG_DIR"); dir != "" {
		ours, err = dir, nil
	}
	return filepath.Join(ours, "config"), filepath.Join(theirs, "config"), err
}

func read(path, write string) (*File, error) {
	f := &File{path: write}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return nil, fault.Wrap(fault.Stalled, "read", "the contexts", err, "make the file readable, or name another with --config")
	}
	if err := yaml.Unmarshal(data, f); err != nil {
		return nil, &fault.Error{Kind: fault.Mistake, Op: "read", Thing: "the contexts", Where: path, Err: err, Fix: "mend the file, or remove it and log in again"}
	}
	f.from = path
	return f, nil
}

// Write writes the contexts, readable by their owner only. A file that has no context left is removed, as Argo CD's is; ours
// stays, empty, where Argo CD's would be used without it.
func (f *File) Write() error {
	if len(f.Contexts) == 0 && !f.PromptsEnabled && f.from == f.path && !f.shadows() {
		if err := os.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fault.Wrap(fault.Stalled, "remove", "the contexts", err, "make its folder writable")
		}
		f.from = ""
		return nil
	}
	data, err := yaml.Marshal(f)
	if err != nil {
		return fault.Wrap(fault.Bug, "write", "the contexts", err, "")
	}
	if err := replace(f.path, data); err != nil {
		return fault.Wrap(fault.Stalled, "write", "the contexts", err, "make the folder writable, or name another file with --config")
	}
	f.from = f.path
	return nil
}

// shadows reports whether Argo CD's file would be used if ours were not there.
func (f *File) shadows() bool {
	ours, theirs, err := paths()
	if err != nil || f.path != ours || ours == theirs {
		return false
	}
	_, err = os.Stat(theirs)
	return err == nil
}

// replace writes a file in one, so that no reader sees half of it, readable by its owner only: it holds tokens.
func replace(path string, data []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(dir, ".config-*") // made with mode 0600
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return err
}
