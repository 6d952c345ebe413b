// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// manPage writes a page in the macros of man(7). It has no date: the page is the same for everybody who makes it.
func manPage(w *bytes.Buffer, of *cobra.Command, commands []*cobra.Command) {
	name := strings.ReplaceAll(of.CommandPath(), " ", "-")
	fmt.Fprintf(w, ".\\\" Written by `make generate` from what the commands say of themselves.\n.TH %s 1 \"\" Bowline \"Bowline\"\n", strings.ToUpper(name))
	fmt.Fprintf(w, ".SH NAME\n%s \\- %s\n", roff(name), roff(of.Short))
	fmt.Fprintf(w, ".SH SYNOPSIS\n.B %s\n", roff(of.UseLine()))
	fmt.Fprint(w, ".SH DESCRIPTION\n")
	paragraphs(w, about(of))
	manDetails(w, of)
	if len(commands) > 0 {
		fmt.Fprint(w, ".SH COMMANDS\n")
	}
	for _, cmd := range commands {
		fmt.Fprintf(w, ".SS %s\n", roff(cmd.UseLine()))
		paragraphs(w, about(cmd))
		manDetails(w, cmd)
	}
	seeAlso(w, of)
}

func manDetails(w *bytes.Buffer, cmd *cobra.Command) {
	for _, set := range []*pflag.FlagSet{cmd.LocalNonPersistentFlags(), cmd.PersistentFlags()} {
		for _, f := range flags(set) {
			fmt.Fprintf(w, ".TP\n.B %s\n%s\n", roff(f.names), roff(f.usage+ifAny(" (default: ", f.standard, ")")))
		}
	}
	if lines := examples(cmd); len(lines) > 0 {
		fmt.Fprint(w, ".PP\nExamples:\n.PP\n.nf\n.RS\n")
		for _, line := range lines {
			fmt.Fprintln(w, roff(line))
		}
		fmt.Fprint(w, ".RE\n.fi\n")
	}
}

func ifAny(before, text, after string) string {
	if text == "" {
		return ""
	}
	return before + text + after
}

// paragraphs writes a text, which has empty lines between its paragraphs.
func paragraphs(w *bytes.Buffer, text string) {
	for i, paragraph := range strings.Split(text, "\n\n") {
		if i > 0 {
			fmt.Fprint(w, ".PP\n")
		}
		for line := range strings.Lines(paragraph) {
			fmt.Fprintln(w, roff(strings.TrimRight(line, "\n")))
		}
	}
}

func seeAlso(w *bytes.Buffer, of *cobra.Command) {
	fmt.Fprint(w, ".SH SEE ALSO\n")
	if of.HasParent() {
		fmt.Fprintf(w, ".BR %s (1)\n", roff(of.Root().Name()))
		return
	}
	for _, noun := range children(of) {
		fmt.Fprintf(w, ".BR %s (1)\n", roff(of.Name()+"-"+noun.Name()))
	}
}

// roff writes a text so that none of it is a command of the formatter.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}
