// SPDX-License-Identifier: Apache-2.0

package proj

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/complete"
	"github.com/bowline-cd/bowline/internal/cli/session"
)

// policy is what the flags of the verbs about policies say.
type policy struct{ action, permission, object, resource string }

// line is the policy as a line of a role (docs/reference/projects.md).
func (o policy) line(p *v1alpha1.AppProject, role string) string {
	return fmt.Sprintf("p, proj:%s:%s, %s, %s, %s/%s, %s", p.Name, role, o.resource, o.action, p.Name, o.object, o.permission)
}

func newPolicyCmd(s *session.Session, name, short string, change func(p *v1alpha1.AppProject, role *v1alpha1.ProjectRole, line string) (bool, error)) *cobra.Command {
	o := policy{}
	cmd := &cobra.Command{
		Use: name + " PROJECT ROLE-NAME", Short: short, Args: command.Exactly("PROJECT", "ROLE-NAME"), ValidArgsFunction: complete.First(s, complete.Projects),
		Example: command.Example("bowline proj role " + name + " shop deployer -a sync -o '*'"),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case o.action == "" || o.object == "":
				return command.Usage(cmd, "it needs --action and --object")
			case o.permission != "allow" && o.permission != "deny":
				return command.Usage(cmd, fmt.Sprintf("--permission is %q and has to be allow or deny", o.permission))
			}
			return update(cmd.Context(), s, args[0], func(p *v1alpha1.AppProject) (bool, error) {
				role, err := roleOf(p, args[1])
				if err != nil {
					return false, err
				}
				return change(p, role, o.line(p, role.Name))
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&o.action, "action", "a", "", "action, such as get, create, update, delete, sync")
	flags.StringVarP(&o.permission, "permission", "p", "allow", "allow or deny")
	flags.StringVarP(&o.object, "object", "o", "", "object within the project; * is any")
	flags.StringVarP(&o.resource, "resource", "r", "applications", "resource, such as applications, applicationsets, logs, exec")
	return cmd
}

func addPolicy(p *v1alpha1.AppProject, role *v1alpha1.ProjectRole, line string) (bool, error) {
	if slices.Contains(role.Policies, line) {
		return false, already(p, fmt.Sprintf("policy %q", line))
	}
	role.Policies = append(role.Policies, line)
	return true, nil
}

func removePolicy(p *v1alpha1.AppProject, role *v1alpha1.ProjectRole, line string) (bool, error) {
	i := slices.Index(role.Policies, line)
	if i < 0 {
		return false, missing(p, fmt.Sprintf("policy %q of role %s", line, role.Name))
	}
	role.Policies = slices.Delete(role.Policies, i, i+1)
	return true, nil
}
