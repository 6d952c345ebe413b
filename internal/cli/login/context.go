// SPDX-License-Identifier: Apache-2.0

package login

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/complete"
	"github.com/bowline-cd/bowline/internal/cli/contexts"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// NewContextCmd returns the command context.
func NewContextCmd(s *session.Session) *cobra.Command {
	remove := false
	cmd := &cobra.Command{
		Use: "context [CONTEXT]", Aliases: []string{"ctx"}, Short: "List contexts, or choose the one to work with",
		Long: "List contexts, or choose the one to work with; - is the one before.",
		Args: command.AtMostOne("CONTEXT"), ValidArgsFunction: complete.Contexts(s),
		Example: command.Example("bowline context", "bowline context cd.example.com", "bowline context cd.example.com --delete"),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := s.Contexts()
			switch {
			case err != nil:
				return err
			case len(args) == 0 && remove:
				return command.Usage(cmd, "it takes the name of the context to delete")
			case len(args) == 0:
				list(cmd, file)
				return nil
			case remove:
				return forget(cmd, file, args[0])
			}
			return choose(cmd, file, args[0])
		},
	}
	cmd.Flags().BoolVar(&remove, "delete", false, "delete the context")
	return cmd
}

func list(cmd *cobra.Command, file *contexts.File) {
	rows := [][]string{}
	for _, ref := range file.Contexts {
		mark := ""
		if ref.Name == file.Current {
			mark = "*"
		}
		rows = append(rows, []string{mark, ref.Name, ref.Server})
	}
	output.Table(cmd.OutOrStdout(), []string{"CURRENT", "NAME", "SERVER"}, rows)
}

func forget(cmd *cobra.Command, file *contexts.File, name string) error {
	if err := file.Remove(name); err != nil {
		return err
	}
	if err := file.Write(); err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "Context '%s' deleted\n", name)
	return nil
}

// before is the file, beside that of the contexts, with the name of the context before.
func before(file *contexts.File) string { return filepath.Join(filepath.Dir(file.Path()), ".prev-ctx") }

func choose(cmd *cobra.Command, file *contexts.File, name string) error {
	if name == "-" {
		data, err := os.ReadFile(before(file))
		if errors.Is(err, os.ErrNotExist) {
			return fault.New(fault.Mistake, "choose", "the context before", "", "there was none", "name one of `bowline context`")
		}
		if err != nil {
			return fault.Wrap(fault.Stalled, "choose", "the context before", err, "name one of `bowline context`")
		}
		name = strings.TrimSpace(string(data))
	}
	if name == file.Current {
		fmt.Fprintf(cmd.OutOrStdout(), "Already at context '%s'\n", name)
		return nil
	}
	if _, _, err := file.Find(name); err != nil {
		return err
	}
	previous := file.Current
	file.Current = name
	if err := file.Write(); err != nil {
		return err
	}
	if err := os.WriteFile(before(file), []byte(previous), 0o600); err != nil {
		return fault.Wrap(fault.Stalled, "note", "the context before", err, "make the folder writable")
	}
	fmt.Fprintf(cmd.OutOrStdout(), "Switched to context '%s'\n", name)
	return nil
}

// NewConfigureCmd returns the command configure.
func NewConfigureCmd(s *session.Session) *cobra.Command {
	return &cobra.Command{
		Use: "configure", Short: "Say whether commands ask before they delete something", Args: command.NoArgs,
		Long:    "Say with --prompts-enabled, or --prompts-enabled=false, whether commands ask before they delete something.",
		Example: command.Example("bowline configure --prompts-enabled", "bowline configure --prompts-enabled=false"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			file, err := s.Contexts()
			if err != nil {
				return err
			}
			if !cmd.Flags().Changed("prompts-enabled") {
				fmt.Fprintf(cmd.OutOrStdout(), "prompts-enabled: %t\n", file.PromptsEnabled)
				return nil
			}
			file.PromptsEnabled = s.Server.Prompts
			if err := file.Write(); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Successfully updated the following configuration settings:\nprompts-enabled: %t\n", file.PromptsEnabled)
			return nil
		},
	}
}
