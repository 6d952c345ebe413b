// SPDX-License-Identifier: Apache-2.0

// Package render is the verb `bowline render`: it prints what an application, or a bare source, would render. The
// rendering itself is the controller's, run by this process.
//
// The words of this package:
//
//   - Bare source: a source that no Application names, made of the flags.
//   - Explanation: what a render was made of: the files it read, the folders it listed, what it asked of the
//     destination cluster, and what else it turned out to need.
package render

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/session"
)

// Renderer renders.
type Renderer interface {
	Render(ctx context.Context, request Request) (Result, error)
}

// RendererFunc is a function that is a Renderer.
type RendererFunc func(ctx context.Context, request Request) (Result, error)

// Render implements Renderer.
func (f RendererFunc) Render(ctx context.Context, request Request) (Result, error) {
	return f(ctx, request)
}

// Request is what to render.
type Request struct {
	// Session leads to the cluster, for Live.
	Session *session.Session
	// Live is namespace/name of an Application in the cluster; its credentials, settings and destination count.
	Live string
	// Application is one from a file, or a bare source, if Live is "". No cluster is asked.
	Application *v1alpha1.Application
	// Local is a folder that stands in for the repository of the source at LocalSource; "" reads from Git.
	Local       string
	LocalSource int
	// Revisions stand in for the target revisions, in the order of the sources; "" and those that are missing do not.
	Revisions []string
	// Since is a revision to compare inputs with; "" compares with none.
	Since string
	// KubeVersion and APIVersions stand in for what the destination cluster can do.
	KubeVersion string
	APIVersions []string
	// Settings is a file with the ConfigMaps and Secrets of the control namespace; "" has none. Not for Live.
	Settings string
	// Plugins is the folder with the sockets of plugins; "" has none.
	Plugins string
}

// Result is what a render gave.
type Result struct {
	Objects  []Object
	Warnings []string
	Sources  []Source
}

// Object is one manifest.
type Object struct {
	Content map[string]any `json:"content"`
	// File and Line say where it comes from.
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
}

// Source explains one source.
type Source struct {
	Name     string `json:"name"` // spec.source, or spec.sources[1]
	Type     string `json:"type"`
	Repo     string `json:"repo"`
	Revision string `json:"revision"`
	Trees    []Tree `json:"trees"`
	// Asked are the build variables and facts of the cluster that were used, with their values.
	Asked []Asked `json:"asked,omitempty"`
	// Volatile are the functions whose answer differs from call to call.
	Volatile []string `json:"volatile,omitempty"`
	// Changed says which inputs differ from those at Request.Since; empty means that the render would be used again.
	Changed []string `json:"changed,omitempty"`
}

// Tree is one tree that a source read: its own, one it refers to, or one that it turned out to need.
type Tree struct {
	Name string `json:"name"` // address and pin
	Read []Read `json:"read"`
}

// Read is one file, folder or absence.
type Read struct {
	Path string `json:"path"`
	// ID is what the content was known by; "" says that there was nothing.
	ID     string `json:"id,omitempty"`
	Listed bool   `json:"listed,omitempty"`
}

// Asked is one thing a render asked for besides files.
type Asked struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Options are the flags.
type Options struct {
	App, File, Repo, Path, Chart string
	Local                        string
	LocalSource                  int
	Revision, Since              string
	Revisions                    []string
	Name, DestNamespace, Project string
	KubeVersion                  string
	APIVersions                  []string
	Plugins, Settings            string
	Tool                         Tool
	Explain                      bool
	Timeout                      command.Timeout
	Output                       output.Format
}

// Tool are the flags about the tool of a bare source.
type Tool struct {
	Values  []string // value files
	Set     []string // parameters of Helm
	Images  []string // images of Kustomize
	Recurse bool
	Plugin  string
}

// NewCmd returns the command.
func NewCmd(s *session.Session, renderer Renderer) *cobra.Command {
	opts := Options{}
	cmd := &cobra.Command{
		Use:   "render [FOLDER]",
		Short: "Print what an application or a source would render",
		Long: `Print what an application or a source would render, as the controller would: nothing is applied, and without --app no
cluster is asked.

What is rendered is one of: a FOLDER of this disk, with uncommitted changes; a source given by --repo; the Application of
a file (-f); an Application of the cluster (--app), with its credentials and settings. With --local the files of the
repository come from a folder of this disk.

With --explain it says instead what the render was made of: a commit that touches nothing of it does not render again.
Add --since REVISION to see which of these differ.

Exit code: 0 it rendered, 1 it may pass later, 2 something has to be mended, 3 something is
missing that only others can set up (a right password, a plugin), 4 a project or a setting forbids it.`,
		Example: command.Example(
			"bowline render apps/web",
			"bowline render --repo https://github.com/argoproj/argocd-example-apps --path helm-guestbook --set replicaCount=2",
			"bowline render --app web --revision my-branch",
			"bowline render -f application.yaml --local . --explain"),
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			request, err := opts.request(cmd, s, args)
			if err != nil {
				return err
			}
			return run(cmd.Context(), renderer, opts, request, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	s.BindCluster(cmd.Flags())
	opts.bind(cmd.Flags())
	return cmd
}

func (o *Options) bind(flags *pflag.FlagSet) {
	flags.StringVar(&o.App, "app", "", "Application of the cluster: NAME or NAMESPACE/NAME")
	flags.StringVarP(&o.File, "file", "f", "", "file that holds an Application; - is standard input")
	flags.StringVar(&o.Repo, "repo", "", "repository of a bare source")
	flags.StringVar(&o.Path, "path", "", "path in the repository")
	flags.StringVar(&o.Chart, "chart", "", "chart of a Helm repository")
	flags.StringVar(&o.Revision, "revision", "", "revision, instead of the target revision")
	flags.StringArrayVar(&o.Revisions, "revisions", nil, "revision of each source, in their order, for an application with several")
	flags.StringVar(&o.Since, "since", "", "with --explain: the revision to compare the inputs with")
	flags.StringVar(&o.Local, "local", "", "folder of this disk that stands in for the repository")
	flags.IntVar(&o.LocalSource, "local-source", 0, "which of several sources --local stands in for, from 0")
	flags.StringVar(&o.Name, "name", "app", "name of the application, for a bare source")
	flags.StringVar(&o.DestNamespace, "dest-namespace", "default", "namespace of the destination, for a bare source")
	flags.StringVar(&o.Project, "project", v1alpha1.DefaultAppProjectName, "project, for a bare source")
	flags.StringVar(&o.KubeVersion, "kube-version", "", "version of the destination cluster without --app (default "+DefaultKubeVersion+")")
	flags.StringSliceVar(&o.APIVersions, "api-versions", nil, "what the destination cluster serves, such as monitoring.coreos.com/v1, without --app")
	flags.StringVar(&o.Settings, "settings", "", "file with ConfigMaps and Secrets as they are in the control namespace (default: none; with --app those of the cluster)")
	flags.StringVar(&o.Plugins, "plugins", "", "folder with the sockets of plugins")
	flags.StringArrayVar(&o.Tool.Values, "values", nil, "Helm value file, for a bare source; may be repeated")
	flags.StringArrayVar(&o.Tool.Set, "set", nil, "Helm parameter NAME=VALUE, for a bare source; may be repeated")
	flags.StringArrayVar(&o.Tool.Images, "image", nil, "Kustomize image override, for a bare source; may be repeated")
	flags.BoolVar(&o.Tool.Recurse, "recurse", false, "take the manifests of folders below too, for a bare source")
	flags.StringVar(&o.Tool.Plugin, "plugin", "", "plugin, for a bare source")
	flags.BoolVar(&o.Explain, "explain", false, "say what the render was made of instead of printing it")
	flags.Var(&o.Timeout, "timeout", "how long it may take (default: no limit)")
	output.Flag(flags, &o.Output, output.YAML, output.JSON, output.Name, output.Wide)
}

// DefaultKubeVersion is what charts are told when no cluster is asked.
const DefaultKubeVersion = "v1.36.0"

func run(ctx context.Context, renderer Renderer, opts Options, request Request, out, errs io.Writer) error {
	ctx, cancel := session.Limit(ctx, time.Duration(opts.Timeout))
	defer cancel()
	result, err := renderer.Render(ctx, request)
	if err != nil {
		return err
	}
	writeWarnings(errs, result.Warnings)
	if len(result.Objects) == 0 {
		fmt.Fprintln(errs, "warning: nothing was rendered: see with --explain which files were looked at")
	}
	if opts.Explain {
		return writeExplanation(out, opts.Output, result.Sources, opts.Since)
	}
	return writeObjects(out, opts.Output, result.Objects)
}
