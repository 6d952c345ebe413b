// SPDX-License-Identifier: Apache-2.0

// Package editor has people change texts in an editor: that of $KUBE_EDITOR, else of $EDITOR, else vi.
package editor

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/internal/fault"
)

// Edit has a text edited until accept takes it, or nobody changes what was refused. What is refused is opened again with the
// reason in a comment. thing is what the text is of, for errors.
func Edit(cmd *cobra.Command, thing string, text []byte, accept func([]byte) error) error {
	var refused error
	for {
		edited, err := open(cmd, append(comment(refused), text...))
		if err != nil {
			return err
		}
		edited = uncommented(edited)
		if refused != nil && bytes.Equal(edited, text) {
			return refused
		}
		if refused = accept(edited); refused == nil {
			return nil
		}
		refused = fault.Wrap(fault.Mistake, "edit", thing, refused, "")
		text = edited
	}
}

// comment writes why a text was refused as lines of comment.
func comment(err error) []byte {
	if err == nil {
		return nil
	}
	return []byte("# " + strings.ReplaceAll(err.Error(), "\n", "\n# ") + "\n")
}

// uncommented returns a text without the lines of comment before it.
func uncommented(text []byte) []byte {
	for bytes.HasPrefix(text, []byte("#")) {
		_, text, _ = bytes.Cut(text, []byte("\n"))
	}
	return text
}

// open has a text edited in a file of its own that nobody else may read.
func open(cmd *cobra.Command, text []byte) ([]byte, error) {
	const thing = "an editor"
	f, err := os.CreateTemp("", "bowline-edit-*.yaml")
	if err != nil {
		return nil, fault.Wrap(fault.Stalled, "open", thing, err, "set $TMPDIR to a folder that can be written to")
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.Write(text)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fault.Wrap(fault.Stalled, "open", thing, err, "set $TMPDIR to a folder that can be written to")
	}
	words := strings.Fields(cmp.Or(strings.TrimSpace(os.Getenv("KUBE_EDITOR")), strings.TrimSpace(os.Getenv("EDITOR")), "vi"))
	editor := exec.CommandContext(cmd.Context(), words[0], append(words[1:], f.Name())...)
	editor.Stdin, editor.Stdout, editor.Stderr = cmd.InOrStdin(), cmd.ErrOrStderr(), cmd.ErrOrStderr()
	if err := editor.Run(); err != nil {
		return nil, fault.Wrap(fault.Mistake, "open", thing, fmt.Errorf("%s: %w", words[0], err), "name another with $EDITOR")
	}
	edited, err := os.ReadFile(f.Name())
	if err != nil {
		return nil, fault.Wrap(fault.Stalled, "read", "what was edited", err, "")
	}
	return edited, nil
}
