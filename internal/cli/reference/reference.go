// SPDX-License-Identifier: Apache-2.0

// Package reference writes what the commands say of themselves as pages: Markdown for docs, and man pages. There is one page for
// the program and one for each noun, with all its verbs.
package reference

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/fault"
)

//go:generate go run ../../../cmd/bowline generate-reference --markdown ../../../docs/reference/cli --man ../../../docs/man

// NewCmd returns the command that writes the pages of the program that it is a part of. It is hidden: packagers use it.
func NewCmd() *cobra.Command {
	var markdown, man string
	cmd := &cobra.Command{
		Use: "generate-reference", Hidden: true, Args: command.NoArgs,
		Short: "Write the reference of all commands as Markdown and man pages",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return errors.Join(write(markdown, Markdown(cmd.Root())), write(man, Man(cmd.Root())))
		},
	}
	cmd.Flags().StringVar(&markdown, "markdown", "", "folder for Markdown")
	cmd.Flags().StringVar(&man, "man", "", "folder for man pages")
	return cmd
}

// write replaces the files of a folder; "" is none.
func write(folder string, pages map[string][]byte) error {
	if folder == "" {
		return nil
	}
	old, err := filepath.Glob(filepath.Join(folder, "bowline*"))
	if err == nil {
		err = os.MkdirAll(folder, 0o755)
	}
	for _, path := range old {
		err = errors.Join(err, os.Remove(path))
	}
	for name, page := range pages {
		err = errors.Join(err, os.WriteFile(filepath.Join(folder, name), page, 0o644))
	}
	if err != nil {
		return fault.Wrap(fault.Stalled, "write", "pages to "+folder, err, "name another folder")
	}
	return nil
}

// Markdown returns the pages for docs by their file names.
func Markdown(root *cobra.Command) map[string][]byte { return pages(root, ".md", markdownPage) }

// Man returns the man pages by their file names.
func Man(root *cobra.Command) map[string][]byte { return pages(root, ".1", manPage) }

// pages writes a page for the program, and one for each noun.
func pages(root *cobra.Command, ending string, page func(*bytes.Buffer, *cobra.Command, []*cobra.Command)) map[string][]byte {
	root.InitDefaultCompletionCmd() // cobra adds it when a command runs
	out := map[string][]byte{}
	add := func(name string, of *cobra.Command, commands []*cobra.Command) {
		var text bytes.Buffer
		page(&text, of, commands)
		out[name+ending] = text.Bytes()
	}
	add(root.Name(), root, nil)
	for _, noun := range children(root) {
		add(root.Name()+"-"+noun.Name(), noun, below(noun))
	}
	return out
}

// below returns all commands under one, in the order of their names.
func below(cmd *cobra.Command) []*cobra.Command {
	var out []*cobra.Command
	for _, child := range children(cmd) {
		out = append(out, child)
		out = append(out, below(child)...)
	}
	return out
}

// children are the commands that people are to know of.
func children(cmd *cobra.Command) []*cobra.Command {
	var out []*cobra.Command
	for _, child := range cmd.Commands() {
		if child.IsAvailableCommand() && child.Name() != "help" {
			out = append(out, child)
		}
	}
	return out
}

// about is the text of a command.
func about(cmd *cobra.Command) string {
	if cmd.Long != "" {
		return cmd.Long
	}
	return cmd.Short + "."
}

// examples are the lines of a command's examples.
func examples(cmd *cobra.Command) []string {
	var out []string
	for line := range strings.Lines(cmd.Example) {
		out = append(out, strings.TrimSpace(line))
	}
	return out
}

// flag is one flag as it is shown.
type flag struct{ names, usage, standard string }

// flags are those of a command itself, or those that all commands below it have.
func flags(set *pflag.FlagSet) []flag {
	var out []flag
	set.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		kind, usage := pflag.UnquoteUsage(f)
		one := flag{names: "--" + f.Name, usage: usage}
		if f.Shorthand != "" {
			one.names = "-" + f.Shorthand + ", " + one.names
		}
		if kind != "" {
			one.names += " " + kind
		}
		if !strings.Contains(usage, "(default") {
			one.standard = standard(f.DefValue)
		}
		out = append(out, one)
	})
	return out
}

// standard is the default of a flag; "" is none that is worth a word. A home folder is that of whoever reads the page.
func standard(value string) string {
	switch value {
	case "", "0", "0s", "false", "[]", "-1":
		return ""
	}
	if home, err := os.UserHomeDir(); err == nil && home != "/" {
		value = strings.ReplaceAll(value, home, "~")
	}
	return value
}
