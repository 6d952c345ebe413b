// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
)

// Explanation says what a State was made from.
type Explanation struct {
	Inputs  object.Digest
	Sources []ExplainedSource
}

// ExplainedSource says what one source was rendered from.
type ExplainedSource struct {
	Commit Commit
	// RefOnly sources are there for others to read from; the rest of the fields is empty then.
	RefOnly bool
	Type    v1alpha1.ApplicationSourceType
	// Why says which input caused the render.
	Why   string
	Reads []Read
	// Variables are those of the build environment whose values went into the output.
	Variables map[string]string
	// KubeVersion is the cluster's, if it was asked for; AsksAPIVersions tells whether it was asked what the cluster serves.
	KubeVersion     string
	AsksAPIVersions bool
	Volatile        []string // functions whose answers nobody can repeat, with the files that call them
	Remotes         []ExplainedRemote
}

// Read is something that a render saw.
type Read struct {
	// Tree is "" for the source's own, "$" and the ref for another source's, else what the remote is.
	Tree string
	Path string
	ID   string // of the content; "" means that nothing was there
	List bool   // the names in a folder were read
}

// ExplainedRemote is something that a render needed from elsewhere.
type ExplainedRemote struct {
	Commit Commit // what it was resolved to
	Where  string // who asks for it
}

// Explain says what the state was made from.
func (s *State) Explain() Explanation {
	out := Explanation{Inputs: s.Inputs}
	for i := range s.made {
		out.Sources = append(out.Sources, s.made[i].explain())
	}
	return out
}

func (r *rendered) explain() ExplainedSource {
	out := ExplainedSource{
		Commit: r.commit(), RefOnly: r.refOnly, Type: r.typ, Why: r.cause,
		KubeVersion: r.used.KubeVersion, AsksAPIVersions: r.used.APIVersions != "", Volatile: r.used.Volatile,
	}
	for k := range r.mounts {
		m := &r.mounts[k]
		for _, s := range m.reads {
			out.Reads = append(out.Reads, Read{Tree: m.name(), Path: s.path, ID: s.id, List: s.list})
		}
		if m.role == remote {
			out.Remotes = append(out.Remotes, ExplainedRemote{m.commit, m.where})
		}
	}
	for _, v := range r.used.Build {
		if out.Variables == nil {
			out.Variables = map[string]string{}
		}
		out.Variables[v.Name] = v.Value
		if v.Name == "ARGOCD_APP_SOURCE_REPO_URL" {
			out.Variables[v.Name] = fault.RedactURL(v.Value) // the address may hold a password
		}
	}
	return out
}
