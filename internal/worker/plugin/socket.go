// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
)

// socket is where a plugin answers.
type socket struct {
	name, path string
	made       int64 // when the socket was made: a sidecar that starts again makes it anew
}

const socketSuffix = ".sock"

// sockets returns what is installed, in the order of the sockets' file names, which is Argo CD's. No folder is no plugin.
func (c *Client) sockets() ([]socket, error) {
	entries, err := os.ReadDir(c.options.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Wrap(fault.Stalled, "look for", "plugins", err, "let Bowline read the folder of the plugins' sockets")
	}
	var out []socket
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), socketSuffix)
		if !ok || name == "" || e.Type() != fs.ModeSocket {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // it went away between the two looks
		}
		if err != nil {
			return nil, fault.Wrap(fault.Stalled, "look for", "plugin "+name, err, "let Bowline read the folder of the plugins' sockets")
		}
		out = append(out, socket{name: name, path: filepath.Join(c.options.Dir, e.Name()), made: info.ModTime().UnixNano()})
	}
	return out, nil
}

// Installed returns a text that differs whenever a plugin was added, removed or started again: what they render may
// differ from then on.
func (c *Client) Installed() (string, error) {
	sockets, err := c.sockets()
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, s := range sockets {
		fmt.Fprintf(sum, "%q %d\n", s.name, s.made)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// Names returns the names of the plugins that are installed.
func (c *Client) Names() ([]string, error) {
	sockets, err := c.sockets()
	return names(sockets), err
}

// named returns the socket of the plugin that the source names.
func (c *Client) named(in render.Input) (socket, error) {
	where := in.Field("plugin.name")
	if in.Source.Plugin == nil || in.Source.Plugin.Name == "" {
		return socket{}, fault.New(fault.Mistake, "render", "the source", where, "it names no plugin", "name one")
	}
	sockets, err := c.sockets()
	if err != nil {
		return socket{}, err
	}
	name := in.Source.Plugin.Name
	for _, s := range sockets {
		if s.name == name {
			return s, nil
		}
	}
	there := "no plugin is installed"
	if len(sockets) > 0 {
		there = "those installed are " + strings.Join(names(sockets), ", ")
	}
	// It may be that its sidecar did not start yet: Wait, not Mistake.
	return socket{}, fault.New(fault.Wait, "find", fmt.Sprintf("plugin %q", name), where, there,
		"write <name>, or <name>-<version> if its plugin.yaml declares a version, and check that its sidecar runs")
}

func names(sockets []socket) []string {
	out := make([]string, len(sockets))
	for i, s := range sockets {
		out[i] = s.name
	}
	return out
}

// complete reports an expected plugin that is not there.
func (c *Client) complete(sockets []socket, in render.Input) error {
	there := names(sockets)
	for _, name := range c.options.Settings().Expected {
		if !slices.Contains(there, name) {
			return fault.New(fault.Wait, "find out", "what renders path "+quote(in.Source.Path), in.Field("path"),
				"plugin "+name+" is expected and not there yet", "wait for its sidecar, or name the tool in the source")
		}
	}
	return nil
}

func quote(p string) string { return fmt.Sprintf("%q", p) }

// matches remembers for a moment which plugin wanted which folder, so that the render that follows does not send the
// repository a second time to ask. The zero value is ready.
type matches struct {
	mu   sync.Mutex
	keys map[string]struct{}
}

// mostMatches bounds what is remembered: a discovery that no render follows leaves its key behind.
const mostMatches = 1024

func (m *matches) add(s socket, in render.Input) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.keys == nil || len(m.keys) >= mostMatches {
		m.keys = map[string]struct{}{}
	}
	m.keys[matchKey(s, in)] = struct{}{}
}

// take reports whether the plugin wanted the folder, and forgets it.
func (m *matches) take(s socket, in render.Input) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := matchKey(s, in)
	_, ok := m.keys[key]
	delete(m.keys, key)
	return ok
}

// matchKey is made of what the sidecar was asked with. The plugin's name is left out: discovery sets it.
func matchKey(s socket, in render.Input) string {
	var given struct{ Env, Parameters any }
	if p := in.Source.Plugin; p != nil {
		given.Env, given.Parameters = p.Env, p.Parameters
	}
	spec, err := json.Marshal([]any{s.name, s.made, in.Tree.Root(), in.Source.Path, in.App, given, in.Build})
	if err != nil {
		return "" // cannot be: all of it is text
	}
	sum := sha256.Sum256(spec)
	return string(sum[:])
}
