// SPDX-License-Identifier: Apache-2.0

package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/bowline-cd/bowline/internal/object"
)

// fileMemory keeps one small file for each application in the data folder. It implements desired.Memory.
type fileMemory struct{ dir string }

func newFileMemory(data string) (*fileMemory, error) {
	m := &fileMemory{dir: filepath.Join(data, "resolved")}
	if err := os.MkdirAll(m.dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder for resolved revisions: %w", err)
	}
	return m, nil
}

// path names the file of an application. Names are hashed: they may hold characters that paths may not.
func (m *fileMemory) path(id string) string {
	return filepath.Join(m.dir, string(object.DigestBytes([]byte(id)))+".json")
}

// Load implements desired.Memory.
func (m *fileMemory) Load(id string) ([]byte, error) {
	data, err := os.ReadFile(m.path(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

// Save implements desired.Memory. A reader sees the old record or the new one, never half of one.
func (m *fileMemory) Save(id string, data []byte) error {
	target := m.path(id)
	if data == nil {
		err := os.Remove(target)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	f, err := os.CreateTemp(m.dir, "new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), target)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
