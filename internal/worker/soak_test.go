// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"context"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/bowline-cd/bowline/internal/render"
)

// Whatever others do in the processes beside it, and whoever kills them: a good render gives its objects, or an error if
// its process was killed; no call hangs, and nothing is left.
func TestMixed(t *testing.T) {
	jobs := 60
	if os.Getenv("BOWLINE_SOAK") != "" {
		jobs = 3000
	}
	seed := uint64(time.Now().UnixNano()) //nolint:gosec // any number will do
	t.Logf("seed %d", seed)
	p, _ := newPool(t, Options{Max: 4, Renders: 10})
	bad := []string{"crash", "exit", "panic", "loop", "say", "memory", "look for ever", "ask and not listen"}
	var wait sync.WaitGroup
	for worker := range 6 {
		random := rand.New(rand.NewPCG(seed, uint64(worker))) //nolint:gosec // a test
		wait.Go(func() {
			for range jobs / 6 {
				mixedJob(t, p, random, bad)
			}
		})
	}
	wait.Wait()
	for range 10 {
		if out, err := p.Render(context.Background(), chartInput(chart(nil))); err != nil || len(out.Manifests) != 1 {
			t.Errorf("afterwards: %d objects, %v", len(out.Manifests), err)
		}
	}
}

func mixedJob(t *testing.T, p *Pool, random *rand.Rand, bad []string) {
	t.Helper()
	switch n := random.IntN(10); {
	case n < 3:
		limits := render.Limits{Time: 50 * time.Millisecond, Memory: 200 << 20, Files: 10}
		if _, err := behave(context.Background(), p, bad[random.IntN(len(bad))], "garbage", limited(limits)); err == nil {
			t.Error("what is bad succeeds")
		}
	case n < 4:
		ctx, stop := context.WithTimeout(context.Background(), 20*time.Millisecond)
		defer stop()
		if _, err := behave(ctx, p, "loop", ""); err == nil {
			t.Error("what does not end succeeds")
		}
	case n < 5:
		p.killOne(random)
	default:
		out, err := p.Render(context.Background(), chartInput(chart(nil)))
		if err == nil && len(out.Manifests) != 1 || err != nil && len(out.Manifests) > 0 {
			t.Errorf("%d objects, %v", len(out.Manifests), err)
		}
	}
}

// killOne kills one of the processes, as somebody else could.
func (p *Pool) killOne(random *rand.Rand) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := random.IntN(len(p.all) + 1)
	for proc := range p.all {
		if n--; n == 0 {
			_ = proc.cmd.Process.Kill() // it may be gone
		}
	}
}
