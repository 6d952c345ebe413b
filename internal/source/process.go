// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"context"
	"os/exec"
	"runtime"
	"time"
)

// maxOutput bounds what a git command may write: the refs of the largest hosts are some ten megabytes.
const maxOutput = 256 << 20

// command is one run of git.
type command struct {
	dir   string // bare repository
	args  []string
	env   []string
	stdin []byte
}

// outcome is what a run left.
type outcome struct {
	stdout []byte
	stderr string
	err    error // *exec.ExitError if git failed
}

// run runs git to its end, as runProgram does.
func run(ctx context.Context, c command) outcome {
	c.args = append([]string{"--git-dir=" + c.dir}, c.args...)
	return runProgram(ctx, "git", c)
}

// runProgram runs a program to its end. At the end of ctx the whole process group is killed: git's helpers would hold
// the connection and its locks otherwise.
func runProgram(ctx context.Context, name string, c command) outcome {
	cmd := exec.CommandContext(ctx, name, c.args...)
	cmd.Dir, cmd.Env, cmd.Stdin = c.dir, c.env, bytes.NewReader(c.stdin)
	stdout, stderr := &bounded{limit: maxOutput}, &bounded{limit: 16 << 10}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.WaitDelay = 5 * time.Second
	cmd.SysProcAttr, cmd.Cancel = ownGroup(), func() error { return killGroup(cmd.Process.Pid) }
	dieWithUs(cmd.SysProcAttr)
	// A child that is told to die with its parent dies with the thread that started it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := cmd.Run()
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return outcome{stdout: stdout.Bytes(), stderr: stderr.String(), err: err}
}

// local runs a git that needs no remote, when there is a place for it.
func (s *Store) local(ctx context.Context, dir string, stdin []byte, args ...string) outcome {
	select {
	case s.places <- struct{}{}:
		defer func() { <-s.places }()
		return run(ctx, command{dir: dir, args: args, env: localEnv(s.home), stdin: stdin})
	case <-ctx.Done():
		return outcome{err: context.Cause(ctx)}
	}
}

// bounded keeps the first bytes written to it and forgets the rest.
type bounded struct {
	bytes.Buffer
	limit int
}

func (b *bounded) Write(p []byte) (int, error) {
	if room := b.limit - b.Len(); room < len(p) {
		_, _ = b.Buffer.Write(p[:max(room, 0)])
		return len(p), nil
	}
	return b.Buffer.Write(p)
}
