// SPDX-License-Identifier: Apache-2.0

// Package browser drives a real Chromium, by playwright-core of the page's own packages.
//
// The words of this room:
//
//   - Browser: one Chromium with its driver, a process of Node.js that ends when its Browser is closed, or with this program.
//   - Phase: a script for the driver. What it opens is still there in the next phase. verbs.mjs has its words, README.md explains them.
//   - Problem: what no page of ours may do, whatever a phase looks at: break the content security policy, ask another origin, throw,
//     write an error to the console, open a dialog. A problem fails the phase in which it is seen.
package browser

import (
	"bufio"
	"encoding/json"
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

// Env names the environment variable with the path of another Chromium than the one that is found.
const Env = "BOWLINE_CHROMIUM"

// Browser is a running Chromium.
type Browser struct {
	cmd      *exec.Cmd
	in       io.WriteCloser
	answers  chan answer
	done     chan struct{} // closed when the driver has ended
	status   error
	patience time.Duration
}

// Phase is a script and what it is about.
type Phase struct {
	Name    string            `json:"name"`    // of the pictures that are kept
	Script  string            `json:"script"`  // the body of an async function
	Address string            `json:"address"` // of the server: http://127.0.0.1:8080
	Env     map[string]string `json:"env,omitempty"`
}

type answer struct {
	OK    bool     `json:"ok"`
	Said  []string `json:"said"`
	Error string   `json:"error"`
	err   error
}

// Options say how a Browser runs.
type Options struct {
	Pictures string        // folder for pictures of what failed
	Patience time.Duration // how long a phase may take; three minutes if zero
	Args     []string      // more arguments of Chromium
}

// Start starts a Chromium.
func Start(o Options) (*Browser, error) {
	chromium, err := find()
	if err != nil {
		return nil, err
	}
	here, err := folder()
	if err != nil {
		return nil, err
	}
	modules := filepath.Join(here, "..", "..", "..", "web")
	if _, err := os.Stat(filepath.Join(modules, "node_modules", "playwright-core")); err != nil {
		return nil, fmt.Errorf("the packages of the page are not installed: run `make build`: %w", err)
	}
	given, err := json.Marshal(map[string]any{"chromium": chromium, "modules": modules, "pictures": o.Pictures, "args": o.Args})
	if err != nil {
		return nil, err
	}
	b := &Browser{cmd: exec.Command("node", filepath.Join(here, "driver.mjs"), string(given)), answers: make(chan answer), done: make(chan struct{}), patience: o.Patience}
	if b.patience == 0 {
		b.patience = 3 * time.Minute
	}
	if err := b.start(); err != nil {
		return nil, err
	}
	if _, err := b.answer("start"); err != nil {
		b.Close()
		return nil, fmt.Errorf("start Chromium: %w", err)
	}
	return b, nil
}

func (b *Browser) start() error {
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	b.cmd.Stderr = os.Stderr
	var err error
	if b.in, err = b.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := b.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	started := make(chan error)
	go b.follow(out, started)
	return <-started
}

// follow reads the answers until the driver ends. It stays on one thread: the kernel sends the death signal when the thread that
// started a child ends.
func (b *Browser) follow(out io.Reader, started chan<- error) {
	runtime.LockOSThread()
	err := b.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	lines := bufio.NewReaderSize(out, 1<<20)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			break
		}
		var a answer
		a.err = json.Unmarshal(line, &a)
		b.answers <- a
	}
	b.status = b.cmd.Wait()
	close(b.done)
}

// Do does a phase and returns what it said. The error shows what was on the screen.
func (b *Browser) Do(p Phase) ([]string, error) {
	line, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	if _, err := b.in.Write(append(line, '\n')); err != nil {
		return nil, fmt.Errorf("the driver of Chromium has ended: %w", err)
	}
	return b.answer(p.Name)
}

func (b *Browser) answer(name string) ([]string, error) {
	select {
	case a := <-b.answers:
		if a.err != nil || !a.OK {
			return a.Said, errors.Join(a.err, errors.New(a.Error))
		}
		return a.Said, nil
	case <-b.done:
		return nil, fmt.Errorf("the driver of Chromium has ended: %w", b.status)
	case <-time.After(b.patience):
		return nil, fmt.Errorf("%s is not over after %s", name, b.patience)
	}
}

// Close ends Chromium.
func (b *Browser) Close() {
	_ = b.in.Close()
	for {
		select {
		case <-b.answers: // nobody waits for it any more
			continue
		case <-b.done:
			return
		case <-time.After(10 * time.Second):
			_ = syscall.Kill(-b.cmd.Process.Pid, syscall.SIGKILL)
		}
	}
}

// find finds Chromium.
func find() (string, error) {
	if path := os.Getenv(Env); path != "" {
		return path, nil
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("the stories of the page need Chromium: run scripts/need-for-browser, or say where it is with %s", Env)
}

// folder is where this file is: the driver is beside it.
func folder() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if text, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil && strings.HasPrefix(string(text), "module github.com/bowline-cd/bowline\n") {
			return filepath.Join(dir, "test", "page", "browser"), nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("the driver of Chromium is in the repository: run this inside of it")
		}
		dir = filepath.Dir(dir)
	}
}
