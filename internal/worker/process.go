// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
)

// hello is what a process says when it is ready: which parts of its confinement the kernel refused.
type hello struct {
	Lacks []string `json:"lacks,omitempty"`
}

// process is a child of ours.
type process struct {
	cmd    *exec.Cmd
	conn   net.Conn
	in     *bufio.Reader
	stderr stderr
	done   chan struct{} // closed when it has ended and was reaped
	state  *os.ProcessState
	memory memoryOf
	hello  hello

	hardLimit int64 // the memory limit the kernel was told last
	renders   int
	idleSince time.Time

	mu     sync.Mutex
	reason error // why we ended it
}

func (p *process) Read(b []byte) (int, error)  { return p.in.Read(b) }
func (p *process) Write(b []byte) (int, error) { return p.conn.Write(b) }

// startTimeout bounds how long a process may take until it is ready, on a machine that is very busy.
const startTimeout = time.Minute

// start starts a process and waits until it is ready.
func start(command []string) (*process, error) {
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	p := &process{conn: ours, in: bufio.NewReaderSize(ours, 64<<10), done: make(chan struct{})}
	err = p.spawn(command, theirs)
	_ = theirs.Close() // or its end would go unnoticed
	if err != nil {
		_ = ours.Close()
		return nil, err
	}
	if err := p.greet(); err != nil {
		p.kill(nil)
		<-p.done
		return nil, fmt.Errorf("it does not come up: %w%s", err, p.lastWords())
	}
	return p, nil
}

const drainTimeout = time.Second

func (p *process) spawn(command []string, socket *os.File) error {
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = write.Close() }()
	p.cmd = &exec.Cmd{
		Path: command[0], Args: append(command[:len(command):len(command)], strconv.Itoa(firstFD)),
		Env: []string{}, Dir: "/", Stderr: write, ExtraFiles: []*os.File{socket},
		// Ctrl-C in a terminal goes to the whole group: we end it ourselves.
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true},
	}
	if err := p.cmd.Start(); err != nil {
		_ = read.Close()
		return err
	}
	p.memory = openMemory(p.cmd.Process.Pid)
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		defer func() { _ = read.Close() }()
		p.stderr.drain(read)
	}()
	go func() {
		_ = p.cmd.Wait() // how it ended is in the state
		// What it wrote is there already; a program that is not ours may have left a child that could write more.
		_ = read.SetReadDeadline(time.Now().Add(drainTimeout))
		<-drained
		p.state = p.cmd.ProcessState
		p.memory.close()
		close(p.done)
	}()
	return nil
}

func (p *process) greet() error {
	if err := p.conn.SetReadDeadline(time.Now().Add(startTimeout)); err != nil {
		return err
	}
	_, body, err := readFrame(p.in, only(helloFrame, maxHello))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, &p.hello); err != nil {
		return err
	}
	return p.conn.SetReadDeadline(time.Time{})
}

// socketPair returns two ends of a socket: ours, and the one that the process inherits.
func socketPair() (net.Conn, *os.File, error) {
	// Not every system closes a socket on exec from the beginning: no process is started in between.
	syscall.ForkLock.RLock()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.CloseOnExec(fds[0])
		unix.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, fmt.Errorf("no socket for a render process: %w", err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "theirs") //nolint:gosec // descriptors are not negative
	defer func() { _ = ours.Close() }()                                                        // the connection has its own
	conn, err := net.FileConn(ours)
	if err != nil {
		_ = theirs.Close()
		return nil, nil, err
	}
	return conn, theirs, nil
}

// kill ends the process; the first reason counts. nil means that it is just not needed any more.
func (p *process) kill(reason error) {
	p.mu.Lock()
	if p.reason == nil {
		p.reason = reason
	}
	p.mu.Unlock()
	_ = p.cmd.Process.Kill() // it may have ended by itself
	_ = p.conn.Close()
}

// retire ends a process that does nothing, and waits for its end.
func (p *process) retire() {
	p.kill(nil)
	<-p.done
}

// died returns the error of a render whose process is gone, or has to go: cause is what was noticed.
func (p *process) died(in render.Input, cause error) error {
	p.kill(nil)
	<-p.done
	p.mu.Lock()
	reason := p.reason
	p.mu.Unlock()
	if reason != nil {
		return reason
	}
	var judged *fault.Error
	if errors.As(cause, &judged) {
		return cause
	}
	const op = "render"
	thing, words := "the source", p.stderr.reason()
	switch {
	case outOfMemory(words):
		return overMemory(in)
	case tooDeep(words):
		return in.Exceeded("its functions or templates call each other without end", render.SettingMemory)
	case errors.Is(cause, errFrame):
		return &fault.Error{Kind: fault.Bug, Op: op, Thing: thing, Where: in.Where, Err: fmt.Errorf("the render process broke the protocol: %w", cause), Fix: "report it"}
	case words != "":
		return &fault.Error{Kind: fault.Bug, Op: op, Thing: thing, Where: in.Where, Err: fmt.Errorf("the render process ended by itself (%s): %s", p.state, words),
			Fix: "report it, with the files that it renders"}
	}
	return &fault.Error{Kind: fault.Retry, Op: op, Thing: thing, Where: in.Where, Err: fmt.Errorf("the render process ended before it was done (%s)", p.state),
		Fix: "see whether this machine runs out of memory"}
}

func (p *process) lastWords() string {
	if words := p.stderr.reason(); words != "" {
		return ": " + words
	}
	return ""
}
