// SPDX-License-Identifier: Apache-2.0

package component

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/creack/pty"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"
)

// executor runs the commands of "kubectl exec" as child processes, in an empty environment but for PATH.
type executor struct{}

// ExecInContainer runs the command and returns when it has ended and its output is sent.
func (executor) ExecInContainer(ctx context.Context, _, _, _ string, command []string, in io.Reader, out, errOut io.WriteCloser,
	tty bool, resize <-chan remotecommand.TerminalSize, _ time.Duration) error {
	if len(command) == 0 {
		return errors.New("there is no command to run")
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	cmd.Dir = "/"
	run := runPiped
	if tty {
		run = runOnTerminal(resize)
	}
	err := run(cmd, in, out, errOut)
	// Tell the client that this was all before the connection ends.
	for _, w := range []io.Closer{out, errOut} {
		if w != nil {
			err = errors.Join(err, w.Close())
		}
	}
	var status *exec.ExitError
	if errors.As(err, &status) {
		return utilexec.CodeExitError{Err: err, Code: status.ExitCode()}
	}
	return err
}

func runPiped(cmd *exec.Cmd, in io.Reader, out, errOut io.WriteCloser) error {
	cmd.Stdout, cmd.Stderr = out, errOut
	if in == nil {
		return cmd.Run()
	}
	// Not cmd.Stdin: Wait would wait for the client's end of input after the command's end.
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(stdin, in) // it fails when the command does not read all
		stdin.Close()
	}()
	return cmd.Run()
}

// runOnTerminal gives the command a terminal which has the client's size.
func runOnTerminal(resize <-chan remotecommand.TerminalSize) func(*exec.Cmd, io.Reader, io.WriteCloser, io.WriteCloser) error {
	return func(cmd *exec.Cmd, in io.Reader, out, _ io.WriteCloser) error {
		terminal, err := pty.Start(cmd)
		if err != nil {
			return err
		}
		defer terminal.Close()
		go func() {
			for size := range resize {
				_ = pty.Setsize(terminal, &pty.Winsize{Rows: size.Height, Cols: size.Width})
			}
		}()
		if in != nil {
			go func() { _, _ = io.Copy(terminal, in) }()
		}
		// Reading fails with EIO once the command has closed its side.
		_, _ = io.Copy(out, terminal)
		return cmd.Wait()
	}
}
