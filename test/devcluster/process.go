// SPDX-License-Identifier: Apache-2.0

package devcluster

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// stopTimeout is what "devcluster up" gets to end its components. It kills those that
// need more than a few seconds, so that this is only reached when it hangs itself.
const stopTimeout = 30 * time.Second

// process is one "devcluster up".
type process struct {
	cmd    *exec.Cmd
	stdout readyWriter
	stderr bytes.Buffer
	done   chan struct{} // closed when it has ended; stderr may be read then
	status error         // how it ended; valid once done is closed
}

// startProcess runs the binary and returns once it says "ready".
func startProcess(binary string, args ...string) (*process, error) {
	p := &process{
		cmd:    exec.Command(binary, args...),
		stdout: readyWriter{ready: make(chan struct{})},
		done:   make(chan struct{}),
	}
	p.cmd.Stdout = &p.stdout
	p.cmd.Stderr = &p.stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{
		Setpgid:   true, // Ctrl-C ends the test binary, and with it this
		Pdeathsig: syscall.SIGTERM,
	}
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %s: %w", binary, err)
	}
	select {
	case <-p.stdout.ready:
		return p, nil
	case <-p.done:
		return nil, fmt.Errorf("%s ended before it was ready: %s\n%s", strings.Join(p.cmd.Args, " "), p.end(), p.stderr.String())
	}
}

// run starts the process and waits for its end on one thread that lives that long: the
// kernel sends the death signal when the thread that started a child ends, and Go ends
// threads as it likes.
func (p *process) run(started chan<- error) {
	runtime.LockOSThread() // never unlocked: the thread ends with this function
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	p.status = p.cmd.Wait()
	close(p.done)
}

// end says how the process ended. It is called after that.
func (p *process) end() string {
	if p.status == nil {
		return "exit status 0"
	}
	return p.status.Error()
}

// stop ends the process and everything it started. It fails when the process had ended before:
// then the cluster died under a test.
func (p *process) stop() error {
	select {
	case <-p.done:
		return fmt.Errorf("the cluster had died: %s\n%s", p.end(), p.stderr.String())
	default:
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.done:
	case <-time.After(stopTimeout):
		_ = p.cmd.Process.Kill() // its components end with it
		<-p.done
		return fmt.Errorf("devcluster did not end within %s of SIGTERM and was killed", stopTimeout)
	}
	if p.status != nil {
		return fmt.Errorf("ending the cluster: %w\n%s", p.status, p.stderr.String())
	}
	return nil
}

// readyWriter closes ready when the line "ready" is written to it.
type readyWriter struct {
	ready chan struct{}
	once  sync.Once
	seen  bytes.Buffer
}

func (w *readyWriter) Write(b []byte) (int, error) {
	w.seen.Write(b)
	if strings.Contains("\n"+w.seen.String(), "\nready\n") {
		w.once.Do(func() { close(w.ready) })
	}
	return len(b), nil
}
