// SPDX-License-Identifier: Apache-2.0

package change

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

// NewEditCmd returns the command edit.
func NewEditCmd(s *session.Session) *cobra.Command {
	return &cobra.Command{
		Use:   "edit NAME",
		Short: "Change the spec of an application in an editor",
		Long: `Change the spec of an application in an editor: that of $KUBE_EDITOR, else of $EDITOR, else vi. What is refused is opened
again with the reason in a comment; saving it as it was opened gives up.`,
		Example: command.Example("bowline app edit web"),
		Args:    command.OneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			return edit(cmd, s, args[0])
		},
	}
}

func edit(cmd *cobra.Command, s *session.Session, name string) error {
	ctx := cmd.Context()
	services, err := s.Services(ctx)
	if err != nil {
		return err
	}
	namespace, bare := s.Split(name)
	app, err := services.Applications.Get(ctx, &application.ApplicationQuery{Name: bare, AppNamespace: namespace})
	if err != nil {
		return err
	}
	text, err := yaml.Marshal(app.Spec)
	if err != nil {
		return fault.Wrap(fault.Bug, "write", "application "+name, err, "")
	}
	return editUntil(cmd, name, text, func(edited []byte) error {
		wanted := v1alpha1.ApplicationSpec{}
		if err := yaml.UnmarshalStrict(edited, &wanted); err != nil {
			return err
		}
		if reflect.DeepEqual(wanted, app.Spec) {
			return errNothing
		}
		_, err := services.Applications.UpdateSpec(ctx, &application.ApplicationUpdateSpecRequest{Name: bare, AppNamespace: namespace, Spec: &wanted})
		return err
	})
}

// editUntil has a text edited until accept takes it, or nobody changes what was refused.
func editUntil(cmd *cobra.Command, name string, text []byte, accept func([]byte) error) error {
	var refused error
	for {
		edited, err := openEditor(cmd, append(comment(refused), text...))
		if err != nil {
			return err
		}
		edited = uncommented(edited)
		if refused != nil && bytes.Equal(edited, text) {
			return refused
		}
		refused = accept(edited)
		switch {
		case refused == nil:
			say(cmd.OutOrStdout(), name, "updated")
			return nil
		case errors.Is(refused, errNothing):
			say(cmd.OutOrStdout(), name, "unchanged")
			return nil
		}
		refused = fault.Wrap(fault.Mistake, "edit", "application "+name, refused, "")
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

// openEditor has a text edited in a file of its own that nobody else may read.
func openEditor(cmd *cobra.Command, text []byte) ([]byte, error) {
	const thing = "an editor"
	f, err := os.CreateTemp("", "bowline-edit-*.yaml")
	if err != nil {
		return nil, fault.Wrap(fault.Stalled, "open", thing, err, "set $TMPDIR to a folder that can be written to")
	}
	defer os.Remove(f.Name())
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
