// SPDX-License-Identifier: Apache-2.0

// Package prompt asks people: for what a flag did not say, and whether they mean it.
package prompt

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/bowline-cd/bowline/internal/fault"
)

// Confirm asks a question; only y and yes are a yes. No answer is no.
func Confirm(cmd *cobra.Command, question string) (bool, error) {
	fmt.Fprint(cmd.ErrOrStderr(), question+" [y/N] ")
	answer, err := line(cmd.InOrStdin())
	if err != nil && !errors.Is(err, io.EOF) {
		return false, unread(err, "the answer")
	}
	answer = strings.ToLower(answer)
	return answer == "y" || answer == "yes", nil
}

// Line asks for a text.
func Line(cmd *cobra.Command, question string) (string, error) {
	fmt.Fprint(cmd.ErrOrStderr(), question+": ")
	answer, err := line(cmd.InOrStdin())
	if err != nil && answer == "" {
		return "", unread(err, strings.ToLower(question))
	}
	return answer, nil
}

// Password asks for a secret. On a terminal it is not shown; else it is a line of standard input.
func Password(cmd *cobra.Command, question string) (string, error) {
	fmt.Fprint(cmd.ErrOrStderr(), question+": ")
	file, ok := cmd.InOrStdin().(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		answer, err := line(cmd.InOrStdin())
		if err != nil && answer == "" {
			return "", unread(err, strings.ToLower(question))
		}
		return answer, nil
	}
	secret, err := term.ReadPassword(int(file.Fd()))
	fmt.Fprintln(cmd.ErrOrStderr())
	if err != nil {
		return "", unread(err, strings.ToLower(question))
	}
	return string(secret), nil
}

// NewPassword asks for a secret twice.
func NewPassword(cmd *cobra.Command, question string) (string, error) {
	first, err := Password(cmd, question)
	if err != nil {
		return "", err
	}
	second, err := Password(cmd, question+" (again)")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", fault.New(fault.Mistake, "take", "the new password", "", "it was not the same twice", "try again")
	}
	return first, nil
}

// Terminal reports whether somebody can be asked.
func Terminal(cmd *cobra.Command) bool {
	file, ok := cmd.InOrStdin().(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// line reads a line and no byte of the next one, which may be for somebody else.
func line(r io.Reader) (string, error) {
	var text []byte
	for one := make([]byte, 1); ; {
		n, err := r.Read(one)
		switch {
		case n == 1 && one[0] == '\n':
			return strings.TrimRight(string(text), "\r"), nil
		case n == 1:
			text = append(text, one[0])
		case err != nil:
			return strings.TrimRight(string(text), "\r"), err
		}
	}
}

func unread(err error, what string) error {
	return fault.Wrap(fault.Mistake, "read", what, err, "give it by a flag, or answer at a terminal")
}
