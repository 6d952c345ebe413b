// SPDX-License-Identifier: Apache-2.0

package plane_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// These tests run bin/devcluster itself, so that they link nothing of Kubernetes. What a cluster can
// do is tested where it is used, in test/devcluster of the main module.

const hangs = 2 * time.Minute // far above anything waited for here

var components = []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"}

// up is a running "devcluster up".
type up struct {
	cmd    *exec.Cmd
	stderr bytes.Buffer
	lines  chan string   // of stdout; closed at its end
	ended  chan struct{} // closed when it has ended
	status error         // how; valid then, as stderr is
}

func startUp(t *testing.T, args ...string) *up {
	t.Helper()
	u := &up{cmd: exec.Command(binary(t), append([]string{"up"}, args...)...), lines: make(chan string, 16), ended: make(chan struct{})}
	u.cmd.Stderr = &u.stderr
	u.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	stdout, err := u.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // Pdeathsig is about this thread
		err := u.cmd.Start()
		started <- err
		if err != nil {
			return
		}
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			u.lines <- lines.Text()
		}
		close(u.lines)
		u.status = u.cmd.Wait()
		close(u.ended)
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = u.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		<-u.ended
	})
	return u
}

func (u *up) waitReady(t *testing.T) {
	t.Helper()
	select {
	case line, ok := <-u.lines:
		if !ok {
			<-u.ended
			t.Fatalf("it ended before it was ready: %v\n%s", u.status, u.stderr.String())
		}
		if line != "ready" {
			t.Fatalf("it said %q, want %q", line, "ready")
		}
	case <-time.After(hangs):
		t.Fatal("it is not ready")
	}
}

// waitEnd returns the exit status.
func (u *up) waitEnd(t *testing.T) int {
	t.Helper()
	select {
	case <-u.ended:
		return u.cmd.ProcessState.ExitCode()
	case <-time.After(hangs):
		t.Fatal("it does not end")
		return 0
	}
}

// children returns the process ids of the components by name.
func (u *up) children(t *testing.T) map[string]int {
	t.Helper()
	found := map[string]int{}
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", u.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		ids, err := os.ReadFile(task)
		if err != nil {
			continue // the thread has ended
		}
		for _, id := range strings.Fields(string(ids)) {
			args, err := os.ReadFile("/proc/" + id + "/cmdline")
			if err != nil {
				continue // the child has ended
			}
			name, _, _ := bytes.Cut(args, []byte{0})
			if found[string(name)], err = strconv.Atoi(id); err != nil {
				t.Fatal(err)
			}
		}
	}
	return found
}

func TestUpRunsAllComponentsUntilItIsTold(t *testing.T) {
	t.Parallel()
	dir, begin := t.TempDir(), time.Now()
	u := startUp(t, "--dir", dir, "--nodes", "2", "--audit", filepath.Join(dir, "audit.log"))
	u.waitReady(t)
	t.Logf("ready after %s", time.Since(begin).Round(time.Millisecond))

	children := u.children(t)
	for _, name := range components {
		if children[name] == 0 {
			t.Errorf("%s does not run: %v", name, children)
		}
	}
	checkMemory(t, u.cmd.Process.Pid, children)

	if err := u.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if status := u.waitEnd(t); status != 0 {
		t.Errorf("exit status %d after SIGTERM\n%s", status, u.stderr.String())
	}
	waitGone(t, children)
}

// checkMemory adds up the proportional set sizes: the program's pages, which all
// components share, count once.
func checkMemory(t *testing.T, parent int, children map[string]int) {
	t.Helper()
	const limit = 600 // MiB, for an idle cluster
	total := pss(t, parent)
	report := fmt.Sprintf("up %d", total)
	for _, name := range components {
		mib := pss(t, children[name])
		total += mib
		report += fmt.Sprintf(", %s %d", name, mib)
	}
	t.Logf("memory: %d MiB (%s)", total, report)
	if total > limit {
		t.Errorf("memory: %d MiB, want at most %d", total, limit)
	}
}

func pss(t *testing.T, pid int) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		var kib int
		if _, err := fmt.Sscanf(line, "Pss: %d kB", &kib); err == nil {
			return kib / 1024
		}
	}
	t.Fatalf("no Pss in\n%s", b)
	return 0
}

func TestUpCanBeToldToEndBeforeItIsReady(t *testing.T) {
	t.Parallel()
	u := startUp(t, "--dir", t.TempDir())
	for deadline := time.Now().Add(hangs); len(u.children(t)) < len(components); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("only %v run", u.children(t))
		}
	}
	children := u.children(t)
	if err := u.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if status := u.waitEnd(t); status != 0 {
		t.Errorf("exit status %d after SIGTERM\n%s", status, u.stderr.String())
	}
	waitGone(t, children)
}

func TestComponentsEndWithUp(t *testing.T) {
	t.Parallel()
	u := startUp(t, "--dir", t.TempDir())
	u.waitReady(t)
	children := u.children(t)
	if err := u.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	u.waitEnd(t)
	waitGone(t, children)
}

func TestUpNamesTheComponentThatDied(t *testing.T) {
	t.Parallel()
	u := startUp(t, "--dir", t.TempDir())
	u.waitReady(t)
	children := u.children(t)
	if err := syscall.Kill(children["kube-scheduler"], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if status := u.waitEnd(t); status != 1 {
		t.Errorf("exit status %d, want 1", status)
	}
	for _, want := range []string{"kube-scheduler ended by itself (signal: killed)", "kube-scheduler.log", "Starting Kubernetes Scheduler"} {
		if !strings.Contains(u.stderr.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, u.stderr.String())
		}
	}
	waitGone(t, children)
}

func TestDirectoryIsUsedOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	startUp(t, "--dir", dir).waitReady(t)
	second := startUp(t, "--dir", dir)
	if status := second.waitEnd(t); status != 1 || !strings.Contains(second.stderr.String(), "another devcluster runs in "+dir) {
		t.Errorf("exit status %d, and it says\n%s", status, second.stderr.String())
	}
}

func TestBadArguments(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := strconv.Itoa(taken.Addr().(*net.TCPAddr).Port)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name   string
		args   []string
		status int
		says   string
	}{
		{"no directory", nil, 2, "--dir is missing"},
		{"an unknown flag", []string{"--dir", "x", "--node", "1"}, 2, "-node"},
		{"an argument too many", []string{"--dir", "x", "y"}, 2, `unexpected argument "y"`},
		{"no port", []string{"--dir", "x", "--port", "70000"}, 2, "--port 70000"},
		{"nodes below zero", []string{"--dir", "x", "--nodes", "-1"}, 2, "--nodes -1"},
		{"port in use", []string{"--dir", t.TempDir(), "--port", port}, 1, "127.0.0.1:" + port + " is in use"},
		{"directory is a file", []string{"--dir", file}, 1, file},
	} {
		t.Run(tc.name, func(t *testing.T) {
			u := startUp(t, tc.args...)
			if status := u.waitEnd(t); status != tc.status || !strings.Contains(u.stderr.String(), tc.says) {
				t.Errorf("exit status %d, want %d; want it to say %q:\n%s", status, tc.status, tc.says, u.stderr.String())
			}
		})
	}
}

func waitGone(t *testing.T, children map[string]int) {
	t.Helper()
	deadline := time.Now().Add(hangs)
	for name, pid := range children {
		for running(pid) {
			if time.Now().After(deadline) {
				t.Fatalf("%s still runs as process %d", name, pid)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// running tells whether the process is there and no zombie, which somebody else has to collect.
func running(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return false
	}
	after := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	return !slices.Contains([]string{"Z", "X"}, string(after[0]))
}

// binary finds bin/devcluster from the working directory upwards.
func binary(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("BOWLINE_DEVCLUSTER"); path != "" {
		return path
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for dir != filepath.Dir(dir) {
		path := filepath.Join(dir, "bin", "devcluster")
		if _, err := os.Stat(path); err == nil {
			return path
		}
		dir = filepath.Dir(dir)
	}
	t.Fatal("there is no bin/devcluster: `make build` builds it")
	return ""
}
