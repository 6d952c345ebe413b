// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/server/application/live"
)

// site returns the application's part of its cluster.
func (s *Service) site(ctx context.Context, app *v1alpha1.Application) (*live.Site, error) {
	_, rules, err := s.project(ctx, app)
	if err != nil {
		return nil, err
	}
	found, err := s.Clusters.Find(app.Spec.Destination)
	if err != nil {
		return nil, err
	}
	return &live.Site{Cluster: found, Project: rules, Namespace: app.Spec.Destination.Namespace, Home: app.Namespace, Settings: *s.Settings()}, nil
}

// part is one object of an application, for which a caller has a right.
type part struct {
	app  *v1alpha1.Application
	site *live.Site
	node v1alpha1.ResourceNode
	gvk  schema.GroupVersionKind // in the version that was asked for
	key  object.Key
}

// part finds an object of an application for an action on it: among what the application has in its cluster, and nowhere
// else.
func (s *Service) part(ctx context.Context, action string, q *application.ApplicationResourceRequest) (*part, error) {
	app, err := s.loadPart(ctx, action, q)
	if err != nil {
		return nil, err
	}
	site, err := s.site(ctx, app)
	if err != nil {
		return nil, err
	}
	nodes, err := s.nodes(ctx, app)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(nodes, func(n v1alpha1.ResourceNode) bool {
		return n.Group == q.Group && n.Kind == q.Kind && n.Namespace == q.Namespace && n.Name == q.ResourceName
	})
	if i < 0 || nodes[i].UID == "" {
		return nil, fault.New(fault.Mistake, "find", fmt.Sprintf("%s %s %s", q.Kind, q.Group, q.ResourceName), "",
			"not found as part of application "+q.Name, "see what it has with `bowline app resources`")
	}
	p := &part{app: app, site: site, node: nodes[i], key: object.Key{Group: q.Group, Kind: q.Kind, Namespace: q.Namespace, Name: q.ResourceName}}
	p.gvk = schema.GroupVersionKind{Group: q.Group, Version: p.node.Version, Kind: q.Kind}
	if q.Version != "" {
		p.gvk.Version = q.Version
	}
	return p, nil
}

// loadPart asks for the right to an object of an application. To patch and to delete are rights of their own for each object,
// unless settings let those to the application do.
func (s *Service) loadPart(ctx context.Context, action string, q *application.ApplicationResourceRequest) (*v1alpha1.Application, error) {
	if action != access.Update && action != access.Delete {
		return s.load(ctx, action, q.Project, q.AppNamespace, q.Name)
	}
	fine := fmt.Sprintf("%s/%s/%s/%s/%s", action, q.Group, q.Kind, q.Namespace, q.ResourceName)
	if s.Settings().Doing.FineGrained {
		return s.load(ctx, fine, q.Project, q.AppNamespace, q.Name)
	}
	app, err := s.load(ctx, action, q.Project, q.AppNamespace, q.Name)
	if fault.Is(err, fault.Forbidden) {
		return s.load(ctx, fine, q.Project, q.AppNamespace, q.Name)
	}
	return app, err
}

// nodes are the objects of an application, what came of them, and the orphans that its project has looked for.
func (s *Service) nodes(ctx context.Context, app *v1alpha1.Application) ([]v1alpha1.ResourceNode, error) {
	tree, err := s.tree(ctx, app)
	if err != nil {
		return nil, err
	}
	return slices.Concat(tree.Nodes, tree.OrphanedNodes), nil
}

// instance is the name that marks of an application's objects carry.
func (s *Service) instance(app *v1alpha1.Application) string {
	return object.InstanceName(s.Home, app.Namespace, app.Name)
}

// read returns the live object. One whose mark says that it is another application's is not for this one's callers to change.
func (p *part) read(ctx context.Context, instance string, change bool) (*unstructured.Unstructured, error) {
	found, err := p.site.Read(ctx, p.gvk, p.key)
	if err != nil || !change {
		return found, err
	}
	tracker := p.site.Settings.Tracker
	if owner := tracker.Owner(p.key, tracker.MarksOf(found)); owner != "" && owner != instance {
		return nil, fault.New(fault.Forbidden, "change", p.key.String(), "", "its mark says that it belongs to another application", "change it there")
	}
	return found, nil
}

// shown returns what people may see of a live object.
func (p *part) shown(found *unstructured.Unstructured) *unstructured.Unstructured {
	sensitive := func(annotation string) bool { return slices.Contains(p.site.Settings.MaskAnnotations, annotation) }
	return diff.Mask(diff.Forms{Live: found}, sensitive).Live
}

// secret reports whether the object is a Secret, of which errors may quote values.
func (p *part) secret() bool { return p.key.Group == "" && p.key.Kind == "Secret" }
