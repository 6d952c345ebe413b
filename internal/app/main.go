// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/app/demo"
	"github.com/bowline-cd/bowline/internal/cli"
	"github.com/bowline-cd/bowline/internal/cli/app/diff"
	"github.com/bowline-cd/bowline/internal/cli/app/plan"
	"github.com/bowline-cd/bowline/internal/cli/app/resources"
	"github.com/bowline-cd/bowline/internal/cli/app/rollback"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/render"
	"github.com/bowline-cd/bowline/internal/worker"
	"github.com/bowline-cd/bowline/internal/worker/plugin"
)

// version is set when the program is built (-ldflags -X).
var version = "dev"

func userAgent() string { return "bowline/" + version }

// Main runs the command line and returns the exit code of the process.
func Main(ctx context.Context, args []string) int {
	worker.MainIfAsked()
	return cli.Execute(ctx, newRoot(), args)
}

func newRoot() *cobra.Command {
	root := cli.New(cli.Deps{
		Version: version, Now: time.Now, Differ: diff.DifferFunc(differ), Drawer: resources.DrawerFunc(drawer), Actions: openActions,
		Core: core, Planner: plan.PlannerFunc(planner), Renderer: render.RendererFunc(renderer), Reverter: rollback.ReverterFunc(reverter),
	})
	root.AddCommand(newRunCommand(), newDemoCommand())
	return root
}

func newRunCommand() *cobra.Command {
	opts := RunOptions{}
	cmd := &cobra.Command{
		Use: "run", Short: "Run Bowline: all roles in one process", Args: command.NoArgs,
		Long: `Run Bowline: all roles in one process, against the cluster of the kubeconfig. It goes on until it is ended by Ctrl-C
or SIGTERM.

Outside of a cluster it installs what it needs where that is absent (CRDs, the namespace, default settings); inside of one
only default settings in its own namespace. With --observe it compares and writes nothing at all: the way to try it beside another controller. While
Argo CD's application controller runs in the same namespace Bowline only observes by itself.

Of several processes on one cluster one leads and acts; the others wait, with their caches warm.

Exit code: 0 when it was asked to end, 1 an error that may pass, 2 wrong use, 3 something has to be changed first.`,
		Example: command.Example(
			"bowline run --observe",
			"bowline run --kubeconfig ~/.kube/config --data /var/lib/bowline --log-format json"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts.Log = cmd.ErrOrStderr()
			tuneCollector()
			return Run(cmd.Context(), opts)
		},
	}
	f := cmd.Flags()
	f.StringVar(&opts.Kubeconfig, "kubeconfig", "", "path of the kubeconfig (default: the cluster this runs in, then $KUBECONFIG, then ~/.kube/config)")
	f.StringVarP(&opts.Namespace, "namespace", "n", v1alpha1.DefaultNamespace, "control namespace: where Applications and settings are")
	f.StringVar(&opts.Listen, "listen", "127.0.0.1:8080", "address of the API, health and webhooks")
	f.StringVar(&opts.Metrics, "metrics", "127.0.0.1:8082", "address for Prometheus metrics")
	f.StringVar(&opts.Data, "data", "bowline-data", "folder for mirrors of repositories and the last resolved revisions; losing it costs time, never truth")
	f.StringVar(&opts.Plugins, "plugins", "", "folder with the sockets of config management plugins (default: "+plugin.DefaultDir+")")
	f.BoolVar(&opts.Observe, "observe", false, "compare only: write nothing, not even status, Lease or Events")
	f.StringVar(&opts.Install, "install", "", "what is created where it is absent: true (definitions, namespace, settings: the default outside of a cluster), settings (the default in one), false (nothing: only verify)")
	f.Lookup("install").NoOptDefVal = "true"
	f.BoolVar(&opts.AllowFileRepos, "allow-file-repos", false, "allow file:// repositories: whoever may write an Application can then read this machine's repositories")
	f.BoolVar(&opts.Insecure, "insecure", false, "serve plain HTTP: for behind something that ends TLS")
	f.StringVar(&opts.LogFormat, "log-format", "text", "text or json")
	f.StringVar(&opts.LogLevel, "log-level", "info", "debug, info, warn or error")
	return cmd
}

func newDemoCommand() *cobra.Command {
	exit := false
	cmd := &cobra.Command{
		Use: "demo", Short: "Show all of it on this machine: a control plane, a Git repository and Bowline between them", Args: command.NoArgs,
		Long: `Show all of it on this machine: a control plane, a Git repository and Bowline between them.

It tells what it watches happen: an Application is synced, a change by hand is put back, a commit is applied. Then it goes
on until Ctrl-C, with commands to try, and cleans up. It listens on 127.0.0.1 only, and needs the program devcluster in the
folder of its own: ` + "`make build`" + ` makes both.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return demo.Run(cmd.Context(), demo.Options{Out: cmd.OutOrStdout(), Exit: exit, Bowline: runForDemo})
		},
	}
	cmd.Flags().BoolVar(&exit, "exit", false, "end after the narration; the exit code is 0 only if all of it happened")
	return cmd
}
