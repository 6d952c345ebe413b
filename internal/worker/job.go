// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"maps"
	"slices"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/tree"
)

// job is a render as it is sent to a process: all of render.Input but what stays with the caller (trees, cluster, trace),
// which the process asks for by calls.
type job struct {
	Type               v1alpha1.ApplicationSourceType
	Source             v1alpha1.ApplicationSource
	Index              int
	Where              string `json:",omitempty"`
	App                string `json:",omitempty"`
	Release, Namespace string `json:",omitempty"`
	// Refs and Remotes are mounted in this order behind the source's own tree, whose number is 0.
	Refs    []string          `json:",omitempty"`
	Remotes []remote          `json:",omitempty"`
	Roots   []string          // of all mounts
	Build   map[string]string `json:",omitempty"`
	Cluster bool              // whether something is known of the destination
	Options render.Options
	Limits  render.Limits
}

type remote struct {
	Need render.Need
	Pin  string
}

// newJob returns the job of an input, and its mounts.
func newJob(typ v1alpha1.ApplicationSourceType, in render.Input) (job, []tree.Tree) {
	j := job{
		Type: typ, Source: in.Source, Index: in.Index, Where: in.Where, App: in.App, Release: in.Release, Namespace: in.Namespace,
		Refs: slices.Sorted(maps.Keys(in.Refs)), Build: in.Build, Cluster: in.Cluster != nil, Options: in.Options, Limits: in.Limits,
	}
	mounts := []tree.Tree{in.Tree}
	for _, name := range j.Refs {
		mounts = append(mounts, in.Refs[name])
	}
	for _, r := range in.Remotes {
		j.Remotes = append(j.Remotes, remote{r.Need, r.Pin})
		mounts = append(mounts, r.Tree)
	}
	for _, m := range mounts {
		j.Roots = append(j.Roots, m.Root())
	}
	return j, mounts
}

// input is the other end: the input that a process works on, whose trees and facts are calls.
func (j job) input(calls *calls) (render.Input, bool) {
	if len(j.Roots) != 1+len(j.Refs)+len(j.Remotes) {
		return render.Input{}, false
	}
	mounts := make([]tree.Tree, len(j.Roots))
	for i, root := range j.Roots {
		mounts[i] = newMount(calls, i, root)
	}
	in := render.Input{
		Tree: mounts[0], Source: j.Source, Index: j.Index, Where: j.Where, App: j.App, Release: j.Release, Namespace: j.Namespace,
		Refs: map[string]tree.Tree{}, Build: j.Build, Options: j.Options, Limits: j.Limits, Trace: &render.Trace{},
	}
	mounts = mounts[1:]
	for i, name := range j.Refs {
		in.Refs[name] = mounts[i]
	}
	mounts = mounts[len(j.Refs):]
	for i, r := range j.Remotes {
		in.Remotes = append(in.Remotes, render.Remote{Need: r.Need, Pin: r.Pin, Tree: mounts[i]})
	}
	if j.Cluster {
		in.Cluster = facts{calls}
	}
	return in, true
}

// result is the end of a job.
type result struct {
	Type     v1alpha1.ApplicationSourceType `json:",omitempty"`
	Warnings []string                       `json:",omitempty"`
	Needs    []render.Need                  `json:",omitempty"`
	Used     render.Used
	Failure  *failure `json:",omitempty"`
	// Spent is true if the process must not render anything else.
	Spent bool `json:",omitempty"`
}

// The bounds of what a result may hold; a process cuts warnings off, and more needs than that are a failure.
const (
	maxWarnings    = 500
	maxWarningText = 4 << 10
	maxNeeds       = 5_000
)
