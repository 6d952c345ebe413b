// SPDX-License-Identifier: Apache-2.0

package model

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"k8s.io/client-go/tools/clientcmd"
)

// program is one `bowline run`: this test binary under another name, so that it has the race detector when the test has.
type program struct {
	name, dir, kubeconfig, namespace string

	cmd     *exec.Cmd
	done    chan struct{} // closed when it has ended
	status  error
	from    int64        // where the log of this start begins
	address atomic.Value // where it listens
}

func (p *program) log() string { return filepath.Join(p.dir, "log-"+p.name+".txt") }

// start starts the program and waits until it listens.
func (p *program) start(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(p.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	if p.from, err = out.Seek(0, 2); err != nil {
		return err
	}
	p.cmd = exec.Command(self, "run", "--kubeconfig", p.kubeconfig, "--namespace", p.namespace, "--data", filepath.Join(p.dir, "data-"+p.name),
		"--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--insecure", "--log-level", "debug")
	p.cmd.Args[0] = programName
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.done = make(chan struct{})
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		return err
	}
	found, err := p.says(ctx, regexp.MustCompile(`msg=listening address=(\S+)`))
	if err == nil {
		p.address.Store(string(found[1]))
	}
	return err
}

// run holds the thread that started the process: the kernel sends the death signal when that thread ends.
func (p *program) run(started chan<- error) {
	runtime.LockOSThread()
	err := p.cmd.Start()
	if err != nil {
		close(p.done)
	}
	started <- err
	if err == nil {
		p.status = p.cmd.Wait()
		close(p.done)
	}
}

func (p *program) running() bool {
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

// says waits until the log of this start matches.
func (p *program) says(ctx context.Context, re *regexp.Regexp) ([][]byte, error) {
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
			return nil, fmt.Errorf("bowline %s has ended: %w", p.name, p.status)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: the log of bowline %s does not say %q", context.Cause(ctx), p.name, re)
		}
	}
}

func (p *program) text() ([]byte, error) {
	text, err := os.ReadFile(p.log())
	return text[min(p.from, int64(len(text))):], err
}

// leads reports whether the program says that it leads.
func (p *program) leads() bool {
	text, err := p.text()
	return err == nil && bytes.Contains(text, []byte("successfully acquired lease"))
}

// end sends a signal and waits for the end.
func (p *program) end(ctx context.Context, signal os.Signal) error {
	if !p.running() {
		return nil
	}
	if err := p.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		_ = p.cmd.Process.Kill()
		return fmt.Errorf("%w: bowline %s did not end on %s", context.Cause(ctx), p.name, signal)
	}
}

// identity writes a kubeconfig that acts under a name of its own, so that the audit log tells who did what.
func identity(admin, path, user string) error {
	config, err := clientcmd.LoadFromFile(admin)
	if err != nil {
		return err
	}
	for _, info := range config.AuthInfos {
		info.Impersonate, info.ImpersonateGroups = user, []string{"system:masters", "system:authenticated"}
	}
	return clientcmd.WriteToFile(*config, path)
}
