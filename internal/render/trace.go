// SPDX-License-Identifier: Apache-2.0

package render

import (
	"context"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/bowline-cd/bowline/internal/fault"
)

// Used is what a render asked for besides trees.
type Used struct {
	// Build are the names of the variables of the build environment whose values went into the output, sorted.
	Build []string
	// KubeVersion and APIVersions are true if the output depends on these facts of the cluster.
	KubeVersion, APIVersions bool
	// Volatile are the functions that were called and whose answer differs from call to call, each with the file that
	// calls it, such as "randAlphaNum (templates/secret.yaml)"; sorted.
	Volatile []string
}

// Trace notes what a render asks for. The zero value is ready; it is safe for concurrent use.
type Trace struct {
	mu        sync.Mutex
	build     map[string]struct{}
	volatile  map[string]struct{}
	kube, api bool
}

// Used returns what was noted so far.
func (t *Trace) Used() Used {
	if t == nil {
		return Used{}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return Used{
		Build: slices.Sorted(maps.Keys(t.build)), KubeVersion: t.kube, APIVersions: t.api,
		Volatile: slices.Sorted(maps.Keys(t.volatile)),
	}
}

// Note adds what another process noted.
func (t *Trace) Note(u Used) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.build, t.volatile = add(t.build, u.Build), add(t.volatile, u.Volatile)
	t.kube, t.api = t.kube || u.KubeVersion, t.api || u.APIVersions
}

func add(set map[string]struct{}, names []string) map[string]struct{} {
	if set == nil {
		set = map[string]struct{}{}
	}
	for _, name := range names {
		set[name] = struct{}{}
	}
	return set
}

// Volatile notes a call of a function whose answer differs from call to call. file is the template or script that calls it.
func (t *Trace) Volatile(function, file string) {
	t.Note(Used{Volatile: []string{function + " (" + file + ")"}})
}

// KubeVersion returns the version of the destination cluster, and notes that it was asked for.
func (in Input) KubeVersion(ctx context.Context) (string, error) {
	in.Trace.Note(Used{KubeVersion: true})
	if in.Cluster == nil {
		return "", in.noCluster("kubeVersion")
	}
	return in.Cluster.KubeVersion(ctx)
}

// APIVersions returns what the destination cluster serves, and notes that it was asked for.
func (in Input) APIVersions(ctx context.Context) ([]string, error) {
	in.Trace.Note(Used{APIVersions: true})
	if in.Cluster == nil {
		return nil, in.noCluster("apiVersions")
	}
	return in.Cluster.APIVersions(ctx)
}

func (in Input) noCluster(field string) error {
	return fault.New(fault.Wait, "render", "path "+quotePath(in.Source.Path), in.where(),
		"what the destination cluster can do is not known", "reach the cluster, or set "+field+" of the source's tool")
}

// Names of the build environment that come from the destination cluster.
const (
	BuildKubeVersion = "KUBE_VERSION"
	BuildAPIVersions = "KUBE_API_VERSIONS"
)

// Variable returns the value of a variable of the build environment; "" if there is none of that name.
func (in Input) Variable(ctx context.Context, name string) (string, error) {
	switch name {
	case BuildKubeVersion:
		return in.KubeVersion(ctx)
	case BuildAPIVersions:
		versions, err := in.APIVersions(ctx)
		return strings.Join(versions, ","), err
	}
	value, ok := in.Build[name]
	if ok {
		in.Trace.Note(Used{Build: []string{name}})
	}
	return value, nil
}

// Substitute replaces $NAME and ${NAME} by variables of the build environment, names it does not have by nothing, and $$
// by $, as Argo CD does.
func (in Input) Substitute(ctx context.Context, text string) (string, error) {
	if !strings.Contains(text, "$") {
		return text, nil
	}
	var failure error
	out := os.Expand(text, func(name string) string {
		if name == "$" {
			return "$"
		}
		value, err := in.Variable(ctx, name)
		if err != nil {
			failure = err
		}
		return value
	})
	return out, failure
}
