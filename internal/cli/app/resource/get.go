// SPDX-License-Identifier: Apache-2.0

package resource

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// showing are the flags of get-resource.
type showing struct {
	chosen  choice
	fields  []string
	managed bool
	format  output.Format
}

// NewGetCmd returns the command get-resource.
func NewGetCmd(s *session.Session) *cobra.Command {
	opts := showing{}
	cmd := &cobra.Command{
		Use:   "get-resource NAME",
		Short: "Show live objects of an application",
		Example: command.Example(
			"bowline app get-resource web --kind Pod",
			"bowline app get-resource web --kind Deployment --resource-name front -o yaml",
			"bowline app get-resource web --kind Pod --filter-fields status.podIP,status.phase"),
		Args: command.OneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := opts.chosen.complete(cmd, s); err != nil {
				return err
			}
			services, err := s.Services(cmd.Context())
			if err != nil {
				return err
			}
			namespace, name := s.Split(args[0])
			objects, err := opts.objects(cmd.Context(), services.Applications, namespace, name)
			if err != nil {
				return err
			}
			return opts.write(cmd.OutOrStdout(), objects)
		},
	}
	opts.chosen.bind(cmd)
	cmd.Flags().StringSliceVar(&opts.fields, "filter-fields", nil, "only these fields, such as status.podIP; may be repeated")
	cmd.Flags().BoolVar(&opts.managed, "show-managed-fields", false, "show metadata.managedFields too")
	output.Flag(cmd.Flags(), &opts.format, output.Wide, output.YAML, output.JSON)
	return cmd
}

// objects returns the objects of the tree that are chosen, as they are in the cluster.
func (opts *showing) objects(ctx context.Context, apps application.ApplicationService, namespace, app string) ([]*unstructured.Unstructured, error) {
	tree, err := apps.ResourceTree(ctx, &application.ResourcesQuery{ApplicationName: app, AppNamespace: namespace, Project: opts.chosen.project})
	if err != nil {
		return nil, err
	}
	var out []*unstructured.Unstructured
	for _, node := range tree.Nodes {
		if !opts.chosen.holds(node.Group, node.Kind, node.Namespace, node.Name) {
			continue
		}
		answer, err := apps.GetResource(ctx, &application.ApplicationResourceRequest{
			Name: app, AppNamespace: namespace, Project: opts.chosen.project,
			Group: node.Group, Version: node.Version, Kind: node.Kind, Namespace: node.Namespace, ResourceName: node.Name,
		})
		if err != nil {
			return nil, err
		}
		live, err := object(answer.Manifest)
		if err != nil || live == nil {
			return nil, fault.New(fault.Retry, "read", node.Kind+" "+node.Name, "", "the answer holds no object", "")
		}
		out = append(out, live)
	}
	if len(out) == 0 {
		return nil, fault.New(fault.Mistake, "choose", "objects of application "+app, "", "it has no such object", "see `bowline app resources "+app+"`, and choose with --kind, --group, --resource-name")
	}
	return out, nil
}

func (opts *showing) write(w io.Writer, objects []*unstructured.Unstructured) error {
	var rows [][]string
	for i, o := range objects {
		if !opts.managed {
			unstructured.RemoveNestedField(o.Object, "metadata", "managedFields")
		}
		name := o.GetName()
		content := o.Object
		if len(opts.fields) > 0 {
			content = only(content, opts.fields)
		}
		if i > 0 {
			output.Next(w, opts.format)
		}
		if ok, err := output.Encode(w, opts.format, content); ok {
			if err != nil {
				return err
			}
			continue
		}
		rows = flatten(rows, name, "", content)
	}
	if opts.format == output.Wide {
		opts.table(w, rows)
	}
	return nil
}

// table writes the rows; the name of the object is of interest only if it was not given.
func (opts *showing) table(w io.Writer, rows [][]string) {
	header := []string{"FIELD", "RESOURCE NAME", "VALUE"}
	if opts.chosen.name != "" {
		header = slices.Delete(header, 1, 2)
		for i := range rows {
			rows[i] = slices.Delete(rows[i], 1, 2)
		}
	}
	output.Table(w, header, rows)
}

// flatten adds a row for each value, by the path of its field.
func flatten(rows [][]string, name, path string, value any) [][]string {
	switch v := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			rows = flatten(rows, name, strings.TrimPrefix(path+"."+key, "."), v[key])
		}
	case []any:
		for i, element := range v {
			rows = flatten(rows, name, fmt.Sprintf("%s[%d]", path, i), element)
		}
	default:
		rows = append(rows, []string{path, name, strings.Join(strings.Fields(fmt.Sprint(v)), " ")})
	}
	return rows
}

// only returns an object with nothing but the fields of some paths. A path goes through lists to each of their elements.
func only(object map[string]any, paths []string) map[string]any {
	var out any = map[string]any{}
	for _, path := range paths {
		if part, ok := pick(object, strings.Split(path, ".")); ok {
			out = join(out, part)
		}
	}
	return out.(map[string]any)
}

func pick(value any, path []string) (any, bool) {
	if len(path) == 0 {
		return value, true
	}
	switch v := value.(type) {
	case map[string]any:
		if part, ok := pick(v[path[0]], path[1:]); ok && v[path[0]] != nil {
			return map[string]any{path[0]: part}, true
		}
	case []any:
		var parts []any
		for _, element := range v {
			part, ok := pick(element, path)
			if !ok {
				part = map[string]any{} // it keeps the places of the others
			}
			parts = append(parts, part)
		}
		return parts, len(parts) > 0
	}
	return nil, false
}

// join lays one picked part over another.
func join(a, b any) any {
	switch under := a.(type) {
	case map[string]any:
		if over, ok := b.(map[string]any); ok {
			for key, value := range over {
				under[key] = join(under[key], value)
			}
			return under
		}
	case []any:
		if over, ok := b.([]any); ok && len(over) == len(under) {
			for i := range under {
				under[i] = join(under[i], over[i])
			}
			return under
		}
	}
	return b
}
