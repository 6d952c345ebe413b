// SPDX-License-Identifier: Apache-2.0

package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"

	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/object"
)

// acceptedForms keeps what API servers made of desired objects across restarts, so that the first comparisons of a process
// need no dry runs. It implements application.AcceptedStore.
//
// What is kept are digests, of Secrets' values too: a short value could be guessed by its digest, so they are encrypted
// like everything of that kind. Losing them costs a dry run for each object that is not plainly the same.
type acceptedForms struct {
	cache   desired.Cache
	version string // of this program: another one may project differently
	log     *slog.Logger

	flushing sync.Mutex // one at a time

	mu      sync.Mutex                                  // not held while the disk is read or written
	pending map[acceptedOf]map[object.Key]diff.Accepted // not written yet; the zero form is one to forget
	writing map[acceptedOf]map[object.Key]diff.Accepted // being written
}

// acceptedOf is an application on a cluster: what one API server made of an object says nothing of another one's.
type acceptedOf struct{ app, server string }

func newAcceptedForms(cache desired.Cache, version string, log *slog.Logger) *acceptedForms {
	return &acceptedForms{cache: cache, version: version, log: log, pending: map[acceptedOf]map[object.Key]diff.Accepted{}}
}

// acceptedRecord is one object in a file.
type acceptedRecord struct {
	object.Key
	diff.Accepted
}

type acceptedFile struct {
	Version string
	Forms   []acceptedRecord
}

// Load returns what is kept of an application on a cluster.
func (a *acceptedForms) Load(app, server string) map[object.Key]diff.Accepted {
	of := acceptedOf{app, server}
	forms := a.read(of)
	a.mu.Lock()
	defer a.mu.Unlock()
	merge(forms, a.writing[of])
	merge(forms, a.pending[of])
	return forms
}

func (a *acceptedForms) read(of acceptedOf) map[object.Key]diff.Accepted {
	forms := map[object.Key]diff.Accepted{}
	raw, err := a.cache.Load(of.name())
	var file acceptedFile
	if err == nil && raw != nil {
		err = json.Unmarshal(raw, &file)
	}
	if err != nil {
		a.log.Warn("read what an API server made of an application's objects: they are compared anew", "application", of.app, "error", err)
		return forms
	}
	if file.Version != a.version {
		return forms
	}
	for _, r := range file.Forms {
		forms[r.Key] = r.Accepted
	}
	return forms
}

func (of acceptedOf) name() string { return of.app + "\x00" + of.server }

// merge takes changes into forms; the zero form is one to forget.
func merge(forms, changed map[object.Key]diff.Accepted) {
	for key, form := range changed {
		if form == (diff.Accepted{}) {
			delete(forms, key)
		} else {
			forms[key] = form
		}
	}
}

// Save notes what is new of an application on a cluster; the zero form forgets an object's. It does not wait for the
// disk.
func (a *acceptedForms) Save(app, server string, changed map[object.Key]diff.Accepted) {
	of := acceptedOf{app, server}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.pending[of] == nil {
		a.pending[of] = map[object.Key]diff.Accepted{}
	}
	maps.Copy(a.pending[of], changed)
}

// Flush writes what is new. Meanwhile more may come.
func (a *acceptedForms) Flush() error {
	a.flushing.Lock()
	defer a.flushing.Unlock()
	a.mu.Lock()
	a.writing, a.pending = a.pending, map[acceptedOf]map[object.Key]diff.Accepted{}
	todo := a.writing
	a.mu.Unlock()
	var errs []error
	for of, changed := range todo {
		if err := a.write(of, changed); err != nil {
			errs = append(errs, fmt.Errorf("application %s: %w", of.app, err))
		}
	}
	a.mu.Lock()
	a.writing = nil
	a.mu.Unlock()
	return errors.Join(errs...)
}

func (a *acceptedForms) write(of acceptedOf, changed map[object.Key]diff.Accepted) error {
	forms := a.read(of)
	merge(forms, changed)
	if len(forms) == 0 {
		return a.cache.Save(of.name(), nil)
	}
	file := acceptedFile{Version: a.version}
	for key, form := range forms {
		file.Forms = append(file.Forms, acceptedRecord{key, form})
	}
	raw, err := json.Marshal(file)
	if err != nil {
		return err
	}
	return a.cache.Save(of.name(), raw)
}
