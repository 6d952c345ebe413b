// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// controlPlane is a devcluster that runs as a child process.
type controlPlane struct {
	cmd        *exec.Cmd
	kubeconfig string
	done       chan struct{} // closed when it has ended
	status     error         // how; valid then
	stderr     bytes.Buffer  // read when it has ended
}

// startTimeout bounds how long a control plane may take to become usable on a slow machine.
const startTimeout = 3 * time.Minute

// startControlPlane starts the devcluster that lies beside our own binary and waits until it is usable.
func startControlPlane(ctx context.Context, dir string) (*controlPlane, error) {
	binary, err := besideUs("devcluster")
	if err != nil {
		return nil, err
	}
	c := &controlPlane{kubeconfig: filepath.Join(dir, "kubeconfig"), done: make(chan struct{})}
	c.cmd = exec.Command(binary, "up", "--dir", dir)
	// Its own process group: Ctrl-C reaches us first, and we end it when all that uses it has ended.
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	c.cmd.Stderr = &c.stderr
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	started, ready := make(chan error), make(chan struct{})
	go c.follow(stdout, started, ready)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", binary, err)
	}
	select {
	case <-ready:
		return c, nil
	case <-c.done:
		return nil, fmt.Errorf("the control plane ended before it was ready: %w (its logs are in %s)\n%s", c.status, dir, c.stderr.String())
	case <-ctx.Done():
		c.stop()
		return nil, ctx.Err()
	case <-time.After(startTimeout):
		c.stop()
		return nil, fmt.Errorf("the control plane was not ready after %s (its logs are in %s)", startTimeout, dir)
	}
}

// follow starts the child, reads its output until its end, and then waits for it, all on one thread: the death signal
// comes when the thread that started the child ends, and Go ends threads as it likes.
func (c *controlPlane) follow(stdout io.Reader, started chan<- error, ready chan<- struct{}) {
	runtime.LockOSThread()
	err := c.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	lines := bufio.NewScanner(stdout)
	said := false
	for lines.Scan() {
		if !said && strings.TrimSpace(lines.Text()) == "ready" {
			said = true
			close(ready)
		}
	}
	if c.status = c.cmd.Wait(); c.status == nil {
		c.status = errors.New("it ended by itself")
	}
	close(c.done)
}

// stop ends the control plane and waits for it.
func (c *controlPlane) stop() {
	kill := time.AfterFunc(20*time.Second, func() { c.signal(syscall.SIGKILL) })
	defer kill.Stop()
	c.signal(syscall.SIGTERM)
	<-c.done
}

// signal sends a signal; a process that has ended needs none.
func (c *controlPlane) signal(signal syscall.Signal) {
	if err := c.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		fmt.Fprintln(os.Stderr, "demo: end the control plane:", err)
	}
}

func besideUs(name string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	p := filepath.Join(filepath.Dir(self), name)
	if _, err := os.Stat(p); err != nil {
		return "", fmt.Errorf("%s is not there: build it with `make build`", p)
	}
	return p, nil
}
