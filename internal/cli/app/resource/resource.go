// SPDX-License-Identifier: Apache-2.0

// Package resource are the verbs about single objects of an application: `bowline app get-resource`, `patch-resource` and
// `delete-resource`.
//
// The words of this package:
//
//   - Choice: the flags that choose objects. What they choose of what an application manages is patched and deleted; what
//     they choose of its tree, down to the last Pod, is shown.
package resource

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// choice are the flags that choose objects.
type choice struct {
	group, kind, namespace, name, project string
	all, anyGroup                         bool
}

// bind adds the flags that all verbs have.
func (c *choice) bind(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&c.kind, "kind", "", "kind of the objects, such as Deployment; it has to be given")
	flags.StringVar(&c.group, "group", "", "API group of the kind (default: any)")
	flags.StringVar(&c.name, "resource-name", "", "name of the object (default: any)")
	flags.StringVar(&c.namespace, "resource-namespace", "", "namespace of the object (default: any); with a server --namespace is the same")
	flags.StringVar(&c.project, "project", "", "project of the application: without it one that does not exist looks forbidden")
}

func (c *choice) bindAll(cmd *cobra.Command) {
	c.bind(cmd)
	cmd.Flags().BoolVar(&c.all, "all", false, "do it to every object that is chosen")
}

// complete checks the flags after they were read.
func (c *choice) complete(cmd *cobra.Command, s *session.Session) error {
	c.namespace = s.ObjectNamespace(cmd, c.namespace)
	c.anyGroup = !cmd.Flags().Changed("group")
	if c.kind == "" {
		return command.Usage(cmd, "it needs --kind")
	}
	return nil
}

func (c *choice) holds(group, kind, namespace, name string) bool {
	return kind == c.kind && (c.anyGroup || group == c.group) && (c.namespace == "" || namespace == c.namespace) && (c.name == "" || name == c.name)
}

// managed returns the live objects of an application that are chosen: one, or with --all any number.
func (c *choice) managed(ctx context.Context, apps application.ApplicationService, namespace, app string) ([]unstructured.Unstructured, error) {
	answer, err := apps.ManagedResources(ctx, &application.ResourcesQuery{ApplicationName: app, AppNamespace: namespace, Project: c.project})
	if err != nil {
		return nil, err
	}
	thing := "objects of application " + app
	var found []unstructured.Unstructured
	var names []string
	for _, item := range answer.Items {
		if !c.holds(item.Group, item.Kind, item.Namespace, item.Name) {
			continue
		}
		live, err := object(item.LiveState)
		if err != nil {
			return nil, fault.Wrap(fault.Retry, "read", thing, err, "")
		}
		if live != nil {
			found = append(found, *live)
			names = append(names, describe(live))
		}
	}
	switch {
	case len(found) == 0:
		return nil, fault.New(fault.Mistake, "choose", thing, "", "there is no such object in the cluster", "see `bowline app resources "+app+"`, and choose with --kind, --group, --resource-name")
	case len(found) > 1 && !c.all:
		return nil, fault.New(fault.Mistake, "choose", thing, "", fmt.Sprintf("%d are chosen: %s", len(found), strings.Join(names, ", ")), "choose one with --resource-name, or all with --all")
	}
	return found, nil
}

// object reads a manifest; nil if it says that there is none.
func object(manifest string) (*unstructured.Unstructured, error) {
	if manifest == "" || manifest == "null" {
		return nil, nil
	}
	out := &unstructured.Unstructured{}
	if err := json.Unmarshal([]byte(manifest), &out.Object); err != nil {
		return nil, err
	}
	return out, nil
}

func describe(o *unstructured.Unstructured) string {
	if o.GetNamespace() == "" {
		return o.GetKind() + " " + o.GetName()
	}
	return o.GetKind() + " " + o.GetNamespace() + "/" + o.GetName()
}
