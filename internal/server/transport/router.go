// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/bowline-cd/bowline/api/argoproj/rpc"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
)

// router finds the call of a verb and a path. Paths are compared escaped and cut at their slashes, so that the name of a cluster
// such as https%3A%2F%2Fkubernetes.default.svc is one part.
type router struct {
	routes []*route
}

// route is a way to a call.
type route struct {
	*call
	verb  string
	path  string
	parts []part
	// ours says that the route is of Bowline's own API, which refuses what it does not know.
	ours bool
}

// ours reports whether a path is of Bowline's own API.
func ours(path string) bool { return strings.HasPrefix(path, bowline.Prefix+"/") }

// part is a part of a path: a text, or a variable.
type part struct {
	text, variable string
	// rest says that the variable has as many parts as there are, at least one.
	rest bool
}

func (r *router) add(c *call, b rpc.Binding) {
	to := &route{call: c, verb: b.Verb, path: b.Path, ours: ours(b.Path)}
	for text := range strings.SplitSeq(strings.TrimPrefix(b.Path, "/"), "/") {
		name, isVariable := strings.CutPrefix(text, "{")
		if !isVariable {
			to.parts = append(to.parts, part{text: text})
			continue
		}
		name, rest := strings.CutSuffix(strings.TrimSuffix(name, "}"), "=**")
		to.parts = append(to.parts, part{variable: name, rest: rest})
	}
	r.routes = append(r.routes, to)
}

// sort puts texts before variables, so that /applications/manifestsWithFiles is not the application of that name.
func (r *router) sort() {
	slices.SortStableFunc(r.routes, func(a, b *route) int {
		for i := range min(len(a.parts), len(b.parts)) {
			if d := a.parts[i].weight() - b.parts[i].weight(); d != 0 {
				return d
			}
		}
		return len(b.parts) - len(a.parts)
	})
}

func (p part) weight() int {
	switch {
	case p.rest:
		return 2
	case p.variable != "":
		return 1
	}
	return 0
}

// variable is a part of a path that has a name in the request.
type variable struct{ name, value string }

// find returns the route and its variables. Without one it returns the verbs that the path has, none if there is no such path.
func (r *router) find(verb, escaped string) (*route, []variable, []string) {
	parts := strings.Split(strings.TrimPrefix(escaped, "/"), "/")
	var verbs []string
	for _, to := range r.routes {
		variables, ok := to.match(parts)
		switch {
		case !ok:
		case to.verb == verb, verb == http.MethodHead && to.verb == http.MethodGet:
			return to, variables, nil
		case !slices.Contains(verbs, to.verb):
			verbs = append(verbs, to.verb)
		}
	}
	slices.Sort(verbs)
	return nil, nil, verbs
}

func (to *route) match(parts []string) ([]variable, bool) {
	var variables []variable
	for i, p := range to.parts {
		take := 1
		if p.rest {
			take = len(parts) - (len(to.parts) - i - 1)
		}
		if take < 1 || take > len(parts) {
			return nil, false
		}
		value, err := url.PathUnescape(strings.Join(parts[:take], "/"))
		switch {
		case err != nil, p.variable == "" && value != p.text, p.variable != "" && value == "":
			return nil, false
		case p.variable != "":
			variables = append(variables, variable{p.variable, value})
		}
		parts = parts[take:]
	}
	return variables, len(parts) == 0
}
