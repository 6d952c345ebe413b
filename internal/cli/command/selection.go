// SPDX-License-Identifier: Apache-2.0

package command

import (
	"fmt"
	"strings"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
)

// Selection are the flags --resource, which choose objects of an application: each is GROUP:KIND:NAME or
// GROUP:KIND:NAMESPACE/NAME, all of them globs, with ! before it those that are left out.
type Selection []pattern

type pattern struct {
	group, kind, namespace, name object.Glob
	out, anyNamespace            bool
}

// Select reads the values of --resource.
func Select(raw []string) (Selection, error) {
	var out Selection
	for _, text := range raw {
		p, err := readPattern(text)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

func readPattern(raw string) (pattern, error) {
	text, out := strings.CutPrefix(raw, "!")
	parts := strings.SplitN(text, ":", 3)
	if len(parts) != 3 {
		return pattern{}, fmt.Errorf("--resource is %q and has to be GROUP:KIND:NAME, such as apps:Deployment:web or :Service:web", raw)
	}
	namespace, name, named := strings.Cut(parts[2], "/")
	if !named {
		namespace, name = "", parts[2]
	}
	p := pattern{out: out, anyNamespace: !named}
	for _, glob := range []struct {
		into *object.Glob
		text string
	}{{&p.group, parts[0]}, {&p.kind, parts[1]}, {&p.namespace, namespace}, {&p.name, name}} {
		compiled, err := object.CompileGlob(glob.text)
		if err != nil {
			return pattern{}, fmt.Errorf("--resource is %q: %w", raw, err)
		}
		*glob.into = compiled
	}
	return p, nil
}

func (p pattern) matches(group, kind, namespace, name string) bool {
	return p.group.Match(group) && p.kind.Match(kind) && p.name.Match(name) && (p.anyNamespace || p.namespace.Match(namespace))
}

// Match reports whether an object is chosen: by one of the patterns, or by all of them leaving others out.
func (s Selection) Match(group, kind, namespace, name string) bool {
	in, asked := false, false
	for _, p := range s {
		switch {
		case p.out && p.matches(group, kind, namespace, name):
			return false
		case !p.out:
			asked = true
			in = in || p.matches(group, kind, namespace, name)
		}
	}
	return in || !asked
}

// Resources returns the objects of an application that are chosen, as a sync takes them.
func (s Selection) Resources(app *v1alpha1.Application) []v1alpha1.SyncOperationResource {
	var out []v1alpha1.SyncOperationResource
	for _, r := range app.Status.Resources {
		if s.Match(r.Group, r.Kind, r.Namespace, r.Name) {
			out = append(out, v1alpha1.SyncOperationResource{Group: r.Group, Kind: r.Kind, Namespace: r.Namespace, Name: r.Name})
		}
	}
	return out
}

// Patterns reports whether the values need the application to know what they choose: globs, or objects that are left out.
func Patterns(raw []string) bool {
	for _, text := range raw {
		if strings.HasPrefix(text, "!") || strings.ContainsAny(text, "*?[{") {
			return true
		}
	}
	return false
}
