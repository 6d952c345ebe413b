// SPDX-License-Identifier: Apache-2.0

package app

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bowline-cd/bowline/internal/cli/render"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/fault"
)

// explain says of each source what its render was made of, in the words of the command line.
func explain(state *desired.State) []render.Source {
	var out []render.Source
	all := state.Explain().Sources
	for i, s := range all {
		name := "spec.source"
		if len(all) > 1 {
			name = fmt.Sprintf("spec.sources[%d]", i)
		}
		source := render.Source{
			Name: name, Type: string(s.Type), Repo: shownCommit(s.Commit), Revision: s.Commit.ID, Trees: treesOf(s), Volatile: s.Volatile,
		}
		if s.RefOnly {
			source.Type = "only for others to read from"
		}
		for _, variable := range slices.Sorted(maps.Keys(s.Variables)) {
			source.Asked = append(source.Asked, render.Asked{Name: variable, Value: s.Variables[variable]})
		}
		if s.KubeVersion != "" {
			source.Asked = append(source.Asked, render.Asked{Name: "the version of the cluster", Value: s.KubeVersion})
		}
		if s.AsksAPIVersions {
			source.Asked = append(source.Asked, render.Asked{Name: "what the cluster serves", Value: "all of it"})
		}
		out = append(out, source)
	}
	return out
}

func shownCommit(c desired.Commit) string {
	text := fault.RedactURL(c.Repo.URL)
	if c.Chart != "" {
		text = "chart " + c.Chart + " of " + text
	}
	return text
}

// treesOf groups what was read by where it lies.
func treesOf(s desired.ExplainedSource) []render.Tree {
	names := map[string]string{"": shownCommit(s.Commit)}
	for _, r := range s.Remotes {
		names[r.Commit.Repo.URL] = shownCommit(r.Commit)
	}
	var out []render.Tree
	at := map[string]int{}
	for _, r := range s.Reads {
		i, ok := at[r.Tree]
		if !ok {
			name := r.Tree
			if known, ok := names[r.Tree]; ok {
				name = known
			}
			i = len(out)
			at[r.Tree] = i
			out = append(out, render.Tree{Name: name})
		}
		out[i].Read = append(out[i].Read, render.Read{Path: r.Path, ID: r.ID, Listed: r.List})
	}
	return out
}

// compareInputs says which inputs of renders differ from those they had before.
func compareInputs(now, before []render.Source) {
	for i := range now {
		if i < len(before) {
			now[i].Changed = changedInputs(inputsOf(now[i]), inputsOf(before[i]))
		}
	}
}

// inputsOf returns the inputs of a source by name.
func inputsOf(s render.Source) map[string]string {
	out := map[string]string{"type": s.Type}
	for _, a := range s.Asked {
		out[a.Name] = a.Value
	}
	for i, t := range s.Trees {
		for _, r := range t.Read {
			name := r.Path
			if r.Listed {
				name = strings.TrimPrefix(r.Path+"/", "/")
			}
			if i > 0 {
				name += " of " + t.Name
			}
			out[name] = r.ID
		}
	}
	return out
}

func changedInputs(now, before map[string]string) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if was, ok := before[name]; !ok || was != now[name] {
			out = append(out, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if _, ok := now[name]; !ok {
			out = append(out, name+" (not read any more)")
		}
	}
	return out
}
