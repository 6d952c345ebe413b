// SPDX-License-Identifier: Apache-2.0

// Package version is the command `bowline version`.
package version

import (
	"context"
	"fmt"
	"io"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/api/argoproj/rpc"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/version"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/session"
)

// Info is what is known of a build.
type Info struct {
	Version   string `json:"version"`
	GoVersion string `json:"goVersion,omitempty"`
	Platform  string `json:"platform,omitempty"`
}

// answer is what the command answers to programs. Server is nil if none is known, or none was to be asked.
type answer struct {
	Client Info                    `json:"client"`
	Server *version.VersionMessage `json:"server,omitempty"`
}

// options are the flags.
type options struct {
	format        output.Format
	short, client bool
}

// NewCmd returns the command of a build with this version.
func NewCmd(s *session.Session, build string) *cobra.Command {
	info := Info{Version: build, GoVersion: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	opts := options{}
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Show the version of this program, and of the server",
		Long:  "Show the version of this program and, if one is known, of the server.",
		Args:  command.NoArgs, Example: command.Example("bowline version", "bowline version --client --short"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			found := answer{Client: info}
			server, err := ask(cmd.Context(), s, opts.client)
			if err == nil {
				found.Server = server
			}
			if written := write(cmd.OutOrStdout(), found, opts); written != nil {
				return written
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&opts.short, "short", false, "only the versions themselves")
	cmd.Flags().BoolVar(&opts.client, "client", false, "ask no server")
	output.Flag(cmd.Flags(), &opts.format, output.Wide, output.JSON, output.YAML, short)
	return cmd
}

// short is the output format that --short is, too.
const short output.Format = "short"

// ask asks the server for its version, if there is one.
func ask(ctx context.Context, s *session.Session, not bool) (*version.VersionMessage, error) {
	if not {
		return nil, nil
	}
	remote, err := s.Remote()
	if err != nil || !remote {
		return nil, err
	}
	services, err := s.Services(ctx)
	if err != nil {
		return nil, err
	}
	return services.Version.Version(ctx, &rpc.Empty{})
}

func write(w io.Writer, found answer, opts options) error {
	if opts.short || opts.format == short {
		found.Client = Info{Version: found.Client.Version}
		if found.Server != nil {
			found.Server = &version.VersionMessage{Version: found.Server.Version}
		}
	}
	if ok, err := output.Encode(w, opts.format, found); ok {
		return err
	}
	fmt.Fprintf(w, "bowline: %s\n", found.Client.Version)
	lines(w, [][2]string{{"GoVersion", found.Client.GoVersion}, {"Platform", found.Client.Platform}})
	server := found.Server
	if server == nil {
		return nil
	}
	fmt.Fprintf(w, "server: %s\n", output.Clean(server.Version))
	lines(w, [][2]string{
		{"BuildDate", server.BuildDate}, {"GitCommit", server.GitCommit}, {"GitTreeState", server.GitTreeState}, {"GitTag", server.GitTag},
		{"GoVersion", server.GoVersion}, {"Compiler", server.Compiler}, {"Platform", server.Platform}, {"ExtraBuildInfo", server.ExtraBuildInfo},
		{"Kustomize Version", server.KustomizeVersion}, {"Helm Version", server.HelmVersion}, {"Kubectl Version", server.KubectlVersion},
		{"Jsonnet Version", server.JsonnetVersion},
	})
	return nil
}

func lines(w io.Writer, pairs [][2]string) {
	for _, pair := range pairs {
		if pair[1] != "" {
			fmt.Fprintf(w, "  %s: %s\n", pair[0], output.Clean(pair[1]))
		}
	}
}
