// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// child is a process of ours with its descendants.
type child struct {
	cmd    *exec.Cmd
	done   chan struct{} // closed when it has ended
	status error         // how; valid then
}

// startChild starts a binary and calls line with each line of its standard output.
func startChild(binary string, stderr io.Writer, line func(string), args ...string) (*child, error) {
	cmd := exec.Command(binary, args...)
	cmd.Stderr = stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c := &child{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The death signal comes when the thread that started the child ends.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			line(lines.Text())
		}
		c.status = cmd.Wait()
		close(c.done)
	}()
	return c, <-started
}

func (c *child) stop(signal syscall.Signal) {
	kill := time.AfterFunc(30*time.Second, func() { c.signal(syscall.SIGKILL) })
	defer kill.Stop()
	c.signal(signal)
	<-c.done
}

// signal sends a signal; a process that has ended needs none.
func (c *child) signal(signal syscall.Signal) {
	if err := c.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
}

// startPlane starts a devcluster under dir and returns its kubeconfig.
func startPlane(ctx context.Context, c config, dir string) (*child, string, error) {
	ready := make(chan struct{}, 1)
	args := []string{"up", "--dir", dir}
	if c.audited {
		args = append(args, "--audit", auditLog(dir))
	}
	plane, err := startChild(filepath.Join(c.bin, "devcluster"), os.Stderr, func(line string) {
		if strings.TrimSpace(line) == "ready" {
			ready <- struct{}{}
		}
	}, args...)
	if err != nil {
		return nil, "", err
	}
	select {
	case <-ready:
		return plane, filepath.Join(dir, "kubeconfig"), nil
	case <-plane.done:
		return nil, "", errors.Join(errors.New("devcluster ended before it was ready"), plane.status)
	case <-ctx.Done():
		plane.stop(syscall.SIGTERM)
		return nil, "", ctx.Err()
	}
}

// trusting asks our own Bowline, on this machine, whose certificate it has made for itself.
var trusting = &http.Client{Transport: &http.Transport{TLSClientConfig: ownCertificate()}}

func ownCertificate() *tls.Config {
	return &tls.Config{InsecureSkipVerify: true} //nolint:gosec // nothing is asked that is not ours and on the loopback
}

// startBowline starts Bowline with more arguments than those that every run has, and waits until it is ready.
func startBowline(ctx context.Context, bin, kubeconfig, data, listen, metrics string, log io.Writer, more ...string) (*child, error) {
	args := append([]string{"run", "--kubeconfig", kubeconfig, "--data", data, "--listen", listen, "--metrics", metrics}, more...)
	c, err := startChild(filepath.Join(bin, "bowline"), log, func(line string) { _, _ = fmt.Fprintln(log, line) }, args...)
	if err != nil {
		return nil, err
	}
	err = until(ctx, time.Minute, "Bowline is ready", func(ctx context.Context) (bool, error) {
		select {
		case <-c.done:
			return false, errors.Join(errors.New("it ended"), c.status)
		default:
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+listen+"/readyz", nil)
		if err != nil {
			return false, err
		}
		resp, err := trusting.Do(req) // one that speaks TLS says where
		if err != nil {
			return false, nil
		}
		defer func() { _ = resp.Body.Close() }()
		return resp.StatusCode == http.StatusOK, nil
	})
	if err != nil {
		c.stop(syscall.SIGTERM)
		return nil, err
	}
	return c, nil
}

// until asks again every few milliseconds until done says yes.
func until(ctx context.Context, limit time.Duration, what string, done func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for {
		ok, err := done(ctx)
		if err != nil || ok {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s: %w", what, ctx.Err())
		case <-ticker.C:
		}
	}
}

// usage is what a process and its descendants have used.
type usage struct {
	cpu       time.Duration
	rss, peak int64 // bytes
}

// clockTick is the unit of /proc/PID/stat on Linux (USER_HZ).
const clockTick = 10 * time.Millisecond

func (c *child) usage() (usage, error) { return usageOf(c.cmd.Process.Pid) }

func usageOf(pid int) (usage, error) {
	proc := fmt.Sprintf("/proc/%d/", pid)
	stat, err := os.ReadFile(proc + "stat")
	if err != nil {
		return usage{}, err
	}
	// Fields after the command name, which is in parentheses and may hold anything: state is the first.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	var u usage
	for _, i := range []int{11, 12, 13, 14} { // utime, stime, and those of children waited for
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return usage{}, err
		}
		u.cpu += time.Duration(n) * clockTick
	}
	status, err := os.ReadFile(proc + "status")
	if err != nil {
		return usage{}, err
	}
	for line := range strings.Lines(string(status)) {
		key, value, _ := strings.Cut(line, ":")
		n, _ := strconv.ParseInt(strings.Fields(value + " 0")[0], 10, 64)
		switch key {
		case "VmRSS":
			u.rss = n << 10
		case "VmHWM":
			u.peak = n << 10
		}
	}
	return u, addChildren(&u, pid)
}

func addChildren(u *usage, pid int) error {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return err
	}
	for _, file := range tasks {
		list, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		for _, field := range strings.Fields(string(list)) {
			n, err := strconv.Atoi(field)
			if err != nil {
				return err
			}
			if c, err := usageOf(n); err == nil { // else it has ended, and counts as waited for
				u.cpu, u.rss, u.peak = u.cpu+c.cpu, u.rss+c.rss, u.peak+c.peak
			}
		}
	}
	return nil
}
