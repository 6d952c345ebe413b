// SPDX-License-Identifier: Apache-2.0

// Package version is the command `bowline version`.
package version

import (
	"fmt"
	"io"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/output"
)

// Info is what is known of a build.
type Info struct {
	Version   string `json:"version"`
	GoVersion string `json:"goVersion"`
	Platform  string `json:"platform"`
}

// NewCmd returns the command of a build with this version.
func NewCmd(version string) *cobra.Command {
	info := Info{Version: version, GoVersion: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	var format output.Format
	var short bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Show the version of this program",
		Args:  command.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return run(cmd.OutOrStdout(), info, format, short)
		},
	}
	cmd.Flags().BoolVar(&short, "short", false, "only the version itself")
	output.Flag(cmd.Flags(), &format, output.Wide, output.JSON, output.YAML)
	return cmd
}

func run(w io.Writer, info Info, format output.Format, short bool) error {
	if ok, err := output.Encode(w, format, info); ok {
		return err
	}
	if short {
		fmt.Fprintln(w, info.Version)
		return nil
	}
	fmt.Fprintf(w, "bowline %s\n  %s %s\n", info.Version, info.GoVersion, info.Platform)
	return nil
}
