// SPDX-License-Identifier: Apache-2.0

// Package applicationset serves ApplicationSets as they are: what they say, and which applications were made from them. This
// version of Bowline makes none, so what would change them is refused, plainly.
//
// The word of this room: set, short for ApplicationSet.
package applicationset

import (
	"context"
	"errors"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/labels"

	rpcapplicationset "github.com/bowline-cd/bowline/api/argoproj/rpc/applicationset"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/gate"
	"github.com/bowline-cd/bowline/internal/server/hub"
)

// Deps is what the service is made with.
type Deps struct {
	Gate *gate.Gate
	Hub  *hub.Hub
	// Served reports whether the sets of a namespace are served.
	Served func(namespace string) bool
	// Changed returns a channel that is closed once any set may have changed since the call.
	Changed func() <-chan struct{}
}

// Service implements applicationset.ApplicationSetService.
type Service struct {
	Deps
}

var _ rpcapplicationset.ApplicationSetService = (*Service)(nil)

// New returns the service.
func New(deps Deps) *Service { return &Service{Deps: deps} }

// right is a right on a set: <project>/<name>, with the namespace between them where it is not home.
func (s *Service) right(action string, set *v1alpha1.ApplicationSet) access.Right {
	object := set.Spec.Template.Spec.Project + "/"
	if set.Namespace != s.Hub.Home {
		object += set.Namespace + "/"
	}
	return access.Right{Resource: access.ApplicationSets, Action: action, Object: object + set.Name}
}

// choice is which sets a caller asks for.
type choice struct {
	namespace, name string
	projects        []string
	selector        labels.Selector
}

func newChoice(namespace, name, selector string, projects []string) (choice, error) {
	parsed, err := labels.Parse(selector)
	if err != nil {
		return choice{}, fault.New(fault.Mistake, "choose", "application sets", "selector", err.Error(), "correct it")
	}
	return choice{namespace, name, slices.DeleteFunc(slices.Clone(projects), func(p string) bool { return p == "" }), parsed}, nil
}

func (c choice) has(set *v1alpha1.ApplicationSet) bool {
	return (c.namespace == "" || set.Namespace == c.namespace) && (c.name == "" || set.Name == c.name) &&
		(len(c.projects) == 0 || slices.Contains(c.projects, set.Spec.Template.Spec.Project)) && c.selector.Matches(labels.Set(set.Labels))
}

// chosen returns the sets that are chosen and that the caller may see, by name, and the version of the list.
func (s *Service) chosen(ctx context.Context, c choice) ([]v1alpha1.ApplicationSet, string, error) {
	list := &v1alpha1.ApplicationSetList{}
	err := s.Hub.Client.List(ctx, list)
	if meta.IsNoMatchError(err) { // the cluster has no such kind, and so none of it
		return nil, "", nil
	}
	if err != nil {
		return nil, "", hub.Failed("list", "the application sets", err)
	}
	out := slices.DeleteFunc(list.Items, func(set v1alpha1.ApplicationSet) bool {
		return !s.Served(set.Namespace) || !c.has(&set) || !s.Gate.Allows(ctx, s.right(access.Get, &set))
	})
	slices.SortFunc(out, func(a, b v1alpha1.ApplicationSet) int {
		return strings.Compare(a.Name+"/"+a.Namespace, b.Name+"/"+b.Namespace)
	})
	return out, list.ResourceVersion, nil
}

// List returns the sets that the request chooses and the caller may see.
func (s *Service) List(ctx context.Context, query *rpcapplicationset.ApplicationSetListQuery) (*v1alpha1.ApplicationSetList, error) {
	c, err := newChoice(query.AppsetNamespace, "", query.Selector, query.Projects)
	if err != nil {
		return nil, err
	}
	items, version, err := s.chosen(ctx, c)
	if err != nil {
		return nil, err
	}
	out := &v1alpha1.ApplicationSetList{Items: append([]v1alpha1.ApplicationSet{}, items...)}
	out.ResourceVersion = version
	return out, nil
}

// Get returns a set. That it is missing, or not to be seen, is answered alike.
func (s *Service) Get(ctx context.Context, query *rpcapplicationset.ApplicationSetGetQuery) (*v1alpha1.ApplicationSet, error) {
	return s.load(ctx, query.AppsetNamespace, query.Name)
}

func (s *Service) load(ctx context.Context, namespace, name string) (*v1alpha1.ApplicationSet, error) {
	key := s.Hub.Key(name)
	if namespace != "" {
		key.Namespace = namespace
	}
	set := &v1alpha1.ApplicationSet{}
	err := s.Hub.Client.Get(ctx, key, set)
	switch {
	case !s.Served(key.Namespace), apierrors.IsNotFound(err), meta.IsNoMatchError(err):
		return nil, gate.Hidden()
	case err != nil:
		return nil, hub.Failed("read", "application set "+key.String(), err)
	case s.Gate.Enforce(ctx, s.right(access.Get, set)) != nil:
		return nil, gate.Hidden()
	}
	return set, nil
}

// ResourceTree returns the applications of a set, as its status names them.
func (s *Service) ResourceTree(ctx context.Context, query *rpcapplicationset.ApplicationSetTreeQuery) (*v1alpha1.ApplicationSetTree, error) {
	set, err := s.load(ctx, query.AppsetNamespace, query.Name)
	if err != nil {
		return nil, err
	}
	kind := v1alpha1.ApplicationSetSchemaGroupVersionKind
	parent := v1alpha1.ResourceRef{Group: kind.Group, Version: kind.Version, Kind: kind.Kind, Namespace: set.Namespace, Name: set.Name, UID: string(set.UID)}
	out := &v1alpha1.ApplicationSetTree{}
	for _, app := range set.Status.Resources {
		out.Nodes = append(out.Nodes, v1alpha1.ResourceNode{
			ResourceRef: v1alpha1.ResourceRef{Group: app.Group, Version: app.Version, Kind: app.Kind, Namespace: app.Namespace, Name: app.Name},
			ParentRefs:  []v1alpha1.ResourceRef{parent}, Health: app.Health,
		})
	}
	slices.SortFunc(out.Nodes, func(a, b v1alpha1.ResourceNode) int {
		return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
	})
	return out, nil
}

// ListResourceEvents returns what Kubernetes Events tell of a set.
func (s *Service) ListResourceEvents(ctx context.Context, query *rpcapplicationset.ApplicationSetGetQuery) (*corev1.EventList, error) {
	set, err := s.load(ctx, query.AppsetNamespace, query.Name)
	if err != nil {
		return nil, err
	}
	return s.Hub.Events(ctx, set)
}

// Create is refused: nothing would be made from the set.
func (s *Service) Create(context.Context, *rpcapplicationset.ApplicationSetCreateRequest) (*v1alpha1.ApplicationSet, error) {
	return nil, unsupported("create")
}

// Delete is refused: what was made from a set goes or stays by rules that are not carried out here.
func (s *Service) Delete(context.Context, *rpcapplicationset.ApplicationSetDeleteRequest) (*rpcapplicationset.ApplicationSetResponse, error) {
	return nil, unsupported("delete")
}

// Generate is refused.
func (s *Service) Generate(context.Context, *rpcapplicationset.ApplicationSetGenerateRequest) (*rpcapplicationset.ApplicationSetGenerateResponse, error) {
	return nil, unsupported("generate applications of")
}

func unsupported(op string) error {
	return &fault.Error{Kind: fault.Mistake, Code: fault.Unsupported, Op: op, Thing: "an application set",
		Err: errors.New("this version of Bowline makes no applications from application sets"), Fix: "use kubectl for the resource itself"}
}
