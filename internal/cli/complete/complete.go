// SPDX-License-Identifier: Apache-2.0

// Package complete proposes names of what there is, for shells. It asks whoever the command would ask, and proposes nothing when
// that fails: a shell has no place for errors.
package complete

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/account"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/cluster"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/project"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/repository"
	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/cli/session"
)

// patience is how long somebody who pressed Tab waits.
const patience = 3 * time.Second

// Source returns names.
type Source func(context.Context, *client.Services) ([]string, error)

// Function is what a shell calls.
type Function = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective)

// First proposes names for the first argument.
func First(s *session.Session, source Source) Function {
	all := Every(s, source)
	return func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return all(cmd, args, begun)
	}
}

// Every proposes names for each argument.
func Every(s *session.Session, source Source) Function {
	return func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		parent := cmd.Context()
		if parent == nil {
			parent = context.Background()
		}
		ctx, cancel := context.WithTimeout(parent, patience)
		defer cancel()
		services, err := s.Services(ctx)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		names, err := source(ctx, services)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// Below has all verbs of a noun that take an argument, and propose nothing by themselves, propose names.
func Below(root *cobra.Command, noun string, propose Function) {
	for _, cmd := range root.Commands() {
		if cmd.Name() == noun {
			below(cmd, propose)
		}
	}
}

func below(cmd *cobra.Command, propose Function) {
	for _, verb := range cmd.Commands() {
		below(verb, propose)
		if _, args, ok := strings.Cut(verb.Use, " "); ok && args != "" && verb.ValidArgsFunction == nil {
			verb.ValidArgsFunction = propose
		}
	}
}

// Contexts proposes the contexts of the file of contexts.
func Contexts(s *session.Session) Function {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		file, err := s.Contexts()
		if err != nil || len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return file.Names(), cobra.ShellCompDirectiveNoFileComp
	}
}

// Applications are the names of applications.
func Applications(ctx context.Context, c *client.Services) ([]string, error) {
	list, err := c.Applications.List(ctx, &application.ApplicationQuery{Fields: "items.metadata.name,items.metadata.namespace"})
	if err != nil {
		return nil, err
	}
	names := make([]string, len(list.Items))
	for i, app := range list.Items {
		names[i] = app.Name
	}
	return names, nil
}

// Projects are the names of projects.
func Projects(ctx context.Context, c *client.Services) ([]string, error) {
	list, err := c.Projects.List(ctx, &project.ProjectQuery{})
	if err != nil {
		return nil, err
	}
	names := make([]string, len(list.Items))
	for i, p := range list.Items {
		names[i] = p.Name
	}
	return names, nil
}

// Clusters are the names of clusters.
func Clusters(ctx context.Context, c *client.Services) ([]string, error) {
	list, err := c.Clusters.List(ctx, &cluster.ClusterQuery{})
	if err != nil {
		return nil, err
	}
	names := make([]string, len(list.Items))
	for i, item := range list.Items {
		if names[i] = item.Name; item.Name == "" {
			names[i] = item.Server
		}
	}
	return names, nil
}

// Repositories are the URLs of repositories.
func Repositories(ctx context.Context, c *client.Services) ([]string, error) {
	list, err := c.Repositories.ListRepositories(ctx, &repository.RepoQuery{})
	if err != nil {
		return nil, err
	}
	names := make([]string, len(list.Items))
	for i, r := range list.Items {
		names[i] = r.Repo
	}
	return names, nil
}

// Accounts are the names of local accounts.
func Accounts(ctx context.Context, c *client.Services) ([]string, error) {
	list, err := c.Accounts.ListAccounts(ctx, &account.ListAccountRequest{})
	if err != nil {
		return nil, err
	}
	names := make([]string, len(list.Items))
	for i, a := range list.Items {
		names[i] = a.Name
	}
	return names, nil
}
