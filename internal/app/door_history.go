// SPDX-License-Identifier: Apache-2.0

package app

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/source"
)

// history tells callers of the API of revisions, Events and clusters.
type history struct {
	*roles

	mu      sync.Mutex
	clients map[*cluster.Cluster]kubernetes.Interface
}

// at finds what a source is at a revision, as its project may read it.
func (h *history) at(ctx context.Context, project string, s v1alpha1.ApplicationSource, revision string) (desired.Commit, source.Repository, error) {
	if err := h.apps.PermitSource(ctx, project, s.RepoURL); err != nil {
		return desired.Commit{}, source.Repository{}, err
	}
	wanted := desired.WantedOf(s, project)
	wanted.Revision = cmp.Or(revision, wanted.Revision)
	found, err := h.sources.Resolve(ctx, wanted, "")
	if err != nil {
		return found, source.Repository{}, err
	}
	r, err := h.sources.repository(found)
	return found, r, err
}

// Commit implements application.History.
func (h *history) Commit(ctx context.Context, project string, s v1alpha1.ApplicationSource, revision string) (*v1alpha1.RevisionMetadata, error) {
	c, r, err := h.at(ctx, project, s, revision)
	if err != nil {
		return nil, err
	}
	if c.Kind != desired.KindGit {
		return nil, fault.New(fault.Mistake, "describe", "revision "+revision, "", "the source is no Git repository", "ask for the details of the chart, or for the OCI metadata")
	}
	info, err := h.store.Commit(ctx, r, c.ID)
	if err != nil {
		return nil, err
	}
	date := metav1.NewTime(info.Date)
	return &v1alpha1.RevisionMetadata{Author: info.Author, Date: &date, Tags: info.Tags, Message: info.Message}, nil
}

// describe returns what an artifact says of itself.
func (h *history) describe(ctx context.Context, project string, s v1alpha1.ApplicationSource, revision string) (source.ArtifactInfo, error) {
	c, r, err := h.at(ctx, project, s, revision)
	if err != nil {
		return source.ArtifactInfo{}, err
	}
	a, ok := artifact(c)
	if !ok {
		return source.ArtifactInfo{}, fault.New(fault.Mistake, "describe", "revision "+revision, "", "the source is a Git repository", "ask for the metadata of the revision")
	}
	return h.store.DescribeArtifact(ctx, r, a, source.Pin{Version: c.ID, Digest: c.Digest})
}

// Chart implements application.History.
func (h *history) Chart(ctx context.Context, project string, s v1alpha1.ApplicationSource, revision string) (*v1alpha1.ChartDetails, error) {
	info, err := h.describe(ctx, project, s, revision)
	if err != nil {
		return nil, err
	}
	return &v1alpha1.ChartDetails{Description: info.Description, Home: info.Home, Maintainers: info.Maintainers}, nil
}

// OCI implements application.History.
func (h *history) OCI(ctx context.Context, project string, s v1alpha1.ApplicationSource, revision string) (*v1alpha1.OCIMetadata, error) {
	info, err := h.describe(ctx, project, s, revision)
	if err != nil {
		return nil, err
	}
	said := func(name string) string { return info.Annotations["org.opencontainers.image."+name] }
	return &v1alpha1.OCIMetadata{
		CreatedAt: cmp.Or(info.Created, said("created")), Authors: said("authors"), ImageURL: said("url"), DocsURL: said("documentation"),
		SourceURL: said("source"), Version: cmp.Or(said("version"), info.Version), Description: cmp.Or(said("description"), info.Description),
	}, nil
}

// eventsTime bounds one question for Events; mostEvents is how many one answer has.
const (
	eventsTime = 20 * time.Second
	mostEvents = 1000
)

// ToApplication implements application.Happened.
func (h *history) ToApplication(ctx context.Context, app *v1alpha1.Application) (*corev1.EventList, error) {
	hub, err := h.client(nil)
	if err != nil {
		return nil, err
	}
	return events(ctx, hub, v1alpha1.ResourceRef{Namespace: app.Namespace, Name: app.Name, UID: string(app.UID)})
}

// ToObject implements application.Happened.
func (h *history) ToObject(ctx context.Context, app *v1alpha1.Application, ref v1alpha1.ResourceRef) (*corev1.EventList, error) {
	c, err := h.clusters.Find(app.Spec.Destination)
	if err != nil {
		return nil, err
	}
	there, err := h.client(c)
	if err != nil {
		return nil, err
	}
	return events(ctx, there, ref)
}

func events(ctx context.Context, from kubernetes.Interface, ref v1alpha1.ResourceRef) (*corev1.EventList, error) {
	ctx, cancel := context.WithTimeout(ctx, eventsTime)
	defer cancel()
	list, err := from.CoreV1().Events(cmp.Or(ref.Namespace, metav1.NamespaceDefault)).List(ctx, metav1.ListOptions{Limit: mostEvents, FieldSelector: fields.Set{
		"involvedObject.name": ref.Name, "involvedObject.uid": ref.UID, "involvedObject.namespace": ref.Namespace,
	}.AsSelector().String()})
	if err != nil {
		return nil, fault.Wrap(fault.Retry, "list", fmt.Sprintf("the Events of %s %s", ref.Kind, ref.Name), err, "try again")
	}
	return list, nil
}

// client returns a client of a cluster, nil being the one that Bowline lives in. Connections are shared with nothing else, and
// end with the cluster's.
func (h *history) client(c *cluster.Cluster) (kubernetes.Interface, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if known := h.clients[c]; known != nil {
		return known, nil
	}
	rest := h.clusters.hub
	if c != nil {
		rest = c.Config().REST
	}
	made, err := kubernetes.NewForConfig(rest)
	if err != nil {
		return nil, fault.Wrap(fault.Stalled, "connect to", "the cluster", err, "correct the cluster's config")
	}
	if h.clients == nil || len(h.clients) > 2*len(h.clusters.Reports())+2 { // of clusters that were replaced
		h.clients = map[*cluster.Cluster]kubernetes.Interface{}
	}
	h.clients[c] = made
	return made, nil
}

// Cluster implements state.Clusters.
func (h *history) Cluster(_ context.Context, name string) (*bowline.ClusterState, string, bool) {
	for _, r := range h.clusters.Reports() {
		if r.Server != name && r.Name != name {
			continue
		}
		out := &bowline.ClusterState{Server: r.Server, Name: r.Name, Kinds: make([]bowline.KindState, len(r.Kinds)), Waiting: int64(r.Pending)}
		if !r.Connection.Connected {
			out.Error = r.Connection.Reason
		} else if !r.Inventory.Complete {
			out.Error = r.Inventory.Reason
		}
		for i, k := range r.Kinds {
			out.Kinds[i] = kindState(k)
		}
		out.Waiting, out.Running = h.apps.Load(r.Server)
		return out, h.clusters.projectOf(r.Server), true
	}
	return nil, "", false
}

func kindState(k cluster.KindState) bowline.KindState {
	out := bowline.KindState{Group: k.Kind.Group, Version: k.Kind.Version, Kind: k.Kind.Kind, Objects: int64(k.Objects)}
	if !k.LastEvent.IsZero() {
		at := metav1.NewTime(k.LastEvent)
		out.LastEvent = &at
	}
	if !k.Synced {
		out.Error = k.Reason
	}
	return out
}
