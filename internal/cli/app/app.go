// SPDX-License-Identifier: Apache-2.0

// Package app is the noun `bowline app`: its verbs are the packages below it, one each.
package app

import (
	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/internal/cli/app/actions"
	"github.com/bowline-cd/bowline/internal/cli/app/approve"
	"github.com/bowline-cd/bowline/internal/cli/app/change"
	"github.com/bowline-cd/bowline/internal/cli/app/confirm"
	"github.com/bowline-cd/bowline/internal/cli/app/create"
	appdelete "github.com/bowline-cd/bowline/internal/cli/app/delete"
	"github.com/bowline-cd/bowline/internal/cli/app/diff"
	"github.com/bowline-cd/bowline/internal/cli/app/get"
	"github.com/bowline-cd/bowline/internal/cli/app/history"
	"github.com/bowline-cd/bowline/internal/cli/app/hold"
	"github.com/bowline-cd/bowline/internal/cli/app/list"
	"github.com/bowline-cd/bowline/internal/cli/app/logs"
	"github.com/bowline-cd/bowline/internal/cli/app/manifests"
	"github.com/bowline-cd/bowline/internal/cli/app/plan"
	"github.com/bowline-cd/bowline/internal/cli/app/remote"
	"github.com/bowline-cd/bowline/internal/cli/app/resource"
	"github.com/bowline-cd/bowline/internal/cli/app/resources"
	"github.com/bowline-cd/bowline/internal/cli/app/rollback"
	appsync "github.com/bowline-cd/bowline/internal/cli/app/sync"
	"github.com/bowline-cd/bowline/internal/cli/app/terminate"
	"github.com/bowline-cd/bowline/internal/cli/app/wait"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/render"
	"github.com/bowline-cd/bowline/internal/cli/session"
)

// NewCmd returns the command with all its verbs. Without a differ there is no diff, without an opener no actions,
// without a drawer no resources, without a planner no plan, without a renderer
// no sync of local manifests, without a reverter no rollback in Git.
func NewCmd(s *session.Session, differ diff.Differ, open actions.Opener, drawer resources.Drawer, planner plan.Planner, renderer render.Renderer,
	reverter rollback.Reverter) *cobra.Command {
	differ, open, drawer, planner = overServer(differ, open, drawer, planner)
	cmd := command.Group("app", "Work with applications",
		list.NewCmd(s), get.NewCmd(s, drawer), appsync.NewCmd(s, renderer, differ), wait.NewCmd(s), history.NewCmd(s), appdelete.NewCmd(s),
		rollback.NewCmd(s, reverter), hold.NewCmd(s), terminate.NewCmd(s), approve.NewCmd(s),
		create.NewCmd(s), change.NewSetCmd(s), change.NewUnsetCmd(s), change.NewEditCmd(s), change.NewPatchCmd(s),
		change.NewAddSourceCmd(s), change.NewRemoveSourceCmd(s), confirm.NewCmd(s), logs.NewCmd(s), manifests.NewCmd(s, renderer),
		resource.NewGetCmd(s), resource.NewPatchCmd(s), resource.NewDeleteCmd(s),
	)
	if differ != nil {
		cmd.AddCommand(diff.NewCmd(s, differ))
	}
	if open != nil {
		cmd.AddCommand(actions.NewCmd(s, open))
	}
	if drawer != nil {
		cmd.AddCommand(resources.NewCmd(s, drawer))
	}
	if planner != nil {
		cmd.AddCommand(plan.NewCmd(s, planner))
	}
	s.BindCluster(cmd.PersistentFlags())
	s.BindApp(cmd.PersistentFlags())
	return cmd
}

// overServer has what is made by this process made by the server of a session that has one.
func overServer(differ diff.Differ, open actions.Opener, drawer resources.Drawer, planner plan.Planner) (diff.Differ, actions.Opener, resources.Drawer, plan.Planner) {
	if differ != nil {
		differ = remote.Differ(differ)
	}
	if open != nil {
		open = remote.Opener(open)
	}
	if drawer != nil {
		drawer = remote.Drawer(drawer)
	}
	if planner != nil {
		planner = remote.Planner(planner)
	}
	return differ, open, drawer, planner
}
