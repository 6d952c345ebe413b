// SPDX-License-Identifier: Apache-2.0

package stories

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// process is one `bowline run` of a story.
type process struct {
	args    []string
	log     string
	cmd     *exec.Cmd
	done    chan struct{} // closed when it has ended
	status  error
	address string // where it answers
	metrics string
	from    int64 // where its log begins
}

// bowline start|stop|kill|restart|log [@name] [arguments]
func bowline(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: bowline start|stop|kill|restart|pause|resume|log [@name] ...")
	}
	s, verb, name := of(ts), args[0], "main"
	args = args[1:]
	if len(args) > 0 && strings.HasPrefix(args[0], "@") {
		name, args = args[0][1:], args[1:]
	}
	p := s.processes[name]
	if p == nil && verb != "start" {
		ts.Fatalf("there is no bowline @%s", name)
	}
	switch verb {
	case "start":
		if p == nil {
			p = &process{log: filepath.Join(s.dir, "log-"+name+".txt")}
			s.processes[name] = p
		}
		ts.Check(s.start(ts, p, name, args))
		if !neg {
			ts.Check(p.listening())
		}
	case "stop":
		ts.Check(p.stop())
	case "kill":
		ts.Check(p.kill())
	case "restart":
		ts.Check(p.stop())
		ts.Check(s.start(ts, p, name, p.args))
		ts.Check(p.listening())
	case "pause":
		ts.Check(p.cmd.Process.Signal(syscall.SIGSTOP))
	case "resume":
		ts.Check(p.cmd.Process.Signal(syscall.SIGCONT))
	case "log":
		ts.Check(p.says(neg, expand(ts, strings.Join(args, " "))))
	default:
		ts.Fatalf("bowline has no verb %q", verb)
	}
}

// start starts the program. It has its own user, so that the audit log tells its requests from those of others; as=
// names another and groups= its groups.
func (s *story) start(ts *testscript.TestScript, p *process, name string, args []string) error {
	if p.running() {
		return fmt.Errorf("bowline @%s runs already", name)
	}
	p.args = args
	own, flags := options(args, "as", "groups", "through")
	user, groups := s.user(name), []string{"system:masters", "system:authenticated"}
	if own["as"] != "" {
		user, groups = own["as"], append([]string{"system:authenticated"}, strings.Fields(strings.ReplaceAll(own["groups"], ",", " "))...)
	}
	kubeconfig, err := s.kubeconfig(user, groups...)
	if err != nil {
		return err
	}
	if own["through"] == "api" {
		if err := s.throughGate(kubeconfig); err != nil {
			return err
		}
	}
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	if p.from, err = out.Seek(0, 2); err != nil {
		return err
	}
	command := append([]string{"run", "--kubeconfig", kubeconfig, "--namespace", ts.Getenv("CD"), "--data", filepath.Join(s.dir, "data-"+name),
		"--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--insecure", "--log-level", "debug"}, flags...)
	if p.cmd, err = program(command...); err != nil {
		return err
	}
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.done, p.address = make(chan struct{}), ""
	started := make(chan error)
	go p.run(started)
	return <-started
}

// program returns a command that runs the test binary as the program.
func program(args ...string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, args...)
	cmd.Args[0] = programName
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd, nil
}

// run starts the process and waits for its end on one thread that lives as long: the kernel sends the death signal when
// the thread that started a child ends.
func (p *process) run(started chan<- error) {
	runtime.LockOSThread()
	err := p.cmd.Start()
	if err != nil {
		close(p.done)
	}
	started <- err
	if err != nil {
		return
	}
	p.status = p.cmd.Wait()
	close(p.done)
}

func (p *process) running() bool {
	if p.done == nil {
		return false
	}
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

var listens = regexp.MustCompile(`msg=listening address=(\S+) metrics=(\S+)`)

// listening waits until the process answers, and learns where.
func (p *process) listening() error {
	found, err := p.find(listens)
	if err != nil {
		return err
	}
	p.address, p.metrics = string(found[1]), string(found[2])
	return nil
}

// find waits until the log of this run matches.
func (p *process) find(re *regexp.Regexp) ([][]byte, error) {
	limit := time.After(*patience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		ended := !p.running()
		text, err := p.text()
		if err != nil {
			return nil, err
		}
		if found := re.FindSubmatch(text); found != nil {
			return found, nil
		}
		if ended {
			return nil, fmt.Errorf("bowline has ended (%s) and its log does not say %q", fmt.Sprint(p.status), re)
		}
		select {
		case <-tick.C:
		case <-limit:
			return nil, fmt.Errorf("the log did not say %q within %s", re, *patience)
		}
	}
}

func (p *process) text() ([]byte, error) {
	text, err := os.ReadFile(p.log)
	return text[min(p.from, int64(len(text))):], err
}

// says waits until the log says something, or checks that it has not.
func (p *process) says(not bool, expression string) error {
	re, err := regexp.Compile(expression)
	if err != nil {
		return err
	}
	if !not {
		_, err = p.find(re)
		return err
	}
	text, err := p.text()
	if err != nil {
		return err
	}
	for line := range bytes.Lines(text) {
		if re.Match(line) {
			return fmt.Errorf("the log says %s", line)
		}
	}
	return nil
}

// stop asks the process to end, as a clean stop does, and wants exit code 0.
func (p *process) stop() error {
	if !p.running() {
		return fmt.Errorf("bowline had ended: %s", fmt.Sprint(p.status))
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.done:
	case <-time.After(*patience):
		_ = p.kill()
		return fmt.Errorf("bowline did not end within %s of SIGTERM", *patience)
	}
	if p.status != nil {
		return fmt.Errorf("bowline did not end well: %w", p.status)
	}
	return nil
}

// kill ends the process without asking.
func (p *process) kill() error {
	if !p.running() {
		return nil
	}
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-p.done
	return nil
}
