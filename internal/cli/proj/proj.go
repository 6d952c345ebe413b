// SPDX-License-Identifier: Apache-2.0

// Package proj is the noun `bowline proj`: projects, their roles and tokens, and their sync windows. Most verbs read the project,
// change one thing of it and write it back; the server checks what comes out.
package proj

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/project"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/complete"
	"github.com/bowline-cd/bowline/internal/cli/prompt"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// NewCmd returns the command with all its verbs.
func NewCmd(s *session.Session) *cobra.Command {
	cmd := command.Group("proj", "Work with projects",
		newCreateCmd(s), newSetCmd(s), newEditCmd(s), newGetCmd(s), newListCmd(s), newDeleteCmd(s), newRoleCmd(s), newWindowsCmd(s), newIntegrityCmd(s))
	cmd.Aliases = []string{"project"}
	cmd.AddCommand(listVerbs(s)...)
	cmd.AddCommand(kindVerbs(s)...)
	cmd.AddCommand(destinationVerbs(s)...)
	s.BindCluster(cmd.PersistentFlags())
	return cmd
}

// projects returns the service.
func projects(ctx context.Context, s *session.Session) (project.ProjectService, error) {
	services, err := s.Services(ctx)
	if err != nil {
		return nil, err
	}
	return services.Projects, nil
}

// fetch reads a project.
func fetch(ctx context.Context, s *session.Session, name string) (project.ProjectService, *v1alpha1.AppProject, error) {
	service, err := projects(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	p, err := service.Get(ctx, &project.ProjectQuery{Name: name})
	return service, p, err
}

// attempts is how often a change is made anew when somebody else changed the project meanwhile.
const attempts = 5

// update reads a project, has change change it, and writes it. change answers false if there is nothing to write.
func update(ctx context.Context, s *session.Session, name string, change func(*v1alpha1.AppProject) (bool, error)) error {
	for attempt := 1; ; attempt++ {
		service, p, err := fetch(ctx, s, name)
		if err != nil {
			return err
		}
		changed, err := change(p)
		if err != nil || !changed {
			return err
		}
		_, err = service.Update(ctx, &project.ProjectUpdateRequest{Project: p})
		if !fault.Is(err, fault.Wait) || attempt == attempts {
			return err
		}
	}
}

// verb is a verb that changes one thing of a project. args are the names of its arguments after the project's.
type verb struct {
	name, short string
	example     string
	args        []string
	change      func(cmd *cobra.Command, p *v1alpha1.AppProject, args []string) (bool, error)
}

func (v verb) command(s *session.Session) *cobra.Command {
	args := append([]string{"PROJECT"}, v.args...)
	use := v.name
	for _, arg := range args {
		use += " " + arg
	}
	return &cobra.Command{
		Use: use, Short: v.short, Example: command.Example("bowline proj " + v.name + " " + v.example),
		Args: command.Exactly(args...), ValidArgsFunction: complete.First(s, complete.Projects),
		RunE: func(cmd *cobra.Command, args []string) error {
			return update(cmd.Context(), s, args[0], func(p *v1alpha1.AppProject) (bool, error) { return v.change(cmd, p, args[1:]) })
		},
	}
}

// already and missing are mistakes about a thing of a project.
func already(p *v1alpha1.AppProject, thing string) error {
	return &fault.Error{Kind: fault.Mistake, Code: fault.AlreadyExists, Op: "add", Thing: thing + " to project " + p.Name, Err: errPresent}
}

func missing(p *v1alpha1.AppProject, thing string) error {
	return &fault.Error{Kind: fault.Mistake, Code: fault.NotFound, Op: "find", Thing: thing + " in project " + p.Name, Err: errAbsent,
		Fix: "see `bowline proj get " + p.Name + " -o yaml`"}
}

// confirmed asks whether a thing may be deleted, if people want to be asked.
func confirmed(cmd *cobra.Command, s *session.Session, thing string) (bool, error) {
	if !s.Asks() {
		return true, nil
	}
	yes, err := prompt.Confirm(cmd, "Delete "+thing+"?")
	if err == nil && !yes {
		fmt.Fprintf(cmd.OutOrStdout(), "%s was not deleted\n", thing)
	}
	return yes, err
}
