// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/app/demo"
	"github.com/bowline-cd/bowline/internal/cli"
	"github.com/bowline-cd/bowline/internal/cli/app/diff"
	"github.com/bowline-cd/bowline/internal/cli/command"
)

// version is set when the program is built (-ldflags -X).
var version = "dev"

func userAgent() string { return "bowline/" + version }

// Main runs the command line and returns the exit code of the process.
func Main(ctx context.Context, args []string) int {
	root := cli.New(cli.Deps{Version: version, Now: time.Now, Differ: diff.DifferFunc(differ)})
	root.AddCommand(newRunCommand(), newDemoCommand())
	return cli.Execute(ctx, root, args)
}

// gcPercent trades some CPU for memory: most of the heap is long-lived state, and collecting earlier keeps what a burst of
// renders and syncs leaves behind from doubling it.
const gcPercent = 60

func newRunCommand() *cobra.Command {
	opts := RunOptions{}
	installs := true
	cmd := &cobra.Command{
		Use: "run", Short: "Run Bowline: all roles in one process", Args: command.NoArgs,
		Long: `Run Bowline: all roles in one process, against the cluster of the kubeconfig.

Outside of a cluster it installs what it needs where that is absent (CRDs, the namespace, default settings); inside of one
it only verifies. With --observe it compares and writes nothing at all: the way to try it beside another controller.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("install") {
				opts.Install = &installs
			}
			opts.Log = cmd.ErrOrStderr()
			debug.SetGCPercent(gcPercent)
			return Run(cmd.Context(), opts)
		},
	}
	f := cmd.Flags()
	f.StringVar(&opts.Kubeconfig, "kubeconfig", "", "kubeconfig of the control plane (default: the cluster this runs in, else $KUBECONFIG)")
	f.StringVarP(&opts.Namespace, "namespace", "n", v1alpha1.DefaultNamespace, "control namespace: where Applications and settings are")
	f.StringVar(&opts.Listen, "listen", "127.0.0.1:8080", "address for health and webhooks")
	f.StringVar(&opts.Metrics, "metrics", "127.0.0.1:8082", "address for Prometheus metrics")
	f.StringVar(&opts.Data, "data", "bowline-data", "folder for mirrors of repositories; losing it costs time, never truth")
	f.BoolVar(&opts.Observe, "observe", false, "compare only: write nothing, not even status, Lease or Events")
	f.BoolVar(&installs, "install", true, "install what is absent (default: outside of a cluster); --install=false only verifies")
	f.BoolVar(&opts.AllowFileRepos, "allow-file-repos", false, "allow file:// repositories: whoever may write an Application can then read this machine's repositories")
	f.BoolVar(&opts.Insecure, "insecure", false, "serve plain HTTP; until sign-in exists that is the only way")
	f.StringVar(&opts.LogFormat, "log-format", "text", "text or json")
	f.StringVar(&opts.LogLevel, "log-level", "info", "debug, info, warn or error")
	return cmd
}

func newDemoCommand() *cobra.Command {
	exit := false
	cmd := &cobra.Command{
		Use: "demo", Short: "Show all of it on this machine: a control plane, a Git repository and Bowline between them", Args: command.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return demo.Run(cmd.Context(), demo.Options{Out: cmd.OutOrStdout(), Exit: exit, Bowline: runForDemo})
		},
	}
	cmd.Flags().BoolVar(&exit, "exit", false, "end after the narration; the exit code is 0 only if all of it happened")
	return cmd
}
