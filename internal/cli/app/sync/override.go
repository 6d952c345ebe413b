// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/command"
)

// overrideWindow puts into the request why it passes closed sync windows, if it does. Nobody does so without a reason.
func (o *Options) overrideWindow(cmd *cobra.Command) error {
	if !cmd.Flags().Changed("override-window") {
		return nil
	}
	reason := strings.TrimSpace(o.Override)
	if reason == "" {
		return command.Usage(cmd, "--override-window needs a reason, which is recorded")
	}
	o.Request.Info = append(o.Request.Info, &v1alpha1.Info{Name: v1alpha1.InfoOverrideWindow, Value: reason})
	return nil
}
