// SPDX-License-Identifier: Apache-2.0

// Package project serves projects: their rules, their roles and the tokens of these.
//
// The words of this room:
//
//   - Global: said of a project whose rules others inherit (globalProjects in argocd-cm).
//   - Token: what a program shows to act as a role. Only what it is called and how long it holds is kept, in spec.roles and, of those
//     that were made here, in the status too; a token that is in neither does not count any more.
package project

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	rpcproject "github.com/bowline-cd/bowline/api/argoproj/rpc/project"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/gate"
	"github.com/bowline-cd/bowline/internal/server/hub"
	"github.com/bowline-cd/bowline/internal/settings"
)

// Signer makes tokens of roles.
type Signer interface {
	// Role makes a token, which holds for lifetime or, if that is 0, without end, and says what is to be kept of it. An empty id
	// is chosen.
	Role(project, role, id string, lifetime time.Duration) (token string, record v1alpha1.JWTToken, err error)
}

// Clusters knows the clusters by their names.
type Clusters interface {
	// ScopedTo returns what belongs to one project alone.
	ScopedTo(project string) access.Scoped
	// Places returns the server and the name of a destination's cluster.
	Places(destination v1alpha1.ApplicationDestination) (access.Cluster, error)
}

// Deps is what the service is made with.
type Deps struct {
	Gate     *gate.Gate
	Hub      *hub.Hub
	Signer   Signer
	Clusters Clusters
	// Settings returns those of the moment.
	Settings func() *settings.Settings
	// Learn is told of each project that was written, so that its roles and tokens count at once; it may be nil.
	Learn func(*v1alpha1.AppProject)
	Log   *slog.Logger
}

// Service implements project.ProjectService.
type Service struct {
	Deps
}

var _ rpcproject.ProjectService = (*Service)(nil)

// New returns the service.
func New(deps Deps) *Service { return &Service{Deps: deps} }

func right(action, name string) access.Right {
	return access.Right{Resource: access.Projects, Action: action, Object: name}
}

func thing(name string) string { return "project " + name }

// List returns the projects that the caller may see.
func (s *Service) List(ctx context.Context, query *rpcproject.ProjectQuery) (*v1alpha1.AppProjectList, error) {
	all, err := s.all(ctx)
	if err != nil {
		return nil, err
	}
	all.Items = slices.DeleteFunc(all.Items, func(p v1alpha1.AppProject) bool {
		return query.Name != "" && p.Name != query.Name || !s.Gate.Allows(ctx, right(access.Get, p.Name))
	})
	for i := range all.Items {
		show(&all.Items[i])
	}
	return all, nil
}

func (s *Service) all(ctx context.Context) (*v1alpha1.AppProjectList, error) {
	list := &v1alpha1.AppProjectList{}
	if err := s.Hub.Client.List(ctx, list, client.InNamespace(s.Hub.Home)); err != nil {
		return nil, hub.Failed("list", "the projects", err)
	}
	slices.SortFunc(list.Items, func(a, b v1alpha1.AppProject) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// Get returns a project. Whoever may not see it is refused before anybody looks whether there is one of that name.
func (s *Service) Get(ctx context.Context, query *rpcproject.ProjectQuery) (*v1alpha1.AppProject, error) {
	if err := s.Gate.Enforce(ctx, right(access.Get, query.Name)); err != nil {
		return nil, err
	}
	return s.read(ctx, query.Name)
}

func (s *Service) read(ctx context.Context, name string) (*v1alpha1.AppProject, error) {
	p := &v1alpha1.AppProject{}
	if err := s.Hub.Fresh.Get(ctx, s.Hub.Key(name), p); err != nil {
		return nil, hub.Failed("read", thing(name), err)
	}
	return show(p), nil
}

// show makes a project what callers see: tokens in one order, and nothing of how it was stored.
func show(p *v1alpha1.AppProject) *v1alpha1.AppProject {
	p.ManagedFields = nil
	showTokens(p)
	return p
}

// Create creates a project. One that exists already and is the same is returned; with upsert it becomes as it was asked for.
func (s *Service) Create(ctx context.Context, request *rpcproject.ProjectCreateRequest) (*v1alpha1.AppProject, error) {
	p := request.Project
	if p == nil || p.Name == "" {
		return nil, missing("project.metadata.name", "the project has no name")
	}
	if err := s.Gate.Enforce(ctx, right(access.Create, p.Name)); err != nil {
		return nil, err
	}
	if err := s.prepare(p); err != nil {
		return nil, err
	}
	p = &v1alpha1.AppProject{ObjectMeta: metaOf(p), Spec: p.Spec}
	asked := p.DeepCopy()
	err := s.Hub.Create(ctx, thing(p.Name), p)
	if fault.CodeOf(err) == fault.AlreadyExists {
		return s.upsert(ctx, asked, request.Upsert)
	}
	if err != nil {
		return nil, err
	}
	s.learned(p)
	s.record(ctx, p, "ResourceCreated", "created project")
	return show(p), nil
}

func (s *Service) upsert(ctx context.Context, asked *v1alpha1.AppProject, upsert bool) (*v1alpha1.AppProject, error) {
	existing, err := s.read(ctx, asked.Name)
	if err != nil {
		return nil, err
	}
	switch {
	case equality.Semantic.DeepEqual(withoutTokens(existing), withoutTokens(asked)):
		return existing, nil
	case !upsert:
		return nil, hub.Different("project", "other rules were asked for")
	}
	return s.Update(ctx, &rpcproject.ProjectUpdateRequest{Project: asked})
}

// prepare checks what somebody wants a project to be, and brings its policies into one form.
func (s *Service) prepare(p *v1alpha1.AppProject) error {
	if p.Namespace != "" && p.Namespace != s.Hub.Home {
		return fault.New(fault.Mistake, "write", thing(p.Name), "metadata.namespace", "projects live in namespace "+s.Hub.Home, "leave it out")
	}
	normalise(p)
	return errors.Join(validate(p)...)
}

// Update replaces the rules of a project. With the resourceVersion of what the caller read, all of it is replaced, and it is
// refused if somebody wrote it since; without, only the rules and what is named of the metadata.
func (s *Service) Update(ctx context.Context, request *rpcproject.ProjectUpdateRequest) (*v1alpha1.AppProject, error) {
	asked := request.Project
	if asked == nil || asked.Name == "" {
		return nil, missing("project.metadata.name", "the project has no name")
	}
	if err := s.Gate.Enforce(ctx, right(access.Update, asked.Name)); err != nil {
		return nil, err
	}
	if err := s.prepare(asked); err != nil {
		return nil, err
	}
	p := &v1alpha1.AppProject{}
	p.Name = asked.Name
	err := s.Hub.Change(ctx, thing(asked.Name), p, func() error {
		if asked.ResourceVersion != "" && asked.ResourceVersion != p.ResourceVersion {
			return fault.New(fault.Retry, "write", thing(p.Name), "metadata.resourceVersion", "somebody wrote it since it was read", "read it again")
		}
		if err := s.widens(ctx, asked, p); err != nil {
			return err
		}
		if err := s.strands(ctx, asked, p); err != nil {
			return err
		}
		replace(p, asked)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.learned(p)
	s.record(ctx, p, "ResourceUpdated", "updated project")
	return show(p), nil
}

// replace puts what was asked for into the project. Of a project that the caller read before, leaving a token out revokes it; what
// was written down elsewhere cannot know of tokens that were made since.
func replace(p, asked *v1alpha1.AppProject) {
	meta := metaOf(asked)
	whole := asked.ResourceVersion != ""
	if whole || meta.Labels != nil {
		p.Labels = meta.Labels
	}
	if whole || meta.Annotations != nil {
		p.Annotations = meta.Annotations
	}
	if whole || meta.Finalizers != nil {
		p.Finalizers = meta.Finalizers
	}
	before := p.DeepCopy()
	p.Spec = *asked.Spec.DeepCopy()
	for i := range p.Spec.Roles {
		role := &p.Spec.Roles[i]
		if !whole {
			role.JWTTokens = append(role.JWTTokens, before.Status.JWTTokensByRole[role.Name].Items...)
		}
		role.JWTTokens = merged(role.JWTTokens)
	}
	keepTokens(p, before, false)
}

func withoutTokens(p *v1alpha1.AppProject) v1alpha1.AppProjectSpec {
	spec := *p.Spec.DeepCopy()
	for i := range spec.Roles {
		spec.Roles[i].JWTTokens = nil
	}
	return spec
}

func metaOf(p *v1alpha1.AppProject) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: p.Name, Labels: p.Labels, Annotations: p.Annotations, Finalizers: p.Finalizers}
}

// Delete deletes a project that no application is in. The default project stays.
func (s *Service) Delete(ctx context.Context, query *rpcproject.ProjectQuery) (*rpcproject.EmptyResponse, error) {
	if query.Name == v1alpha1.DefaultAppProjectName {
		return nil, fault.New(fault.Mistake, "delete", thing(query.Name), "name", "the name is reserved", "narrow its rules instead")
	}
	if err := s.Gate.Enforce(ctx, right(access.Delete, query.Name)); err != nil {
		return nil, err
	}
	p, err := s.read(ctx, query.Name)
	if err != nil {
		return nil, err
	}
	apps, err := s.applications(ctx, p)
	if err != nil {
		return nil, err
	}
	if len(apps) > 0 {
		return nil, fault.New(fault.Mistake, "delete", thing(query.Name), "", fmt.Sprintf("it is referenced by %d applications", len(apps)), "delete or move them first")
	}
	if err := s.Hub.Delete(ctx, thing(query.Name), p); err != nil {
		return nil, err
	}
	s.record(ctx, p, "ResourceDeleted", "deleted project")
	return &rpcproject.EmptyResponse{}, nil
}

// ListEvents returns what Kubernetes Events tell of a project.
func (s *Service) ListEvents(ctx context.Context, query *rpcproject.ProjectQuery) (*corev1.EventList, error) {
	p, err := s.Get(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.Hub.Events(ctx, p)
}

func missing(field, cause string) error {
	return fault.New(fault.Mistake, "write", "a project", field, cause, "name it")
}
