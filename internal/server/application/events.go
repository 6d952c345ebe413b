// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"errors"

	corev1 "k8s.io/api/core/v1"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Happened reads the Kubernetes Events about one object.
type Happened interface {
	// ToApplication returns those about an application itself.
	ToApplication(ctx context.Context, app *v1alpha1.Application) (*corev1.EventList, error)
	// ToObject returns those about an object in the application's cluster.
	ToObject(ctx context.Context, app *v1alpha1.Application, ref v1alpha1.ResourceRef) (*corev1.EventList, error)
}

// ListResourceEvents returns the Kubernetes Events about an application, or about an object in its tree.
func (s *Service) ListResourceEvents(ctx context.Context, request *application.ApplicationResourceEventsQuery) (*corev1.EventList, error) {
	app, err := s.load(ctx, access.Get, request.Project, request.AppNamespace, request.Name)
	if err != nil {
		return nil, err
	}
	if request.ResourceName == "" && request.ResourceUID == "" {
		return s.Happened.ToApplication(ctx, app)
	}
	tree, err := s.tree(ctx, app)
	if err != nil {
		return nil, err
	}
	for _, nodes := range [][]v1alpha1.ResourceNode{tree.Nodes, tree.OrphanedNodes} {
		for _, n := range nodes {
			if n.UID == request.ResourceUID && n.Name == request.ResourceName && n.Namespace == request.ResourceNamespace {
				return s.Happened.ToObject(ctx, app, n.ResourceRef)
			}
		}
	}
	return nil, &fault.Error{Kind: fault.Mistake, Code: fault.NotFound, Op: "find", Thing: "object " + request.ResourceName, Err: errors.New("it is no part of application " + request.Name), Fix: "see what is: `bowline app resources " + request.Name + "`"}
}
