// SPDX-License-Identifier: Apache-2.0

// Package cli is the command line: what people and their scripts ask of Bowline.
//
// The words of this room:
//
//   - Noun and verb: `bowline app sync`; each noun is a folder, each verb a file or folder in it, with the names and
//     flags that people know from argocd.
//   - Answer and error: an answer goes to standard output, an error to standard error as one line that says what to
//     do. The exit code says what kind of error it was (fault.ExitCode), or is an answer itself (app diff).
//
// The verbs here talk through api/client. What runs rooms of the controller (run, demo, the comparison behind app diff)
// is added by internal/app.
package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/cli/account"
	"github.com/bowline-cd/bowline/internal/cli/admin"
	"github.com/bowline-cd/bowline/internal/cli/admin/reach"
	"github.com/bowline-cd/bowline/internal/cli/app"
	"github.com/bowline-cd/bowline/internal/cli/app/actions"
	"github.com/bowline-cd/bowline/internal/cli/app/diff"
	"github.com/bowline-cd/bowline/internal/cli/app/plan"
	"github.com/bowline-cd/bowline/internal/cli/app/resources"
	"github.com/bowline-cd/bowline/internal/cli/app/rollback"
	"github.com/bowline-cd/bowline/internal/cli/appset"
	"github.com/bowline-cd/bowline/internal/cli/cert"
	"github.com/bowline-cd/bowline/internal/cli/cluster"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/complete"
	"github.com/bowline-cd/bowline/internal/cli/login"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/proj"
	"github.com/bowline-cd/bowline/internal/cli/reference"
	"github.com/bowline-cd/bowline/internal/cli/render"
	"github.com/bowline-cd/bowline/internal/cli/repo"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/cli/version"
)

// Deps is what the command line is made with.
type Deps struct {
	// Version is that of this build.
	Version string
	// Now is the clock.
	Now func() time.Time
	// Open returns the client of a session; nil connects to the cluster of the kubeconfig.
	Open func(*session.Session) (client.Applications, error)
	// Core returns the services of this process, for commands that work straight on the cluster; without it they need a server.
	Core func(context.Context, *session.Session) (*client.Services, error)
	// Services returns the services whatever was chosen; nil chooses a server or Core.
	Services func(*session.Session) (*client.Services, error)
	// Hub leads admin commands to the cluster; nil is that of the kubeconfig.
	Hub reach.Connect
	// Differ makes the comparison of app diff; without one there is no such command.
	Differ diff.Differ
	// Actions leads to the objects of app actions; without it there is no such command.
	Actions actions.Opener
	// Drawer draws the tree of app resources; without one there is no such command.
	Drawer resources.Drawer
	// Planner makes the plan of app plan; without one there is no such command.
	Planner plan.Planner
	// Reverter takes changes back in Git, for app rollback --revert; without one there is no such flag.
	Reverter rollback.Reverter
	// Renderer renders for render; without one there is no such command.
	Renderer render.Renderer
}

// New returns the command line. The caller may add commands to it.
func New(deps Deps) *cobra.Command {
	s := &session.Session{Now: deps.Now, Open: deps.Open, Core: deps.Core, Serve: deps.Services, UserAgent: "bowline/" + deps.Version}
	root := command.Group("bowline", "Keep Kubernetes clusters equal to Git",
		app.NewCmd(s, deps.Differ, deps.Actions, deps.Drawer, deps.Planner, deps.Renderer, deps.Reverter), version.NewCmd(s, deps.Version),
		appset.NewCmd(s), proj.NewCmd(s), repo.NewCmd(s), repo.NewCredsCmd(s), cluster.NewCmd(s), cert.NewCmd(s), account.NewCmd(s),
		login.NewCmd(s), login.NewReloginCmd(s), login.NewLogoutCmd(s), login.NewContextCmd(s), login.NewConfigureCmd(s),
		admin.NewCmd(&session.Session{Now: deps.Now, UserAgent: s.UserAgent}, deps.Hub, s.Asks))
	if deps.Renderer != nil {
		root.AddCommand(render.NewCmd(&session.Session{Now: deps.Now, Open: deps.Open, UserAgent: s.UserAgent}, deps.Renderer))
	}
	root.AddCommand(reference.NewCmd())
	root.Long = root.Short + `.

Exit codes: 0 fine, 1 it failed but may pass later, 2 wrong use or a user's mistake, 3 waiting for something or stalled
until something changes, 4 forbidden, 20 a bug. Commands whose exit code is an answer say so in their help.`
	s.BindServer(root.PersistentFlags())
	complete.Below(root, "app", complete.First(s, complete.Applications))
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return command.Usage(cmd, err.Error()) })
	return root
}

// Execute runs the command line with args, writes an error if there is one, and returns the exit code.
func Execute(ctx context.Context, root *cobra.Command, args []string) int {
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if status := command.Status(0); err != nil && !errors.As(err, &status) {
		text := "error: " + err.Error()
		for line := range strings.Lines(text) { // they quote webhooks, controllers and repositories
			fmt.Fprintln(root.ErrOrStderr(), output.Clean(line))
		}
	}
	return command.ExitCode(err)
}
