// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/server/application/live"
	"github.com/bowline-cd/bowline/internal/server/terminal"
)

// Enter implements terminal.Door: into running containers of the application's own pods, for those who may see the application
// and have the right exec, create.
func (s *Service) Enter(ctx context.Context, to terminal.Container) (context.Context, func(), func(context.Context, cluster.ExecOptions) error, error) {
	app, err := s.load(ctx, access.Get, to.Project, to.AppNamespace, to.Application)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := s.Gate.Enforce(ctx, s.right(access.Exec, access.Create, app)); err != nil {
		return nil, nil, nil, err
	}
	site, err := s.site(ctx, app)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := s.running(ctx, app, site, to); err != nil {
		return nil, nil, nil, err
	}
	inside, leave := s.Gate.Still(ctx, s.still(named{to.Project, app.Namespace, app.Name}, access.Exec, access.Create))
	return inside, leave, func(ctx context.Context, o cluster.ExecOptions) error {
		o.Container = to.Name
		return site.Exec(ctx, to.Namespace, to.Pod, o)
	}, nil
}

// running refuses a container that is none of the application's, or does not run.
func (s *Service) running(ctx context.Context, app *v1alpha1.Application, site *live.Site, to terminal.Container) error {
	tree, err := s.tree(ctx, app)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(tree.Nodes, func(n v1alpha1.ResourceNode) bool {
		return n.Kind == "Pod" && n.Group == "" && n.UID != "" && n.Name == to.Pod && n.Namespace == to.Namespace
	}) {
		return fault.New(fault.Mistake, "enter", "pod "+to.Pod, "", "Pod doesn't belong to specified app", "")
	}
	found, err := site.Read(ctx, corev1.SchemeGroupVersion.WithKind("Pod"), object.Key{Kind: "Pod", Namespace: to.Namespace, Name: to.Pod})
	if err != nil {
		return err
	}
	var pod corev1.Pod
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(found.Object, &pod); err != nil {
		return fault.Wrap(fault.Retry, "read", "pod "+to.Pod, err, "")
	}
	for _, status := range slices.Concat(pod.Status.ContainerStatuses, pod.Status.InitContainerStatuses) {
		if status.Name == to.Name && status.State.Running != nil {
			return nil
		}
	}
	return fault.New(fault.Mistake, "enter", "container "+to.Name+" of pod "+to.Pod, "", "it does not run", "wait until it does")
}
