// SPDX-License-Identifier: Apache-2.0

// Package projects are the verbs of `bowline admin proj` that work on a cluster: update-role-policy and generate-allow-list.
package projects

import (
	"context"
	"fmt"
	"path"
	"reflect"
	"strings"

	"github.com/spf13/cobra"
	kube "sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/admin/reach"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/session"
)

// NewCmd returns the command with its verbs; more are verbs from elsewhere.
func NewCmd(s *session.Session, connect reach.Connect, more ...*cobra.Command) *cobra.Command {
	cmd := command.Group("proj", "Look after projects", newUpdateCmd(s, connect), newAllowListCmd(s))
	cmd.AddCommand(more...)
	return cmd
}

// update is what update-role-policy does.
type update struct {
	projects, roles, action     string
	resource, scope, permission string
	remove, dry                 bool
}

func newUpdateCmd(s *session.Session, connect reach.Connect) *cobra.Command {
	u := update{}
	cmd := &cobra.Command{
		Use:   "update-role-policy PROJECT_GLOB set|remove ACTION",
		Short: "Set or remove the lines about an action in the roles of many projects",
		Long:  `Set or remove the lines about an action in the roles of all projects whose name matches a glob. Nothing is written without --dry-run=false.`,
		Example: command.Example(
			"bowline admin proj update-role-policy '*' set 'action/*' --role '*deployer*' --resource applications --scope '*' --permission allow --dry-run=false",
			"bowline admin proj update-role-policy '*' remove override --role '*deployer*'"),
		Args: command.Exactly("PROJECT_GLOB", "set|remove", "ACTION"),
		RunE: func(cmd *cobra.Command, args []string) error {
			u.projects, u.action = args[0], args[2]
			if err := u.check(cmd, args[1]); err != nil {
				return err
			}
			c, err := connect(s)
			if err != nil {
				return err
			}
			return u.run(cmd, c, s.Namespace)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&u.resource, "resource", "applications", "resource of the line, such as applications")
	flags.StringVar(&u.scope, "scope", "", "objects of the project that the line is about, such as *")
	flags.StringVar(&u.roles, "role", "*", "glob of the names of roles")
	flags.StringVar(&u.permission, "permission", "", "allow or deny")
	flags.BoolVar(&u.dry, "dry-run", true, "only say what would be done")
	return cmd
}

func (u *update) check(cmd *cobra.Command, how string) error {
	for _, glob := range []string{u.projects, u.roles} {
		if _, err := path.Match(glob, ""); err != nil {
			return command.Usage(cmd, fmt.Sprintf("%q is no glob", glob))
		}
	}
	u.remove = how == "remove"
	switch {
	case how != "set" && how != "remove":
		return command.Usage(cmd, fmt.Sprintf("%q is nothing to do: say set or remove", how))
	case u.remove:
	case u.scope == "" || u.resource == "":
		return command.Usage(cmd, "to set a line it needs --resource and --scope")
	case u.permission != "allow" && u.permission != "deny":
		return command.Usage(cmd, fmt.Sprintf("--permission is %q and has to be allow or deny", u.permission))
	}
	return nil
}

func (u *update) run(cmd *cobra.Command, c kube.Client, home string) error {
	list := &v1alpha1.AppProjectList{}
	if err := c.List(cmd.Context(), list, kube.InNamespace(home)); err != nil {
		return reach.Explain(err, "list", "the projects")
	}
	for i := range list.Items {
		before := &list.Items[i]
		if ok, _ := path.Match(u.projects, before.Name); !ok {
			continue
		}
		after := before.DeepCopy()
		u.apply(after)
		if reflect.DeepEqual(before.Spec, after.Spec) {
			continue
		}
		show(cmd, before, after)
		if err := u.save(cmd.Context(), c, before, after); err != nil {
			return err
		}
	}
	return nil
}

// save writes a project, unless somebody else changed it meanwhile.
func (u *update) save(ctx context.Context, c kube.Client, before, after *v1alpha1.AppProject) error {
	if u.dry {
		return nil
	}
	patch := kube.MergeFromWithOptions(before, kube.MergeFromWithOptimisticLock{})
	return reach.Explain(c.Patch(ctx, after, patch), "update", "project "+before.Name)
}

// apply changes the roles of a project.
func (u *update) apply(p *v1alpha1.AppProject) {
	for i := range p.Spec.Roles {
		role := &p.Spec.Roles[i]
		if ok, _ := path.Match(u.roles, role.Name); !ok {
			continue
		}
		at := u.lineOf(role.Policies)
		line := fmt.Sprintf("p, proj:%s:%s, %s, %s, %s/%s, %s", p.Name, role.Name, u.resource, u.action, p.Name, u.scope, u.permission)
		switch {
		case u.remove && at >= 0:
			role.Policies = append(role.Policies[:at], role.Policies[at+1:]...)
		case u.remove:
		case at >= 0:
			role.Policies[at] = line
		default:
			role.Policies = append(role.Policies, line)
		}
	}
}

// lineOf returns the place of the first line about the action; -1 if there is none.
func (u *update) lineOf(lines []string) int {
	for i, line := range lines {
		if parts := strings.Split(line, ","); len(parts) == 6 && strings.TrimSpace(parts[3]) == u.action {
			return i
		}
	}
	return -1
}

// show writes the lines that go and come.
func show(cmd *cobra.Command, before, after *v1alpha1.AppProject) {
	w := cmd.OutOrStdout()
	fmt.Fprintf(w, "===== %s ======\n", output.Clean(after.Name))
	for i, role := range after.Spec.Roles {
		had, has := set(before.Spec.Roles[i].Policies), set(role.Policies)
		for _, line := range before.Spec.Roles[i].Policies {
			if !has[line] {
				fmt.Fprintf(w, "- %s\n", output.Clean(line))
			}
		}
		for _, line := range role.Policies {
			if !had[line] {
				fmt.Fprintf(w, "+ %s\n", output.Clean(line))
			}
		}
	}
}

func set(lines []string) map[string]bool {
	out := map[string]bool{}
	for _, line := range lines {
		out[line] = true
	}
	return out
}
