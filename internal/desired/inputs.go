// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/render"
)

// What a render is made of, besides trees: docs/decisions/0018-what-a-render-is-made-of.md has the whole list.

// rendersAs changes when this program renders something else from the same inputs.
const rendersAs = "1"

// libraries are the versions of what renders: output of another version is not this one's.
var libraries = sync.OnceValue(func() string {
	versions := []string{"bowline/" + rendersAs}
	info, _ := debug.ReadBuildInfo()
	if info == nil {
		return versions[0]
	}
	for _, m := range info.Deps {
		if slices.Contains(renderers, m.Path) {
			for m.Replace != nil {
				m = m.Replace
			}
			versions = append(versions, m.Path+"@"+m.Version)
		}
	}
	return strings.Join(versions, " ")
})

// renderers are the modules whose version decides what a render gives.
var renderers = []string{
	"helm.sh/helm/v4", "sigs.k8s.io/kustomize/api", "sigs.k8s.io/kustomize/kyaml", "github.com/google/go-jsonnet", "sigs.k8s.io/yaml",
	"github.com/Masterminds/sprig/v3",
}

// key is a digest of what is given to a render of a source by a tool before it begins. Names and settings count only for
// tools that see them; a tool of "" sees none.
func (q *question) key(i int, target *Target, tool v1alpha1.ApplicationSourceType) object.Digest {
	o := target.Options
	parts := []any{q.sources[i], i, len(q.sources) == 1, target.Instance, o.HelmOff, o.KustomizeOff, o.JsonnetOff, tool}
	switch tool {
	case "", v1alpha1.ApplicationSourceTypeDirectory:
	case v1alpha1.ApplicationSourceTypeHelm:
		parts = append(parts, target.Release, target.Namespace, o.ValuesFileSchemes)
	case v1alpha1.ApplicationSourceTypeKustomize:
		o.Plugins = ""
		parts = append(parts, target.Release, target.Namespace, o)
	default:
		parts = append(parts, target.Release, target.Namespace, o)
	}
	return object.DigestOf(parts)
}

// environment returns the build environment of a source, as Argo CD names it.
func (q *question) environment(i int, commit Commit, target *Target) map[string]string {
	short := func(n int) string { return commit.ID[:min(n, len(commit.ID))] }
	return map[string]string{
		"ARGOCD_APP_NAME":                   target.Instance,
		"ARGOCD_APP_NAMESPACE":              target.Namespace,
		"ARGOCD_APP_PROJECT_NAME":           q.project,
		"ARGOCD_APP_REVISION":               commit.ID,
		"ARGOCD_APP_REVISION_SHORT":         short(7),
		"ARGOCD_APP_REVISION_SHORT_8":       short(8),
		"ARGOCD_APP_SOURCE_PATH":            q.sources[i].Path,
		"ARGOCD_APP_SOURCE_REPO_URL":        q.sources[i].RepoURL,
		"ARGOCD_APP_SOURCE_TARGET_REVISION": q.sources[i].TargetRevision,
	}
}

// used is what a render asked for besides trees, with the answers.
type used struct {
	Build       []variable    `json:"build,omitempty"`
	KubeVersion string        `json:"kubeVersion,omitempty"` // "" if it was not asked for
	APIVersions object.Digest `json:"apiVersions,omitempty"` // "" if they were not asked for
	Server      string        `json:"server,omitempty"`      // the cluster that answered
	Volatile    []string      `json:"volatile,omitempty"`
}

type variable struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// namesRevision reports whether the name of the commit went into the render.
func (u *used) namesRevision() bool {
	return slices.ContainsFunc(u.Build, func(v variable) bool { return strings.HasPrefix(v.Name, "ARGOCD_APP_REVISION") })
}

// differs names what has another answer now; "" if nothing has. Facts that are not known now are as they were, if the
// cluster is the same: a cluster that is out of reach does not make its applications unknown.
func (u *used) differs(ctx context.Context, environment func() map[string]string, target *Target, lists *lists) string {
	if len(u.Build) > 0 {
		now := environment()
		for _, v := range u.Build {
			if now[v.Name] != v.Value {
				return fmt.Sprintf("$%s is %q, was %q", v.Name, now[v.Name], v.Value)
			}
		}
	}
	if u.KubeVersion == "" && u.APIVersions == "" {
		return ""
	}
	elsewhere := u.Server != target.Server
	if u.KubeVersion != "" {
		switch now, err := kubeVersion(ctx, target.Facts); {
		case err != nil && elsewhere:
			return "the destination cluster is another one"
		case err == nil && now != u.KubeVersion:
			return fmt.Sprintf("the cluster's version is %s, was %s", now, u.KubeVersion)
		}
	}
	if u.APIVersions != "" {
		switch now, err := apiVersions(ctx, target.Facts); {
		case err != nil && elsewhere:
			return "the destination cluster is another one"
		case err == nil && lists.digest(now) != u.APIVersions:
			return "the API versions that the cluster serves are others"
		}
	}
	return ""
}

var errNoFacts = fmt.Errorf("nothing is known of the destination cluster")

func kubeVersion(ctx context.Context, f render.Facts) (string, error) {
	if f == nil {
		return "", errNoFacts
	}
	return f.KubeVersion(ctx)
}

func apiVersions(ctx context.Context, f render.Facts) ([]string, error) {
	if f == nil {
		return nil, errNoFacts
	}
	return f.APIVersions(ctx)
}

// lists knows the digests of the last lists of API versions: a cluster's list is the same one for thousands of
// applications, and has thousands of lines.
type lists struct {
	mu    sync.Mutex
	known []hashed
}

type hashed struct {
	list   []string
	digest object.Digest
}

// maxLists bounds how many clusters' lists are known at once.
const maxLists = 16

func (l *lists) digest(list []string) object.Digest {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, h := range l.known {
		if len(h.list) == len(list) && (len(list) == 0 || &h.list[0] == &list[0]) {
			return h.digest
		}
	}
	h := hashed{list, object.DigestOf(list)}
	l.known = append([]hashed{h}, l.known[:min(len(l.known), maxLists-1)]...)
	return h.digest
}

// witness answers a render's questions about the cluster the same each time, and knows the answers afterwards.
type witness struct {
	facts render.Facts
	mu    sync.Mutex
	kube  string
	apis  []string
}

func (w *witness) KubeVersion(ctx context.Context) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.kube != "" {
		return w.kube, nil
	}
	v, err := w.facts.KubeVersion(ctx)
	if err == nil {
		w.kube = v
	}
	return v, err
}

func (w *witness) APIVersions(ctx context.Context) ([]string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.apis != nil {
		return w.apis, nil
	}
	v, err := w.facts.APIVersions(ctx)
	if err == nil {
		w.apis = v
	}
	return v, err
}

// tighter reports whether limits forbid what others permitted. Time and memory bound the effort and not the result: what
// was rendered needs none of either.
func tighter(now, before render.Limits) bool {
	now, before = now.WithDefaults(), before.WithDefaults()
	return now.TotalBytes < before.TotalBytes || now.OutputBytes < before.OutputBytes || now.Objects < before.Objects ||
		now.Files < before.Files || now.FileBytes < before.FileBytes
}
