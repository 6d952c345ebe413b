// SPDX-License-Identifier: Apache-2.0

package proj

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/complete"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/session"
)

func newRoleCmd(s *session.Session) *cobra.Command {
	cmd := command.Group("role", "Work with roles of projects", newRoleListCmd(s), newRoleGetCmd(s), newRoleCreateCmd(s), newRoleDeleteCmd(s),
		newPolicyCmd(s, "add-policy", "Grant or refuse a right to a role", addPolicy), newPolicyCmd(s, "remove-policy", "Take a policy of a role back", removePolicy),
		newTokenCreateCmd(s), newTokenDeleteCmd(s), newTokenListCmd(s))
	cmd.Aliases = []string{"roles"}
	cmd.AddCommand(
		verb{"role add-group", "Give a role to a group", "shop deployer shop:developers", []string{"ROLE-NAME", "GROUP-CLAIM"}, addGroup}.under(s),
		verb{"role remove-group", "Take a role from a group", "shop deployer shop:developers", []string{"ROLE-NAME", "GROUP-CLAIM"}, removeGroup}.under(s),
	)
	return cmd
}

// under is command, for a verb that is one of a group of verbs.
func (v verb) under(s *session.Session) *cobra.Command {
	cmd := v.command(s)
	_, cmd.Use, _ = strings.Cut(cmd.Use, " ")
	return cmd
}

// roleOf finds a role.
func roleOf(p *v1alpha1.AppProject, name string) (*v1alpha1.ProjectRole, error) {
	i := slices.IndexFunc(p.Spec.Roles, func(r v1alpha1.ProjectRole) bool { return r.Name == name })
	if i < 0 {
		return nil, missing(p, "role "+name)
	}
	return &p.Spec.Roles[i], nil
}

func newRoleListCmd(s *session.Session) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use: "list PROJECT", Short: "List the roles of a project", Args: command.Exactly("PROJECT"), ValidArgsFunction: complete.First(s, complete.Projects),
		Example: command.Example("bowline proj role list shop"),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, p, err := fetch(cmd.Context(), s, args[0])
			if err != nil {
				return err
			}
			return writeRoles(cmd.OutOrStdout(), format, p.Spec.Roles)
		},
	}
	output.Flag(cmd.Flags(), &format, output.Wide, output.JSON, output.YAML, output.Name)
	return cmd
}

func writeRoles(w io.Writer, format output.Format, roles []v1alpha1.ProjectRole) error {
	if roles == nil {
		roles = []v1alpha1.ProjectRole{}
	}
	if ok, err := output.Encode(w, format, roles); ok {
		return err
	}
	var rows [][]string
	for _, r := range roles {
		if format == output.Name {
			fmt.Fprintln(w, r.Name)
		}
		rows = append(rows, []string{r.Name, r.Description})
	}
	if format != output.Name {
		output.Table(w, []string{"ROLE-NAME", "DESCRIPTION"}, rows)
	}
	return nil
}

func newRoleGetCmd(s *session.Session) *cobra.Command {
	return &cobra.Command{
		Use: "get PROJECT ROLE-NAME", Short: "Show a role of a project", Args: command.Exactly("PROJECT", "ROLE-NAME"), ValidArgsFunction: complete.First(s, complete.Projects),
		Example: command.Example("bowline proj role get shop deployer"),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, p, err := fetch(cmd.Context(), s, args[0])
			if err != nil {
				return err
			}
			role, err := roleOf(p, args[1])
			if err != nil {
				return err
			}
			showRole(cmd.OutOrStdout(), p, role)
			return nil
		},
	}
}

func showRole(w io.Writer, p *v1alpha1.AppProject, role *v1alpha1.ProjectRole) {
	fmt.Fprintf(w, "%-15s%s\n", "Role Name:", role.Name)
	fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("%-15s%s", "Description:", output.Clean(role.Description)), " "))
	fmt.Fprintln(w, "Policies:")
	fmt.Fprintf(w, "p, proj:%s:%s, projects, get, %s, allow\n", p.Name, role.Name, p.Name) // every role has this right
	for _, policy := range role.Policies {
		fmt.Fprintln(w, output.Clean(policy))
	}
	fmt.Fprintln(w, "Groups:")
	for _, group := range role.Groups {
		fmt.Fprintf(w, "  - %s\n", output.Clean(group))
	}
	if len(role.Groups) == 0 {
		fmt.Fprintln(w, none)
	}
	fmt.Fprintln(w, "JWT Tokens:")
	rows := [][]string{}
	for _, token := range tokensOf(p, role.Name) {
		rows = append(rows, []string{fmt.Sprint(token.IssuedAt), command.Moment(token.IssuedAt, none), command.Moment(token.ExpiresAt, none)})
	}
	output.Table(w, []string{"ID", "ISSUED-AT", "EXPIRES-AT"}, rows)
}

// tokensOf returns the tokens of a role: the status has them since they are kept there, the spec those of before.
func tokensOf(p *v1alpha1.AppProject, role string) []v1alpha1.JWTToken {
	out := slices.Clone(p.Status.JWTTokensByRole[role].Items)
	for _, r := range p.Spec.Roles {
		for _, token := range r.JWTTokens {
			same := func(t v1alpha1.JWTToken) bool { return t.IssuedAt == token.IssuedAt && t.ID == token.ID }
			if r.Name == role && !slices.ContainsFunc(out, same) {
				out = append(out, token)
			}
		}
	}
	return out
}

func newRoleCreateCmd(s *session.Session) *cobra.Command {
	description := ""
	cmd := &cobra.Command{
		Use: "create PROJECT ROLE-NAME", Short: "Create a role of a project", Args: command.Exactly("PROJECT", "ROLE-NAME"), ValidArgsFunction: complete.First(s, complete.Projects),
		Example: command.Example("bowline proj role create shop deployer"),
		RunE: func(cmd *cobra.Command, args []string) error {
			text := "Role '%s' created\n"
			err := update(cmd.Context(), s, args[0], func(p *v1alpha1.AppProject) (bool, error) {
				if _, err := roleOf(p, args[1]); err == nil {
					text = "Role '%s' already exists\n"
					return false, nil
				}
				p.Spec.Roles = append(p.Spec.Roles, v1alpha1.ProjectRole{Name: args[1], Description: description})
				return true, nil
			})
			if err == nil {
				fmt.Fprintf(cmd.OutOrStdout(), text, args[1])
			}
			return err
		},
	}
	cmd.Flags().StringVar(&description, "description", "", "what the role is for")
	return cmd
}

func newRoleDeleteCmd(s *session.Session) *cobra.Command {
	return &cobra.Command{
		Use: "delete PROJECT ROLE-NAME", Short: "Delete a role of a project, and with it its tokens", Aliases: []string{"remove"},
		Args: command.Exactly("PROJECT", "ROLE-NAME"), ValidArgsFunction: complete.First(s, complete.Projects), Example: command.Example("bowline proj role delete shop deployer"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if yes, err := confirmed(cmd, s, "role '"+args[1]+"'"); err != nil || !yes {
				return err
			}
			err := update(cmd.Context(), s, args[0], func(p *v1alpha1.AppProject) (bool, error) {
				if _, err := roleOf(p, args[1]); err != nil {
					return false, err
				}
				p.Spec.Roles = slices.DeleteFunc(p.Spec.Roles, func(r v1alpha1.ProjectRole) bool { return r.Name == args[1] })
				return true, nil
			})
			if err == nil {
				fmt.Fprintf(cmd.OutOrStdout(), "Role '%s' deleted\n", args[1])
			}
			return err
		},
	}
}

func addGroup(cmd *cobra.Command, p *v1alpha1.AppProject, args []string) (bool, error) {
	role, err := roleOf(p, args[0])
	if err != nil {
		return false, err
	}
	if slices.Contains(role.Groups, args[1]) {
		fmt.Fprintf(cmd.OutOrStdout(), "Group '%s' already present in role '%s'\n", args[1], args[0])
		return false, nil
	}
	role.Groups = append(role.Groups, args[1])
	return true, nil
}

func removeGroup(_ *cobra.Command, p *v1alpha1.AppProject, args []string) (bool, error) {
	role, err := roleOf(p, args[0])
	if err != nil {
		return false, err
	}
	i := slices.Index(role.Groups, args[1])
	if i < 0 {
		return false, missing(p, "group "+args[1]+" of role "+args[0])
	}
	role.Groups = slices.Delete(role.Groups, i, i+1)
	return true, nil
}
