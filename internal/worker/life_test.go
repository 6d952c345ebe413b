// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"context"
	"errors"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/tree"
)

// A process that dies is an error of its render, which says what is known and shows nothing of what was rendered.
func TestCrash(t *testing.T) {
	const secret = "hunter2"
	p, log := newPool(t, Options{Max: 1})
	for _, c := range []struct {
		behaviour, argument string
		kind                fault.Kind
		want                []string
	}{
		{"panic", secret, fault.Bug, []string{"the renderer broke with a string in ", "worker.init"}},
		{"panic", "runtime", fault.Bug, []string{"assignment to entry in nil map"}},
		{"crash", secret, fault.Bug, []string{"ended by itself (exit status 2): panic in "}},
		{"exit", "", fault.Retry, []string{"ended before it was done (exit status 7)"}},
	} {
		t.Run(c.behaviour+" "+c.argument, func(t *testing.T) {
			_, err := behave(context.Background(), p, c.behaviour, c.argument)
			if err == nil || fault.KindOf(err) != c.kind {
				t.Fatalf("got %v (%s)", err, fault.KindOf(err))
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v\nlacks %s", err, want)
				}
			}
			if strings.Contains(err.Error()+log.String(), secret) {
				t.Errorf("it shows what was rendered: %v\n%s", err, log)
			}
			if _, err := behave(context.Background(), p, "fine", ""); err != nil {
				t.Errorf("the next render: %v", err)
			}
		})
	}
}

// A render whose process somebody else kills fails, and may be tried again; a process that is killed while it waits is
// replaced without anyone noticing.
func TestKilledFromOutside(t *testing.T) {
	p, _ := newPool(t, Options{Max: 1})
	ended := make(chan error, 1)
	go func() {
		_, err := behave(context.Background(), p, "loop", "")
		ended <- err
	}()
	var err error
	until(t, "the render ends", func() bool {
		for _, pid := range p.pids() { // a process that had not begun yet has a successor
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		select {
		case err = <-ended:
			return true
		default:
			return false
		}
	})
	if err == nil || !fault.Is(err, fault.Retry) || !strings.Contains(err.Error(), "signal: killed") {
		t.Errorf("got %v", err)
	}
	for range 5 {
		if _, err := behave(context.Background(), p, "fine", ""); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(p.pids()[0], syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := behave(context.Background(), p, "fine", ""); err != nil || len(out.Warnings) != 1 {
		t.Errorf("%+v, %v", out, err)
	}
}

// pids lists the processes.
func (p *Pool) pids() []int {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []int
	for proc := range p.all {
		out = append(out, proc.cmd.Process.Pid)
	}
	return out
}

func (p *Pool) waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.idle)
}

// Renders beyond Max wait in line; who stops waiting gets the context's error; the others go on.
func TestLine(t *testing.T) {
	p, _ := newPool(t, Options{Max: 2})
	ctx, stop := context.WithCancel(context.Background())
	errs := make(chan error)
	for range 6 {
		go func() {
			_, err := behave(ctx, p, "loop", "")
			errs <- err
		}()
	}
	until(t, "two processes are at work", func() bool { return len(p.pids()) == 2 })
	impatient, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := behave(impatient, p, "fine", ""); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	stop()
	for range 6 {
		if err := <-errs; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	}
	until(t, "they are ended", func() bool { return len(p.pids()) == 0 })
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			if _, err := behave(context.Background(), p, "fine", ""); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if n := len(p.pids()); n > 2 {
		t.Errorf("there are %d processes", n)
	}
}

// A process is recycled after so many renders, and after one that leaves it unclean.
func TestRecycled(t *testing.T) {
	p, _ := newPool(t, Options{Max: 1, Renders: 3})
	seen := map[string]int{}
	for range 9 {
		out, err := behave(context.Background(), p, "fine", "")
		if err != nil {
			t.Fatal(err)
		}
		seen[out.Warnings[0]]++
	}
	if len(seen) != 3 {
		t.Errorf("renders by process: %v", seen)
	}
	schema := tree.Memory(map[string]tree.MemoryFile{
		"app/kustomization.yaml": {Content: "openapi: {path: schema.json}\nresources: [a.yaml]\n"},
		"app/schema.json":        {Content: `{"definitions": {}}`},
		"app/a.yaml":             {Content: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"},
	})
	p, _ = newPool(t, Options{Max: 1})
	if _, err := p.Render(context.Background(), render.Input{Tree: schema, Source: source("app")}); err != nil {
		t.Fatal(err)
	}
	until(t, "the process is ended", func() bool { return len(p.pids()) == 0 })
}

// Processes that wait are ended one after the other, the last after longest.
func TestIdle(t *testing.T) {
	clock := clocktesting.NewFakeClock(time.Unix(1e9, 0))
	p, _ := newPool(t, Options{Max: 3, Clock: clock})
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	gate := make(chan struct{})
	var wait sync.WaitGroup
	for range 3 {
		wait.Go(func() {
			_, err := behave(ctx, p, "read", "a.yaml", func(in *render.Input) { in.Tree = slow{in.Tree, func() { <-gate }} })
			if err != nil {
				t.Error(err)
			}
		})
	}
	until(t, "three processes are at work", func() bool { return len(p.pids()) == 3 })
	close(gate)
	wait.Wait()
	if n := p.waiting(); n != 3 {
		t.Fatalf("%d processes wait", n)
	}
	clock.Step(DefaultIdle - time.Second)
	if _, err := behave(ctx, p, "fine", ""); err != nil { // the one that worked last works again
		t.Fatal(err)
	}
	clock.Step(2 * time.Second)
	until(t, "one is left", func() bool { return len(p.pids()) == 1 })
	clock.Step(DefaultWarm - 3*time.Second)
	if n := p.waiting(); n != 1 {
		t.Errorf("%d processes wait", n)
	}
	clock.Step(3 * time.Second)
	until(t, "none is left", func() bool { return len(p.pids()) == 0 })
	if _, err := behave(ctx, p, "fine", ""); err != nil {
		t.Error(err)
	}
}

// Close ends what is at work and refuses what comes.
func TestClose(t *testing.T) {
	p, _ := newPool(t, Options{Max: 2})
	errs := make(chan error)
	for range 4 {
		go func() {
			_, err := behave(context.Background(), p, "loop", "")
			errs <- err
		}()
	}
	until(t, "two processes are at work", func() bool { return len(p.pids()) == 2 })
	p.Close()
	for range 4 {
		if err := <-errs; !errors.Is(err, errClosed) {
			t.Errorf("got %v", err)
		}
	}
	if left := children(t); len(left) > 0 {
		t.Errorf("processes are left behind: %v", left)
	}
	if _, err := behave(context.Background(), p, "fine", ""); !errors.Is(err, errClosed) {
		t.Errorf("got %v", err)
	}
	p.Close()
}
