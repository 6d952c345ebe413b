// SPDX-License-Identifier: Apache-2.0

// Package command holds what every verb of the command line is built with.
//
// The words of this package:
//
//   - Group: a command that only holds others, such as "app".
//   - Status: an exit code that is an answer and no error, such as "there are differences".
package command

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bowline-cd/bowline/internal/fault"
)

// Status ends a command with an exit code and without a message: it is an answer, not an error.
type Status int

func (s Status) Error() string { return "exit status " + strconv.Itoa(int(s)) }

// ExitCode implements Coded.
func (s Status) ExitCode() int { return int(s) }

// Coded is an error that brings its own exit code.
type Coded interface{ ExitCode() int }

// ExitCode returns the exit code for what a command returned: its own if it brings one, else that of the error's kind.
func ExitCode(err error) int {
	if coded := Coded(nil); errors.As(err, &coded) {
		return coded.ExitCode()
	}
	return fault.ExitCode(err)
}

// Usage is an error about how a command was called.
func Usage(cmd *cobra.Command, cause string) error {
	return fault.New(fault.Mistake, "", "", "", cause, "see `"+cmd.CommandPath()+" --help`")
}

// Group returns a command that holds others. Called by itself it prints its help.
func Group(use, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return Usage(cmd, fmt.Sprintf("there is no command %q", cmd.CommandPath()+" "+args[0]))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(commands...)
	return cmd
}

// NoArgs refuses arguments.
func NoArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return Usage(cmd, fmt.Sprintf("it takes no arguments, but got %q", args[0]))
	}
	return nil
}

// OneName asks for the name of one application.
func OneName(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return Usage(cmd, fmt.Sprintf("it takes the name of one application, but got %d arguments", len(args)))
	}
	return nil
}

// Names asks for the names of applications, at least one.
func Names(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return Usage(cmd, "it takes the name of at least one application")
	}
	return nil
}

// Timeout is the value of a --timeout flag: seconds, or a length of time such as 5m. Zero is no limit.
type Timeout time.Duration

// String implements pflag.Value.
func (t *Timeout) String() string {
	if *t == 0 {
		return "0" // what help leaves out
	}
	return time.Duration(*t).String()
}

// Type implements pflag.Value.
func (t *Timeout) Type() string { return "seconds" }

// Set implements pflag.Value.
func (t *Timeout) Set(raw string) error {
	if n, err := strconv.ParseUint(raw, 10, 32); err == nil {
		*t = Timeout(time.Duration(n) * time.Second)
		return nil
	}
	d, err := time.ParseDuration(raw)
	if err != nil || d < 0 {
		return errors.New("write a number of seconds, or a length of time such as 5m")
	}
	*t = Timeout(d)
	return nil
}

// Example joins the lines of a command's examples, indented as cobra prints them.
func Example(lines ...string) string { return "  " + strings.Join(lines, "\n  ") }
