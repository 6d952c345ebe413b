// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/render"
)

// What Cache holds of one rendered source. It is trusted as far as the cache authenticates it, but it may be of another
// version of this program: whatever does not fit is as good as nothing.

type keptRender struct {
	Libraries string                         `json:"libraries"`
	Key       object.Digest                  `json:"key"`
	Inputs    object.Digest                  `json:"inputs"`
	Type      v1alpha1.ApplicationSourceType `json:"type"`
	Mounts    []keptMount                    `json:"mounts"`
	Used      used                           `json:"used"`
	Limits    render.Limits                  `json:"limits"`
	Target    string                         `json:"target,omitempty"`
	Manifests []keptManifest                 `json:"manifests"`
	Warnings  []string                       `json:"warnings,omitempty"`
}

type keptMount struct {
	Role   string     `json:"role,omitempty"`
	Commit Commit     `json:"commit"`
	Where  string     `json:"where,omitempty"`
	Reads  []keptRead `json:"reads"`
}

type keptRead struct {
	Path string `json:"path"`
	ID   string `json:"id,omitempty"`
	List bool   `json:"list,omitempty"`
}

type keptManifest struct {
	JSON     json.RawMessage `json:"json"`
	Origin   object.Origin   `json:"origin"`
	Volatile []string        `json:"volatile,omitempty"`
}

// cacheKey names a source of an application, as its spec is.
func (a *answer) cacheKey(i int) string {
	return string(object.DigestOf([]any{libraries(), a.q.id, a.q.key(i, &a.target, "")}))
}

// load returns what the cache holds of a source; nil if it holds nothing, or nothing of the past is to be used.
func (a *answer) load(i int) *rendered {
	if a.fresh || a.q.refOnly(i) {
		return nil
	}
	key := a.cacheKey(i)
	data, err := a.cache.Load(key)
	if err != nil || data == nil {
		return nil // the cache says what is wrong with it; a render does not need it
	}
	r, err := decodeRender(data)
	if err != nil {
		return nil
	}
	r.kept = key
	return r
}

// keep hands a render to the cache. One that cannot be kept is rendered again after a restart.
func (a *answer) keep(i int, r *rendered) {
	if !a.keeps || r.refOnly {
		return
	}
	key := a.cacheKey(i)
	if data, err := encodeRender(r); err == nil && a.cache.Save(key, data) == nil {
		r.kept = key
	}
}

// drop removes what the cache holds of an application.
func (e *Engine) drop(known *entry) error {
	if known == nil {
		return nil
	}
	var errs []error
	for i := range known.sources {
		if key := known.sources[i].kept; key != "" {
			errs = append(errs, e.cache.Save(key, nil))
		}
	}
	return errors.Join(errs...)
}

func encodeRender(r *rendered) ([]byte, error) {
	k := keptRender{Libraries: libraries(), Key: r.key, Inputs: r.inputs, Type: r.typ, Used: r.used, Limits: r.limits, Target: r.target, Warnings: r.warnings}
	for _, m := range r.mounts {
		kept := keptMount{Role: m.role, Commit: m.commit, Where: m.where}
		for _, s := range m.reads {
			kept.Reads = append(kept.Reads, keptRead{s.path, s.id, s.list})
		}
		k.Mounts = append(k.Mounts, kept)
	}
	for _, m := range r.manifests {
		k.Manifests = append(k.Manifests, keptManifest{m.json, m.origin, m.volatile})
	}
	return json.Marshal(k)
}

func decodeRender(data []byte) (*rendered, error) {
	var k keptRender
	if err := json.Unmarshal(data, &k); err != nil {
		return nil, fmt.Errorf("a kept render is damaged: %w", err)
	}
	if k.Libraries != libraries() || len(k.Mounts) == 0 || k.Mounts[0].Role != "" || k.Key == "" {
		return nil, errors.New("a kept render is of another version")
	}
	r := &rendered{key: k.Key, inputs: k.Inputs, typ: k.Type, used: k.Used, limits: k.Limits, target: k.Target, warnings: k.Warnings, cause: "it was kept from before a restart"}
	for i, m := range k.Mounts {
		if i > 0 && m.Role != remote && (len(m.Role) < 2 || m.Role[0] != '$') {
			return nil, fmt.Errorf("a kept render read from %q, which is no tree", m.Role)
		}
		set := make(reads, len(m.Reads))
		for j, s := range m.Reads {
			set[j] = seen{s.Path, s.ID, s.List}
			if j > 0 && comparePaths(m.Reads[j-1].Path, s.Path) > 0 {
				return nil, errors.New("what a kept render read is not in order")
			}
		}
		r.mounts = append(r.mounts, mount{role: m.Role, commit: m.Commit, where: m.Where, reads: set})
	}
	var err error
	r.manifests, err = keptManifests(k.Manifests)
	return r, err
}

func keptManifests(kept []keptManifest) ([]rawManifest, error) {
	out := make([]rawManifest, len(kept))
	for i, m := range kept {
		out[i] = rawManifest{json: m.JSON, origin: m.Origin, volatile: m.Volatile}
	}
	_, err := decode(out) // what does not decode now must not be met later
	return out, err
}
