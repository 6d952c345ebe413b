// SPDX-License-Identifier: Apache-2.0

package command

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// Exactly asks for arguments, one for each name.
func Exactly(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != len(names) {
			return Usage(cmd, fmt.Sprintf("it takes %s, but got %d arguments", strings.Join(names, " "), len(args)))
		}
		return nil
	}
}

// AtLeastOne asks for one argument or more of a name.
func AtLeastOne(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return Usage(cmd, "it takes at least one "+name)
		}
		return nil
	}
}

// AtMostOne asks for no argument, or one of a name.
func AtMostOne(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 1 {
			return Usage(cmd, fmt.Sprintf("it takes at most one %s, but got %d arguments", name, len(args)))
		}
		return nil
	}
}
