// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/bowline-cd/bowline/internal/diff"
)

var webserver = map[string]any{
	"metadata": map[string]any{"name": "web", "generation": int64(1) << 60},
	"spec":     map[string]any{"containers": []any{map[string]any{"name": "a"}, map[string]any{"name": "b", "image": "x"}}},
}

func TestExpressionsSelectInAProcessWhatTheySelectInThisOne(t *testing.T) {
	p, _ := newPool(t, Options{})
	here := diff.NewPathFinder()
	for _, expression := range []string{
		`.spec.containers[] | select(.name == "b") | .image`, `.spec.containers[0]`, `.metadata | select(.generation == 1152921504606846976) | .name`,
		`.spec.nothing`, `.spec.containers[1:]`, `.spec..image?`, `.nothing[]`, `.`,
	} {
		want, wantErr := here(t.Context(), expression, webserver, time.Minute)
		got, err := p.Paths(t.Context(), expression, webserver, time.Minute)
		if diff := cmp.Diff(want, got); diff != "" || (err == nil) != (wantErr == nil) {
			t.Errorf("%s: %v, %v\n%s", expression, wantErr, err, diff)
		}
	}
	if _, err := p.Paths(t.Context(), `.a |`, webserver, time.Minute); err == nil || !strings.Contains(err.Error(), "jq expression") {
		t.Errorf("a broken expression: %v", err)
	}
}

func TestAnExpressionThatTakesAllMemoryEndsOnlyItsProcess(t *testing.T) {
	p, _ := newPool(t, Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	const bomb = `.spec | select([range(100000000)] | length > 0) | .containers`
	_, err := p.Paths(ctx, bomb, webserver, time.Minute)
	if err == nil || !strings.Contains(err.Error(), "memory") && !strings.Contains(err.Error(), "in time") {
		t.Fatalf("it says %v", err)
	}
	started := processes(p)
	if _, again := p.Paths(ctx, bomb, webserver, time.Minute); again == nil || again.Error() != err.Error() {
		t.Errorf("the second time it says %v, not %v", again, err)
	}
	if processes(p) > started {
		t.Error("the second time took a process")
	}
	if paths, err := p.Paths(ctx, `.spec`, webserver, time.Minute); err != nil || len(paths) != 1 {
		t.Errorf("the next expression gives %v, %v", paths, err)
	}
}

func processes(p *Pool) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.all)
}

func TestAnExpressionThatIsLateIsEnded(t *testing.T) {
	p, _ := newPool(t, Options{})
	if _, err := p.Paths(t.Context(), `def f: f; .spec | f`, webserver, 200*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("it says %v", err)
	}
	if paths, err := p.Paths(t.Context(), `.spec`, webserver, time.Minute); err != nil || len(paths) != 1 {
		t.Errorf("the next expression gives %v, %v", paths, err)
	}
}

func TestExpressionsDoNotWaitForRenders(t *testing.T) {
	p, _ := newPool(t, Options{Max: 1})
	p.slots <- struct{}{} // a render is at work
	defer func() { <-p.slots }()
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if paths, err := p.Paths(t.Context(), `.spec.containers[]`, webserver, time.Minute); err != nil || len(paths) != 2 {
				t.Errorf("%v, %v", paths, err)
			}
		})
	}
	all.Wait()
}

func TestAnOutcastIsLetInAgain(t *testing.T) {
	c := clocktesting.NewFakeClock(time.Unix(0, 0))
	var o outcasts
	o.add(c, ".a", errBig)
	if !errors.Is(o.find(c, ".a"), errBig) || o.find(c, ".b") != nil {
		t.Error("it is not kept out, or another one is")
	}
	c.Step(outcastFor + time.Second)
	if o.find(c, ".a") != nil {
		t.Error("it is kept out for ever")
	}
}

func BenchmarkPaths(b *testing.B) {
	p, _ := newPool(b, Options{})
	for b.Loop() {
		if _, err := p.Paths(b.Context(), `.spec.containers[] | select(.name == "b") | .image`, webserver, time.Minute); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzAnswerToAQuery(f *testing.F) {
	frame := func(k kind, body string) []byte {
		var b bytes.Buffer
		_ = writeFrame(&b, k, append(newFrame(), body...))
		return b.Bytes()
	}
	f.Add(append(frame(begunFrame, ""), frame(pathsFrame, `{"Paths":[["spec",0,{"start":1}]]}`)...))
	f.Add(append(frame(begunFrame, ""), frame(pathsFrame, `{"Error":"no"}`)...))
	f.Add(frame(resultFrame, `{}`))
	f.Fuzz(func(t *testing.T, said []byte) {
		paths, begun, err := exchange(conn{bytes.NewReader(said), io.Discard}, []byte("{}"))
		if err == nil && !begun || err != nil && paths != nil {
			t.Errorf("%v, %v, %v", paths, begun, err)
		}
	})
}
