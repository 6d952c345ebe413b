// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const note = "<!-- Written by `make generate` from what the commands say of themselves. -->\n\n"

func markdownPage(w *bytes.Buffer, of *cobra.Command, commands []*cobra.Command) {
	fmt.Fprintf(w, "# %s\n\n%s", of.CommandPath(), note)
	markdownCommand(w, of)
	if !of.HasParent() {
		fmt.Fprint(w, "## Commands\n\n| Command | |\n|---|---|\n")
		for _, noun := range children(of) {
			fmt.Fprintf(w, "| [%s](%s.md) | %s |\n", noun.CommandPath(), of.Name()+"-"+noun.Name(), cell(noun.Short))
		}
		w.WriteString("\n")
		markdownFlags(w, "Flags of every command", of.PersistentFlags())
	}
	for _, cmd := range commands {
		fmt.Fprintf(w, "## %s\n\n", cmd.CommandPath())
		markdownCommand(w, cmd)
	}
	w.Truncate(w.Len() - 1) // one line feed at the end
}

func markdownCommand(w *bytes.Buffer, cmd *cobra.Command) {
	fmt.Fprintf(w, "%s\n\n", strings.ReplaceAll(about(cmd), "<", "&lt;"))
	if cmd.Runnable() && !cmd.HasSubCommands() {
		fmt.Fprintf(w, "```\n%s\n```\n\n", cmd.UseLine())
	}
	if len(cmd.Aliases) > 0 {
		fmt.Fprintf(w, "Also: %s\n\n", strings.Join(cmd.Aliases, ", "))
	}
	if lines := examples(cmd); len(lines) > 0 {
		fmt.Fprintf(w, "Examples:\n\n```sh\n%s\n```\n\n", strings.Join(lines, "\n"))
	}
	markdownFlags(w, "", cmd.LocalNonPersistentFlags())
	if cmd.HasParent() {
		markdownFlags(w, "Flags of all its commands", cmd.PersistentFlags())
	}
}

func markdownFlags(w *bytes.Buffer, title string, set *pflag.FlagSet) {
	all := flags(set)
	if len(all) == 0 {
		return
	}
	if title != "" {
		fmt.Fprintf(w, "%s:\n\n", title)
	}
	fmt.Fprint(w, "| Flag | Default | Meaning |\n|---|---|---|\n")
	for _, f := range all {
		standard := ""
		if f.standard != "" {
			standard = "`" + cell(f.standard) + "`"
		}
		fmt.Fprintf(w, "| `%s` | %s | %s |\n", cell(f.names), standard, cell(f.usage))
	}
	w.WriteString("\n")
}

// cell keeps a text inside of its cell.
func cell(text string) string {
	text = strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "<", "&lt;")
	return strings.ReplaceAll(text, "|", "\\|")
}
