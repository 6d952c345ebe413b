// SPDX-License-Identifier: Apache-2.0

// Package gate holds a child process, already loaded, until its parent lets it
// begin. Loading a binary of this size takes noticeable time; a gate lets that time
// overlap with the start of what the child depends on.
//
// A gate is a pipe: the child waits until it can read one byte. When the
// parent ends without writing it, the child reads the end of the pipe instead and ends too.
package gate

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// env tells a child that it has a gate, on the first descriptor after the standard three.
const (
	env = "DEVCLUSTER_GATE"
	fd  = 3
)

// Gate is the parent's side.
type Gate struct {
	parent, child *os.File
}

// New gives the command, not yet started and without other extra files, a gate.
func New(cmd *exec.Cmd) (*Gate, error) {
	child, parent, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.ExtraFiles = []*os.File{child}
	cmd.Env = append(cmd.Environ(), env+"=1")
	return &Gate{parent: parent, child: child}, nil
}

// Open lets the child begin.
func (g *Gate) Open() error {
	_, err := g.parent.Write([]byte{1})
	return err
}

// Close gives the gate up. A child still waiting at it ends.
func (g *Gate) Close() error {
	return errors.Join(g.child.Close(), g.parent.Close())
}

// Wait is for the child: it returns once the parent has opened the gate, and at once when
// there is none.
func Wait() error {
	if os.Getenv(env) == "" {
		return nil
	}
	f := os.NewFile(fd, "gate")
	defer f.Close()
	if _, err := f.Read(make([]byte, 1)); err != nil {
		if errors.Is(err, io.EOF) {
			return errors.New("the parent ended before it opened the gate")
		}
		return fmt.Errorf("waiting for the parent: %w", err)
	}
	return nil
}
