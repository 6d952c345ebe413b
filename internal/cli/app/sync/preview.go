// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/internal/cli/app/diff"
	"github.com/bowline-cd/bowline/internal/cli/prompt"
	"github.com/bowline-cd/bowline/internal/cli/session"
)

// preview shows what a sync would change and asks whether to go on. Without differences there is nothing to do.
func (o *Options) preview(cmd *cobra.Command, s *session.Session, differ diff.Differ, name string) (goOn bool, err error) {
	w := cmd.OutOrStdout()
	found, err := differ.Diff(cmd.Context(), diff.Request{Session: s, Name: name, Revision: o.Request.Revision, Revisions: o.Revisions})
	if err != nil {
		return false, err
	}
	fmt.Fprintf(w, "====== Previewing differences between live and desired state of application %s ======\n", name)
	if len(found) == 0 {
		fmt.Fprintln(w, "====== No Differences found ======")
		return false, nil
	}
	diff.WriteResources(w, found)
	if o.Yes {
		return true, nil
	}
	return prompt.Confirm(cmd, "Sync application "+name+"?")
}
