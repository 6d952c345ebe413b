// SPDX-License-Identifier: Apache-2.0

package reference_test

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/internal/cli/reference"
)

func program() *cobra.Command {
	root := &cobra.Command{Use: "prog", Short: "A program"}
	root.PersistentFlags().String("server", "", "address of the `server`")
	noun := &cobra.Command{Use: "thing", Short: "Work with things"}
	verb := &cobra.Command{Use: "do NAME", Short: "Do it", Long: "Do it.\n\n.It is done | <soon>.", Example: "  prog thing do a", Run: func(*cobra.Command, []string) {}}
	verb.Flags().StringP("how", "o", "fast", "how it is done: a|b")
	hidden := &cobra.Command{Use: "secret", Hidden: true, Run: func(*cobra.Command, []string) {}}
	noun.AddCommand(verb, hidden)
	root.AddCommand(noun)
	return root
}

func TestMarkdown(t *testing.T) {
	pages := reference.Markdown(program())
	page := string(pages["prog-thing.md"])
	for _, want := range []string{"# prog thing\n", "## prog thing do\n", ".It is done | &lt;soon>.", "```\nprog thing do NAME [flags]\n```", "```sh\nprog thing do a\n```",
		"| `-o, --how string` | `fast` | how it is done: a\\|b |\n"} {
		if !strings.Contains(page, want) {
			t.Errorf("there is no %q in\n%s", want, page)
		}
	}
	if strings.Contains(page, "secret") || strings.HasSuffix(page, "\n\n") {
		t.Errorf("the page is\n%s", page)
	}
	if root := string(pages["prog.md"]); !strings.Contains(root, "[prog thing](prog-thing.md)") || !strings.Contains(root, "`--server server`") {
		t.Errorf("the first page is\n%s", root)
	}
}

func TestMan(t *testing.T) {
	page := string(reference.Man(program())["prog-thing.1"])
	for _, want := range []string{".TH PROG-THING 1", ".SS prog thing do NAME [flags]\n", "\n\\&.It is done", ".TP\n.B \\-o, \\-\\-how string\nhow it is done: a|b (default: fast)\n", ".BR prog (1)"} {
		if !strings.Contains(page, want) {
			t.Errorf("there is no %q in\n%s", want, page)
		}
	}
}
