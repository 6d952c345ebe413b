// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/tree"
)

func limited(l render.Limits) func(*render.Input) { return func(in *render.Input) { in.Limits = l } }

// Every limit ends its own render only, with an error that names it, its value and the setting.
func TestLimits(t *testing.T) {
	p, _ := newPool(t, Options{Max: 2})
	for _, c := range []struct {
		behaviour, argument string
		limits              render.Limits
		want                string
		raceless            bool // needs the kernel's limit, which the race detector's tables do not leave room for
	}{
		{"loop", "", render.Limits{Time: 200 * time.Millisecond}, "it takes longer than 200ms; make it smaller, or raise bowline.render.timeout", false},
		{"ask and not listen", "", render.Limits{Time: 200 * time.Millisecond}, "it takes longer than 200ms; make it smaller, or raise bowline.render.timeout", false},
		{"memory", "", render.Limits{Memory: 256 << 20}, "it takes more than 256 MiB of memory; make it smaller, or raise bowline.render.memory", false},
		{"memory at once", "", render.Limits{Memory: 256 << 20}, "it takes more than 256 MiB of memory; make it smaller, or raise bowline.render.memory", true},
		{"recursion", "", render.Limits{}, "bowline.render.memory", false},
		{"objects", "11 1", render.Limits{Objects: 10}, "it gives more than 10 objects; make it smaller, or raise bowline.render.maxObjects", false},
		{"objects", "3 1000", render.Limits{OutputBytes: 2 << 10}, "it gives more than 2 KiB of objects; make it smaller, or raise bowline.render.maxOutput", false},
		{"objects", "1 100000", render.Limits{OutputBytes: 2 << 10}, "it gives more than 2 KiB of objects; make it smaller, or raise bowline.render.maxOutput", false},
		{"read for ever", "", render.Limits{Files: 30}, "it reads more than 30 files; make it smaller, or raise bowline.render.maxFiles", false},
		{"look for ever", "", render.Limits{Files: 30}, "it looks for more than 1500 files and folders; make it smaller, or raise bowline.render.maxFiles", false},
	} {
		t.Run(c.behaviour+" "+c.argument, func(t *testing.T) {
			if c.raceless && raceDetector {
				t.Skip("the race detector's tables do not leave room for the kernel's limit")
			}
			out, err := behave(context.Background(), p, c.behaviour, c.argument, limited(c.limits))
			if err == nil || !strings.Contains(err.Error(), c.want) || !fault.Is(err, fault.Mistake) || len(out.Manifests) > 0 {
				t.Errorf("got  %v (%d objects)\nwant %s", err, len(out.Manifests), c.want)
			}
			if _, err := behave(context.Background(), p, "fine", ""); err != nil {
				t.Errorf("the next render: %v", err)
			}
		})
	}
	// Just within.
	out, err := behave(context.Background(), p, "objects", "10 1000", limited(render.Limits{Objects: 10, OutputBytes: 12 << 10}))
	if err != nil || len(out.Manifests) != 10 {
		t.Errorf("%d objects, %v", len(out.Manifests), err)
	}
}

// slow is a tree that takes its time: as much as passes on a clock of the test.
type slow struct {
	tree.Tree
	pass func()
}

func (s slow) Read(ctx context.Context, p string, limit int64) ([]byte, error) {
	s.pass()
	return s.Tree.Read(ctx, p, limit)
}

// The time that a render waits for its files is not its own.
func TestTimeIsTheRendersOwn(t *testing.T) {
	clock := clocktesting.NewFakeClock(time.Unix(1e9, 0))
	p, _ := newPool(t, Options{Max: 1, Clock: clock})
	out, err := behave(context.Background(), p, "read", "a.yaml", limited(render.Limits{Time: time.Minute}), func(in *render.Input) {
		in.Tree = slow{in.Tree, func() { clock.Step(time.Hour) }}
	})
	if err != nil || out.Warnings[0] != "a" {
		t.Errorf("got %v, %v", out.Warnings, err)
	}
	// But its own time is: here it passes while the process works.
	ended := make(chan error)
	go func() {
		_, err := behave(context.Background(), p, "loop", "", limited(render.Limits{Time: time.Minute}))
		ended <- err
	}()
	for {
		select {
		case err := <-ended:
			if err == nil || !strings.Contains(err.Error(), "it takes longer than 1m0s") {
				t.Errorf("got %v", err)
			}
			return
		default:
			clock.Step(time.Second)
		}
	}
}

// A file that is larger than one may be is too large, whatever the process asks for.
func TestFileLimit(t *testing.T) {
	p, _ := newPool(t, Options{Max: 1})
	for _, size := range []int{1000, 1001} {
		_, err := behave(context.Background(), p, "read", "big", limited(render.Limits{FileBytes: 1000}), func(in *render.Input) {
			in.Tree = tree.Memory(map[string]tree.MemoryFile{"big": {Content: strings.Repeat("x", size)}})
		})
		if tooLarge := err != nil && strings.Contains(err.Error(), tree.ErrTooLarge.Error()); tooLarge != (size > 1000) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

// What a process says beside the protocol is not believed, and it is ended for it.
func TestHostileMessages(t *testing.T) {
	p, log := newPool(t, Options{Max: 1})
	frame := func(k kind, body string) string {
		n := len(body)
		return string([]byte{byte(k), byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}) + body
	}
	for name, said := range map[string]string{
		"nonsense":          "GET / HTTP/1.1\r\n\r\n",
		"unknown kind":      frame('z', ""),
		"huge call":         "c\xff\xff\xff\xff",
		"huge objects":      "o\xff\xff\xff\xff",
		"huge result":       "r\xff\xff\xff\xff",
		"begun again":       frame(begunFrame, ""),
		"empty call":        frame(callFrame, ""),
		"unknown call":      frame(callFrame, "\x99"),
		"no such mount":     frame(callFrame, "\x01\x07\x01a"),
		"path climbs out":   frame(callFrame, "\x01\x00\x0b../../a/b/c"),
		"absolute path":     frame(callFrame, "\x01\x00\x0b/etc/passwd"),
		"path is not clean": frame(callFrame, "\x01\x00\x04a//b"),
		"path with NUL":     frame(callFrame, "\x01\x00\x03a\x00b"),
		"path ends early":   frame(callFrame, "\x01\x00\x63a"),
		"read ahead out":    frame(callFrame, "\x03\x00\x06a.yaml\x01\x0a../../etc/"),
		"objects end early": frame(objectsFrame, "\x01a\x01\x63{"),
		"object is no JSON": frame(objectsFrame, "\x01a\x01\x01{"),
		"object is none":    frame(objectsFrame, "\x01a\x01\x02{}"),
		"result is no JSON": frame(resultFrame, "{"),
		"needs of no kind":  frame(resultFrame, `{"Needs":[{"Kind":"exec"}]}`),
		"needs and objects": frame(objectsFrame, "\x01a\x01\x3a"+`{"apiVersion":"v1","kind":"X","metadata":{"name":"a"    }}  `) + frame(resultFrame, `{"Needs":[{"Kind":"git"}]}`),
	} {
		t.Run(name, func(t *testing.T) {
			out, err := behave(context.Background(), p, "say", said)
			if err == nil || len(out.Manifests) > 0 || len(out.Needs) > 0 {
				t.Errorf("%+v, %v", out, err)
			}
			if _, err := behave(context.Background(), p, "fine", ""); err != nil {
				t.Errorf("the next render: %v", err)
			}
		})
	}
	if n := strings.Count(log.String(), "a render process ended"); n != 21 {
		t.Errorf("%d processes were ended:\n%s", n, log)
	}
}

// An error of a call that the process did not get is not to be had by its number.
func TestHostileErrorNumber(t *testing.T) {
	for _, number := range []int{-1, 2, 1 << 40} {
		if err := toError(&failure{Text: "x", Known: number}, []error{fmt.Errorf("kept")}); err == nil || err.Error() != "x" {
			t.Errorf("number %d gives %v", number, err)
		}
	}
}

// Folders in folders make paths long and many: what the caller remembers of them has an end before its memory has.
func TestHostilePaths(t *testing.T) {
	in := chartInput(chart(nil))
	in.Limits = render.Limits{}.WithDefaults()
	s := newSession(t.Context(), v1alpha1.ApplicationSourceTypeHelm, in, nil, nil)
	s.mounts = []tree.Tree{in.Tree}
	call := appendText([]byte{byte(lookupOp), 0}, strings.Repeat("x", maxPath))
	var err error
	calls := 0
	for ; err == nil && calls < callsPerFile*in.Limits.Files; calls++ {
		_, err = s.find(call)
	}
	if !fault.Is(err, fault.Mistake) || calls > maxAsked/maxPath+1 {
		t.Errorf("after %d calls: %v", calls, err)
	}
}

// unlisted is a tree whose folders are not listed before somebody gives up.
type unlisted struct{ tree.Tree }

func (unlisted) List(ctx context.Context, _ string) ([]tree.Entry, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestTimeOfADirectory(t *testing.T) {
	p, _ := newPool(t, Options{})
	_, err := p.Render(t.Context(), render.Input{Tree: unlisted{tree.Memory(nil)}, Limits: render.Limits{Time: 20 * time.Millisecond}})
	if !fault.Is(err, fault.Mistake) || !strings.Contains(err.Error(), render.SettingTime) {
		t.Errorf("got %v", err)
	}
}
