// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/object"
)

// Applications are known by their instance names, which tracking marks carry too: the name, or namespace_name outside of the
// control namespace.

// IDOf returns the instance name of an Application.
func (c *Controller) IDOf(app client.Object) string {
	return object.InstanceName(c.Namespace, app.GetNamespace(), app.GetName())
}

func (c *Controller) nameOf(id string) types.NamespacedName {
	namespace, name := object.ParseInstanceName(c.Namespace, id)
	return types.NamespacedName{Namespace: namespace, Name: name}
}

// keyOf returns the key of an Application's resource.
func (c *Controller) keyOf(id string) object.Key {
	name := c.nameOf(id)
	return object.Key{Group: v1alpha1.Group, Kind: v1alpha1.ApplicationKind, Namespace: name.Namespace, Name: name.Name}
}

// childOf returns the instance name of the Application that an object of the hub is; false if it is none that is served.
func (c *Controller) childOf(key object.Key) (string, bool) {
	if key.Group != v1alpha1.Group || key.Kind != v1alpha1.ApplicationKind || !c.serves(key.Namespace) {
		return "", false
	}
	return object.InstanceName(c.Namespace, key.Namespace, key.Name), true
}

// sibling returns the instance name of the Application of a name in the namespace of another.
func sibling(id, name string) string {
	if namespace, _, elsewhere := strings.Cut(id, "_"); elsewhere {
		return namespace + "_" + name
	}
	return name
}

// serves reports whether Applications of a namespace are served. Others are not looked at, whoever made them.
func (c *Controller) serves(namespace string) bool {
	return namespace == c.Namespace || c.Serves != nil && c.Serves(namespace)
}

// list returns the Applications that are served. They are not copies.
func (c *Controller) list(ctx context.Context) ([]v1alpha1.Application, error) {
	var apps v1alpha1.ApplicationList
	options := []client.ListOption{client.UnsafeDisableDeepCopy}
	if c.Serves == nil {
		options = append(options, client.InNamespace(c.Namespace))
	}
	if err := c.Client.List(ctx, &apps, options...); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(apps.Items, func(app v1alpha1.Application) bool { return !c.serves(app.Namespace) }), nil
}

// projectOf returns the project of an application. It is an error if the project does not permit its Applications to live where
// this one does: it may be nobody's who may use the project.
func (c *Controller) projectOf(ctx context.Context, app *v1alpha1.Application) (*access.Project, string, error) {
	project, version, err := c.projects.get(ctx, desired.ProjectOf(app))
	if err == nil {
		err = project.ApplicationNamespace(app.Namespace, c.Namespace)
	}
	return project, version, err
}
