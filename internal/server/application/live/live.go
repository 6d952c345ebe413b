// SPDX-License-Identifier: Apache-2.0

// Package live reads and changes objects of one application in its cluster, for people: what nobody asks of a source.
//
// The words of this room:
//
//   - Site: one application's part of its cluster, with the project that says what may be done there, and the account that
//     calls are made as.
//   - Hand: the field manager of what people do to an object. It is not the source's, so that a comparison shows it.
package live

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/action"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/settings"
)

// Hand is the field manager of what people do.
const Hand = "bowline"

// Site is one application's part of its cluster.
type Site struct {
	Cluster *cluster.Cluster
	Project *access.Project
	// Namespace is that of the application's destination, Home that of the Application itself.
	Namespace, Home string
	Settings        settings.Settings
}

// where names the cluster as projects do.
func (s *Site) where() access.Cluster {
	cfg := s.Cluster.Config()
	return access.Cluster{Server: cfg.Server, Name: cfg.Name}
}

// Behalf returns ctx for direct calls for the application: as the service account that its project names, if settings ask
// for that. The error says that no call may be made.
func (s *Site) Behalf(ctx context.Context) (context.Context, error) {
	if !s.Settings.Impersonation {
		return ctx, nil
	}
	at := s.where()
	to := access.Destination{Server: at.Server, Name: at.Name, Namespace: s.Namespace}
	user, err := access.AccountOf(s.Project, to, s.Home, s.Settings.ImpersonationEnforced)
	if err != nil || user == "" {
		return ctx, err
	}
	return cluster.As(ctx, user), nil
}

// Permits asks the project about an object. A kind that the cluster does not have is permitted by nobody.
func (s *Site) Permits(gvk schema.GroupVersionKind, key object.Key) error {
	resource, presence, reason := s.Cluster.Resource(gvk)
	if presence != cluster.Present {
		return fault.New(fault.Wait, "use", key.String(), "", cmp.Or(reason, "the cluster has no such kind"), "install its CustomResourceDefinition")
	}
	return s.Project.Object(key, resource.Namespaced, s.where())
}

// Read asks the API server for an object that the project permits.
func (s *Site) Read(ctx context.Context, gvk schema.GroupVersionKind, key object.Key) (*unstructured.Unstructured, error) {
	if err := s.Permits(gvk, key); err != nil {
		return nil, err
	}
	ctx, err := s.Behalf(ctx)
	if err != nil {
		return nil, err
	}
	return s.Cluster.Read(ctx, gvk, key.Namespace, key.Name)
}

// Logs opens the log of a container.
func (s *Site) Logs(ctx context.Context, namespace, pod string, o corev1.PodLogOptions) (io.ReadCloser, error) {
	if err := s.Permits(corev1.SchemeGroupVersion.WithKind("Pod"), object.Key{Kind: "Pod", Namespace: namespace, Name: pod}); err != nil {
		return nil, err
	}
	ctx, err := s.Behalf(ctx)
	if err != nil {
		return nil, err
	}
	return s.Cluster.Logs(ctx, namespace, pod, o)
}

// Exec runs a command in a container.
func (s *Site) Exec(ctx context.Context, namespace, pod string, o cluster.ExecOptions) error {
	if err := s.Permits(corev1.SchemeGroupVersion.WithKind("Pod"), object.Key{Kind: "Pod", Namespace: namespace, Name: pod}); err != nil {
		return err
	}
	ctx, err := s.Behalf(ctx)
	if err != nil {
		return err
	}
	return s.Cluster.Exec(ctx, namespace, pod, o)
}

// Patch sends a patch of a person's own, for an object that the project permits, and returns what became of it.
func (s *Site) Patch(ctx context.Context, gvk schema.GroupVersionKind, key object.Key, kind types.PatchType, patch []byte) (*unstructured.Unstructured, error) {
	return s.patch(ctx, gvk, key, kind, patch, false)
}

// Try returns what Patch would make of the object; nothing is written.
func (s *Site) Try(ctx context.Context, gvk schema.GroupVersionKind, key object.Key, kind types.PatchType, patch []byte) (*unstructured.Unstructured, error) {
	return s.patch(ctx, gvk, key, kind, patch, true)
}

func (s *Site) patch(ctx context.Context, gvk schema.GroupVersionKind, key object.Key, kind types.PatchType, patch []byte, dryRun bool) (*unstructured.Unstructured, error) {
	if err := s.Permits(gvk, key); err != nil {
		return nil, err
	}
	ctx, err := s.Behalf(ctx)
	if err != nil {
		return nil, err
	}
	return s.Cluster.Patch(ctx, gvk, key.Namespace, key.Name, kind, patch, cluster.WriteOptions{Manager: Hand, Validation: cluster.Ignore, DryRun: dryRun})
}

// Delete deletes the object that was read, and no other that took its name since.
func (s *Site) Delete(ctx context.Context, read *unstructured.Unstructured, how metav1.DeletionPropagation, atOnce bool) error {
	gvk, key := read.GroupVersionKind(), object.KeyOf(read)
	if err := s.Permits(gvk, key); err != nil {
		return err
	}
	ctx, err := s.Behalf(ctx)
	if err != nil {
		return err
	}
	return s.Cluster.Delete(ctx, key, cluster.DeleteOptions{
		UID: read.GetUID(), ResourceVersion: read.GetResourceVersion(), Propagation: how, Version: gvk.Version, AtOnce: atOnce,
	})
}

// Done is what became of one object of an action.
type Done struct {
	Key     object.Key
	Outcome string // created, patched, unchanged
}

// Carry writes the impacts of an action on an object. All of them are permitted, and those that create are tried, before one
// is written: an action is not to stop half-way for what could be known.
func (s *Site) Carry(ctx context.Context, on *unstructured.Unstructured, impacts []action.Impact, dryRun bool) ([]Done, error) {
	ctx, err := s.Behalf(ctx)
	if err != nil {
		return nil, err
	}
	for _, impact := range impacts {
		if err := s.Permits(impact.Object.GroupVersionKind(), object.KeyOf(impact.Object)); err != nil {
			return nil, err
		}
		if impact.Operation == action.Create && !dryRun && len(impacts) > 1 {
			if _, err := s.Cluster.Create(ctx, impact.Object, cluster.WriteOptions{Manager: Hand, DryRun: true}); err != nil {
				return nil, err
			}
		}
	}
	var done []Done
	for _, impact := range impacts {
		one, err := s.write(ctx, on, impact, cluster.WriteOptions{Manager: Hand, DryRun: dryRun})
		if err != nil {
			return done, err
		}
		done = append(done, one)
	}
	return done, nil
}

func (s *Site) write(ctx context.Context, on *unstructured.Unstructured, impact action.Impact, o cluster.WriteOptions) (Done, error) {
	done := Done{Key: object.KeyOf(impact.Object)}
	if impact.Operation == action.Create {
		answer, err := s.Cluster.Create(ctx, impact.Object, o)
		if err == nil {
			done.Key.Name, done.Outcome = answer.GetName(), "created"
		}
		return done, err
	}
	if impact.Patch == nil && impact.StatusPatch == nil {
		done.Outcome = "unchanged"
		return done, nil
	}
	done.Outcome = "patched"
	patch := impact.Patch
	if impact.StatusPatch != nil {
		status := o
		status.Subresource = "status"
		answer, err := s.merge(ctx, on, impact.StatusPatch, status)
		switch {
		case errors.Is(err, cluster.NotFound), errors.Is(err, cluster.NoSuchKind): // the kind has no such subresource
			patch = maps.Clone(impact.StatusPatch)
			maps.Copy(patch, impact.Patch)
		case err != nil:
			return done, err
		case !o.DryRun:
			on = answer
		}
	}
	if patch == nil {
		return done, nil
	}
	_, err := s.merge(ctx, on, patch, o)
	return done, err
}

// merge sends a merge patch that holds only for the object as it was read.
func (s *Site) merge(ctx context.Context, on *unstructured.Unstructured, patch map[string]any, o cluster.WriteOptions) (*unstructured.Unstructured, error) {
	patch = maps.Clone(patch)
	meta, _ := patch["metadata"].(map[string]any)
	if meta = maps.Clone(meta); meta == nil {
		meta = map[string]any{}
	}
	meta["resourceVersion"] = on.GetResourceVersion()
	patch["metadata"] = meta
	body, err := json.Marshal(patch)
	if err != nil {
		return nil, fault.Wrap(fault.Bug, "write", object.KeyOf(on).String(), err, "")
	}
	return s.Cluster.Patch(ctx, on.GroupVersionKind(), on.GetNamespace(), on.GetName(), types.MergePatchType, body, o)
}
