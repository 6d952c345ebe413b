// SPDX-License-Identifier: Apache-2.0

package resource

import (
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/session"
)

// NewPatchCmd returns the command patch-resource.
func NewPatchCmd(s *session.Session) *cobra.Command {
	var (
		chosen      choice
		patch, kind string
	)
	cmd := &cobra.Command{
		Use:   "patch-resource NAME",
		Short: "Change live objects of an application by a patch",
		Long: `Change live objects of an application by a patch. The source does not change: what it sets is put back by the next
sync.`,
		Example: command.Example(`bowline app patch-resource web --kind Deployment --resource-name front --patch '{"spec":{"replicas":3}}'`),
		Args:    command.OneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			if patch == "" {
				return command.Usage(cmd, "it needs --patch")
			}
			request := application.ApplicationResourcePatchRequest{Patch: patch, PatchType: kind, Project: chosen.project}
			request.AppNamespace, request.Name = s.Split(args[0])
			return patchObjects(cmd, s, &chosen, request)
		},
	}
	chosen.bindAll(cmd)
	cmd.Flags().StringVar(&patch, "patch", "", "the patch")
	cmd.Flags().StringVar(&kind, "patch-type", string(types.MergePatchType),
		fmt.Sprintf("%s, %s or %s", types.MergePatchType, types.JSONPatchType, types.StrategicMergePatchType))
	return cmd
}

func patchObjects(cmd *cobra.Command, s *session.Session, chosen *choice, request application.ApplicationResourcePatchRequest) error {
	if err := chosen.complete(cmd, s); err != nil {
		return err
	}
	services, err := s.Services(cmd.Context())
	if err != nil {
		return err
	}
	objects, err := chosen.managed(cmd.Context(), services.Applications, request.AppNamespace, request.Name)
	if err != nil {
		return err
	}
	for _, o := range objects {
		gvk := o.GroupVersionKind()
		request.Namespace, request.ResourceName = o.GetNamespace(), o.GetName()
		request.Group, request.Version, request.Kind = gvk.Group, gvk.Version, gvk.Kind
		if _, err := services.Applications.PatchResource(cmd.Context(), &request); err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s: patched\n", output.Clean(describe(&o)))
	}
	return nil
}

// NewDeleteCmd returns the command delete-resource.
func NewDeleteCmd(s *session.Session) *cobra.Command {
	var (
		chosen  choice
		request application.ApplicationResourceDeleteRequest
	)
	cmd := &cobra.Command{
		Use:     "delete-resource NAME",
		Short:   "Delete live objects of an application",
		Long:    `Delete live objects of an application. The source does not change: what it has comes back with the next sync.`,
		Example: command.Example("bowline app delete-resource web --kind Job --group batch --resource-name migrate"),
		Args:    command.OneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			request.AppNamespace, request.Name = s.Split(args[0])
			request.Project = chosen.project
			return deleteObjects(cmd, s, &chosen, request)
		},
	}
	chosen.bindAll(cmd)
	cmd.Flags().BoolVar(&request.Force, "force", false, "do not let it end by itself")
	cmd.Flags().BoolVar(&request.Orphan, "orphan", false, "leave what came of it in the cluster")
	return cmd
}

func deleteObjects(cmd *cobra.Command, s *session.Session, chosen *choice, request application.ApplicationResourceDeleteRequest) error {
	if err := chosen.complete(cmd, s); err != nil {
		return err
	}
	services, err := s.Services(cmd.Context())
	if err != nil {
		return err
	}
	objects, err := chosen.managed(cmd.Context(), services.Applications, request.AppNamespace, request.Name)
	if err != nil {
		return err
	}
	for _, o := range objects {
		gvk := o.GroupVersionKind()
		request.Namespace, request.ResourceName = o.GetNamespace(), o.GetName()
		request.Group, request.Version, request.Kind = gvk.Group, gvk.Version, gvk.Kind
		if _, err := services.Applications.DeleteResource(cmd.Context(), &request); err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s: deleted\n", output.Clean(describe(&o)))
	}
	return nil
}
