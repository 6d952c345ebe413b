// SPDX-License-Identifier: Apache-2.0

// Package page looks at the page as a whole, in a real Chromium, on the scene: every view has to be usable by everybody, fit a
// telephone, and stay calm while it loads. What people do with it are stories (test/stories/testdata/page-*.txtar).
//
// The words of this room:
//
//   - View: an address of the page, and what shows that it has drawn.
//   - Picture: a screenshot of a view, for people who read about Bowline (`make screenshots`).
package page

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/bowline-cd/bowline/internal/app"
	"github.com/bowline-cd/bowline/internal/worker"
	"github.com/bowline-cd/bowline/test/devcluster"
	"github.com/bowline-cd/bowline/test/page/browser"
	"github.com/bowline-cd/bowline/test/page/scene"
)

// programName is the name under which the test binary is the program.
const programName = "bowline"

// patience bounds every wait: it is for what never comes.
const patience = 3 * time.Minute

func TestMain(m *testing.M) {
	worker.MainIfAsked()
	if filepath.Base(os.Args[0]) == programName {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		code := app.Main(ctx, os.Args[1:])
		stop()
		os.Exit(code)
	}
	os.Exit(m.Run())
}

// theatre is a running Bowline with the scene, and a browser.
type theatre struct {
	address string
	browser *browser.Browser
	hosting *scene.Hosting
	cluster *devcluster.Cluster
}

// open plays the scene for a test, and waits until it has settled.
func open(t *testing.T) *theatre {
	t.Helper()
	th := &theatre{cluster: devcluster.Start(t, devcluster.Nodes(3))} // one node has no room for so many pods
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	var err error
	if th.hosting, err = scene.Host(""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(th.hosting.Close)
	s, err := scene.New(th.cluster.RESTConfig(), "argocd", th.hosting)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Settle(ctx); err != nil {
		t.Fatal(err)
	}
	th.address = program(t, th.cluster.Kubeconfig())
	balancing, end := context.WithCancel(context.Background())
	done := make(chan error, 1)
	if err := s.Play(ctx); err != nil {
		t.Fatal(err)
	}
	go func() { done <- s.Balance(balancing) }()
	t.Cleanup(func() {
		end()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	if err := s.Later(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.Settled(ctx); err != nil {
		t.Fatal(err)
	}
	th.browser = newBrowser(t)
	return th
}

func newBrowser(t *testing.T) *browser.Browser {
	t.Helper()
	pictures, err := os.MkdirTemp("", "bowline-pictures-")
	if err != nil {
		t.Fatal(err)
	}
	b, err := browser.Start(browser.Options{Pictures: pictures})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		b.Close()
		if !t.Failed() {
			_ = os.RemoveAll(pictures)
		}
	})
	return b
}

var listens = regexp.MustCompile(`msg=listening address=(\S+)`)

// program runs Bowline until the test ends, and returns its address.
func program(t *testing.T, kubeconfig string) string {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(dir, "log.txt")
	out, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "run", "--kubeconfig", kubeconfig, "--data", filepath.Join(dir, "data"), "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--insecure")
	cmd.Args[0], cmd.Stdout, cmd.Stderr = programName, out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		<-ended
		_ = out.Close()
		if text, err := os.ReadFile(log); t.Failed() && err == nil {
			t.Logf("the log of Bowline ends with:\n%s", text[max(0, len(text)-8000):])
		}
	})
	limit := time.After(patience)
	for {
		text, err := os.ReadFile(log)
		if found := listens.FindSubmatch(text); err == nil && found != nil {
			return "http://" + string(found[1])
		}
		select {
		case status := <-ended:
			ended <- status
			t.Fatalf("bowline has ended: %v\n%s", status, text)
		case <-limit:
			t.Fatalf("bowline does not listen:\n%s", text)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// do plays a phase.
func (th *theatre) do(t *testing.T, script string, env map[string]string) []string {
	t.Helper()
	said, err := th.browser.Do(browser.Phase{Name: t.Name(), Script: script, Address: th.address, Env: env})
	if err != nil {
		t.Fatal(err)
	}
	return said
}

func (th *theatre) signIn(t *testing.T, name string) {
	t.Helper()
	th.do(t, fmt.Sprintf("await signIn(%q, %q)", name, scene.Password), nil)
}
