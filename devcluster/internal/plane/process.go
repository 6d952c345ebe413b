// SPDX-License-Identifier: Apache-2.0

package plane

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/bowline-cd/bowline/devcluster/internal/gate"
)

const (
	// stopGrace is what a component gets to end by itself before it is killed. It loses
	// nothing then: etcd's log is with the kernel after each write.
	stopGrace = 3 * time.Second
	// logTail is how many lines of its log are shown when a component dies.
	logTail = 20
)

// group is the components that run as child processes.
type group struct {
	layout *layout
	fail   context.CancelCauseFunc
	spawn  chan func()

	mu       sync.Mutex
	members  []*process // in the order they were started
	stopping bool
	firstErr *diedError
}

// process is one component.
type process struct {
	name string
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// diedError says that a component ended although nobody asked it to.
type diedError struct {
	name   string
	status error
	log    string
	tail   string
}

func (e *diedError) Error() string {
	status := "exit status 0"
	if e.status != nil {
		status = e.status.Error()
	}
	return fmt.Sprintf("%s ended by itself (%s); the end of %s:\n%s", e.name, status, e.log, e.tail)
}

func (e *diedError) portTaken() bool { return strings.Contains(e.tail, "address already in use") }

// newGroup returns an empty group. fail is called when a component dies.
func newGroup(l *layout, fail context.CancelCauseFunc) *group {
	g := &group{layout: l, fail: fail, spawn: make(chan func())}
	go g.spawner()
	return g
}

// spawner starts all processes from one thread that lives as long as the group: the
// kernel sends a child its death signal when the thread that started it ends.
func (g *group) spawner() {
	runtime.LockOSThread()
	for start := range g.spawn {
		start()
	}
}

// start runs a component with the arguments.
func (g *group) start(name string, args []string) error {
	cmd, err := g.command(name, args)
	if err != nil {
		return err
	}
	return g.run(cmd)
}

// startGated runs a component up to its gate.
func (g *group) startGated(name string, args []string) (*gate.Gate, error) {
	cmd, err := g.command(name, args)
	if err != nil {
		return nil, err
	}
	held, err := gate.New(cmd)
	if err != nil {
		return nil, err
	}
	if err := g.run(cmd); err != nil {
		return nil, errors.Join(err, held.Close())
	}
	return held, nil
}

// command returns this binary as the component of the name.
func (g *group) command(name string, args []string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return &exec.Cmd{
		Path: self,
		Args: append([]string{name}, args...),
		Env:  g.environment(),
		Dir:  g.layout.dir,
		SysProcAttr: &syscall.SysProcAttr{
			Setpgid:   true, // Ctrl-C is for the parent, which ends them in order
			Pdeathsig: syscall.SIGKILL,
		},
	}, nil
}

func (g *group) run(cmd *exec.Cmd) error {
	p := &process{name: cmd.Args[0], cmd: cmd, done: make(chan struct{})}
	log, err := os.OpenFile(g.layout.path(logsDir, p.name+".log"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log

	started := make(chan error)
	g.spawn <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		return fmt.Errorf("starting %s: %w", p.name, err)
	}
	g.mu.Lock()
	g.members = append(g.members, p)
	g.mu.Unlock()
	go g.watch(p, log.Name())
	return nil
}

// environment keeps the user's files, proxies and settings from the components. A low
// GOGC trades processor time, of which an idle plane needs little, for memory.
func (g *group) environment() []string {
	return []string{
		"HOME=" + g.layout.path(homeDir),
		"PATH=" + os.Getenv("PATH"),
		"TMPDIR=" + os.TempDir(),
		"GOGC=50",
	}
}

func (g *group) watch(p *process, log string) {
	status := p.cmd.Wait()
	g.mu.Lock()
	if !g.stopping && g.firstErr == nil {
		g.firstErr = &diedError{name: p.name, status: status, log: log, tail: tailOf(log)}
		defer g.fail(g.firstErr)
	}
	g.mu.Unlock()
	close(p.done)
}

// died returns the first component that ended by itself, or nil.
func (g *group) died() *diedError {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.firstErr
}

// stop ends all components: those that use the API server first, then it, then etcd.
func (g *group) stop() {
	g.mu.Lock()
	g.stopping = true
	members := g.members
	g.mu.Unlock()

	var followers, servers []*process
	for _, p := range members {
		if p.name == "etcd" || p.name == "kube-apiserver" {
			servers = append(servers, p)
		} else {
			followers = append(followers, p)
		}
	}
	end(followers...)
	for i := len(servers) - 1; i >= 0; i-- {
		end(servers[i])
	}
	close(g.spawn)
}

// end asks the processes to end, kills those that do not, and waits for all.
func end(processes ...*process) {
	for _, p := range processes {
		p.signal(syscall.SIGTERM)
	}
	grace := time.NewTimer(stopGrace)
	defer grace.Stop()
	for _, p := range processes {
		select {
		case <-p.done:
		case <-grace.C:
			for _, p := range processes {
				p.signal(syscall.SIGKILL)
			}
			<-p.done
		}
	}
}

func (p *process) signal(s os.Signal) {
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		fmt.Fprintf(os.Stderr, "devcluster: signal %v to %s: %v\n", s, p.name, err)
	}
}

func tailOf(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := bytes.Split(bytes.TrimRight(b, "\n"), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-logTail):], []byte("\n")))
}
