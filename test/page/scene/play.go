// SPDX-License-Identifier: Apache-2.0

package scene

import (
	"cmp"
	"fmt"
	"maps"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// play is an Application and what it is to look like.
type play struct {
	name, project, repo, path string
	namespace                 string // of its objects; "" is the control namespace
	cluster                   string // the name of one; "" is the cluster itself
	in                        string // the namespace of the Application; "" is the control namespace
	labels, annotations       map[string]string
	// source are more fields of its source; sources are in place of it.
	source  map[string]any
	sources []any
	// manual says that it is not synced by itself.
	manual bool
	// past are the commits that were deployed, by their places in the repository, with how long ago; asked is the one that
	// somebody asks for, a place too, or -1 for none.
	past    []deployed
	asked   int
	askedBy string
	// first is what is deployed before all that, so that there is something that goes on.
	first   *change
	options []any // syncOptions
}

// change is a commit that is deployed first, and the annotations that are added when it is.
type change struct {
	place       int
	annotations map[string]string
}

type deployed struct {
	place int
	ago   time.Duration
	by    string // "" is Bowline by itself
}

// application returns the Application of a play.
func (s *Scene) application(p play) (*unstructured.Unstructured, error) {
	metadata := map[string]any{"name": p.name, "namespace": cmp.Or(p.in, s.Namespace), "finalizers": []any{"resources-finalizer.argocd.argoproj.io"},
		"labels": anyMap(p.labels), "annotations": anyMap(p.annotations)}
	destination := map[string]any{"namespace": cmp.Or(p.namespace, s.Namespace)}
	if p.cluster == "" {
		destination["server"] = "https://kubernetes.default.svc"
	} else {
		destination["name"] = p.cluster
	}
	spec := map[string]any{"project": p.project, "destination": destination}
	source := s.source(p)
	if p.sources != nil {
		spec["sources"] = p.sources
	} else {
		spec["source"] = source
	}
	policy := map[string]any{"syncOptions": append([]any{"CreateNamespace=true"}, p.options...)}
	if !p.manual {
		policy["automated"] = map[string]any{"prune": true, "selfHeal": true}
	}
	spec["syncPolicy"] = policy
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": metadata, "spec": spec}}
	if err := s.doings(u, p, source); err != nil {
		return nil, err
	}
	return u, nil
}

func (s *Scene) source(p play) map[string]any {
	source := map[string]any{"repoURL": host + "/" + p.repo + ".git", "path": p.path, "targetRevision": "main"}
	if p.first != nil {
		source["targetRevision"] = s.hosting.commits[p.repo][p.first.place]
	}
	maps.Copy(source, p.source)
	return source
}

// doings give it its history, and the sync that is asked for.
func (s *Scene) doings(u *unstructured.Unstructured, p play, source map[string]any) error {
	commits := s.hosting.commits[p.repo]
	var history []any
	for i, d := range p.past {
		if d.place >= len(commits) {
			return fmt.Errorf("%s has no commit %d", p.repo, d.place)
		}
		by := map[string]any{"automated": true}
		if d.by != "" {
			by = map[string]any{"username": d.by}
		}
		end := s.now.Add(-d.ago)
		history = append(history, map[string]any{"id": int64(i), "revision": commits[d.place], "deployStartedAt": end.Add(-40 * time.Second).Format(time.RFC3339),
			"deployedAt": end.Format(time.RFC3339), "source": source, "initiatedBy": by})
	}
	if history != nil {
		u.Object["status"] = map[string]any{"history": history}
	}
	switch {
	case p.first != nil:
		u.Object["operation"] = operation(cmp.Or(p.askedBy, "ana"), commits[p.first.place])
	case p.askedBy != "":
		u.Object["operation"] = operation(p.askedBy, commits[p.asked])
	}
	return nil
}

func operation(by, commit string) map[string]any {
	return map[string]any{"initiatedBy": map[string]any{"username": by}, "sync": map[string]any{"revision": commit, "prune": true}}
}

func anyMap(m map[string]string) map[string]any {
	out := map[string]any{}
	for k, v := range m {
		out[k] = v
	}
	return out
}
