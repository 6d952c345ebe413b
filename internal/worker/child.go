// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"time"
	_ "time/tzdata" // time zones without a disk

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/render"
	"github.com/bowline-cd/bowline/internal/render/helm"
	"github.com/bowline-cd/bowline/internal/render/jsonnet"
	"github.com/bowline-cd/bowline/internal/render/kustomize"
)

// Verb is the word by which our binary becomes a process of a Pool.
const Verb = "render-worker"

// MainIfAsked turns this program into a process of a Pool, and does not return, if it was started as one: with the
// arguments Verb and the number of a file descriptor. It is called first of all, by main and by the TestMain of tests
// that render.
func MainIfAsked() {
	asked.Store(true)
	if len(os.Args) != 3 || os.Args[1] != Verb {
		return
	}
	fd, err := strconv.Atoi(os.Args[2])
	if err != nil || fd < firstFD {
		os.Exit(exitUsage)
	}
	os.Exit(Main(fd))
}

// asked is true once this program has looked whether it is a process.
var asked atomic.Bool

// The exit codes of a process.
const (
	exitDone     = 0 // the caller hung up
	exitUsage    = 2
	exitProtocol = 3 // what the caller said is not of the protocol
)

// firstFD is the number of the first descriptor behind stdin, stdout and stderr.
const firstFD = 3

// Two threads: one renders, one collects garbage.
const childThreads = 2

// childGC trades memory, which the limit bounds, for time.
const childGC = 200

// maxStack bounds the stack of a render: recursion without end is an error long before the machine feels it, and far
// beyond what the libraries allow themselves.
const maxStack = 512 << 20

// renderers are what a process can do, by type. Tests add types of their own.
var renderers = map[v1alpha1.ApplicationSourceType]func(context.Context, render.Input) (render.Output, error){
	v1alpha1.ApplicationSourceTypeHelm:      helm.Render,
	v1alpha1.ApplicationSourceTypeKustomize: kustomize.Render,
	v1alpha1.ApplicationSourceTypeDirectory: func(ctx context.Context, in render.Input) (render.Output, error) {
		return render.Directory(ctx, in, jsonnet.Evaluate)
	},
}

// Main confines the process and renders the jobs that come over the socket fd until it is closed. It returns the exit
// code of the process.
func Main(fd int) int {
	runtime.GOMAXPROCS(childThreads)
	debug.SetGCPercent(childGC)
	debug.SetMaxStack(maxStack)
	hello := confine(fd)
	socket := os.NewFile(uintptr(fd), "caller") //nolint:gosec // MainIfAsked refuses negative numbers
	body, err := json.Marshal(hello)
	if err != nil || writeFrame(socket, helloFrame, append(newFrame(), body...)) != nil {
		return exitProtocol
	}
	c := child{in: bufio.NewReaderSize(socket, 64<<10), out: socket, parent: os.Getppid(), paths: diff.NewPathFinder()}
	for {
		switch err := c.next(); {
		case errors.Is(err, io.EOF):
			return exitDone
		case err != nil:
			return exitProtocol
		}
	}
}

// child is a process at work.
type child struct {
	in     *bufio.Reader
	out    io.Writer
	parent int // the process id of the caller
	spent  bool
	paths  diff.PathFinder
}

func (c *child) Read(p []byte) (int, error)  { return c.in.Read(p) }
func (c *child) Write(p []byte) (int, error) { return c.out.Write(p) }

// next waits for a job and carries it out.
func (c *child) next() error {
	idle := time.AfterFunc(idleBeforeFree, debug.FreeOSMemory)
	k, body, err := readFrame(c.in, toProcess)
	idle.Stop()
	if err != nil {
		return err
	}
	if k == queryFrame {
		return c.query(body)
	}
	return c.job(body)
}

// toProcess is what may be asked of a process.
func toProcess(k kind) int64 {
	if k == jobFrame || k == queryFrame {
		return maxToProcess
	}
	return -1
}

func (c *child) job(body []byte) error {
	var j job
	if err := json.Unmarshal(body, &j); err != nil {
		return err
	}
	if err := writeFrame(c.out, begunFrame, newFrame()); err != nil {
		return err
	}
	in, ok := j.input(&calls{conn: c, broken: c.hungUp})
	if !ok {
		return errFrame
	}
	debug.SetMemoryLimit(in.Limits.WithDefaults().Memory / 10 * 9)
	stop := c.watchParent()
	out, err := c.render(context.Background(), j.Type, in)
	stop()
	return c.finish(in, out, err)
}

// idleBeforeFree is how long a process waits for work before it gives memory back.
const idleBeforeFree = time.Second

// watchParent ends the process when its caller is gone, until stop is called: what does not end would not notice.
func (c *child) watchParent() (stop func()) {
	tick, done := time.NewTicker(time.Second), make(chan struct{})
	go func() {
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				if os.Getppid() != c.parent {
					os.Exit(exitDone)
				}
			}
		}
	}()
	return func() {
		tick.Stop()
		close(done)
	}
}

func (c *child) hungUp(err error) {
	if errors.Is(err, errFrame) {
		os.Exit(exitProtocol)
	}
	os.Exit(exitDone)
}

// render calls the tool. A panic ends the process after its error was told: nobody knows what state it left.
func (c *child) render(ctx context.Context, typ v1alpha1.ApplicationSourceType, in render.Input) (out render.Output, err error) {
	defer func() {
		if v := recover(); v != nil {
			c.spent = true
			out, err = render.Output{}, panicked(in, v, debug.Stack())
		}
	}()
	tool, ok := renderers[typ]
	if !ok {
		return render.Output{}, fault.New(fault.Bug, "render", "the source", in.Where, fmt.Sprintf("no process renders the type %q", typ), "report it")
	}
	return tool(ctx, in)
}

// panicked makes an error of a panic. Its value may be anything that stood in a template, and is not shown unless it is
// the runtime's own.
func panicked(in render.Input, v any, stack []byte) error {
	cause := fmt.Sprintf("the renderer broke with a %T", v)
	var own runtime.Error
	if err, ok := v.(error); ok && errors.As(err, &own) {
		cause = "the renderer broke: " + own.Error()
	}
	if at := firstCaller(string(stack), "panic("); at != "" {
		cause += " in " + at
	}
	return fault.New(fault.Bug, "render", "the source", in.Field("path"), cause, "report it, with the files that it renders")
}

// finish tells the outcome of a job.
func (c *child) finish(in render.Input, out render.Output, err error) error {
	r := result{Type: out.Type, Needs: out.Needs, Used: in.Trace.Used(), Spent: c.spent || kustomize.Tainted()}
	for _, w := range out.Warnings[:min(len(out.Warnings), maxWarnings)] {
		r.Warnings = append(r.Warnings, clipTo(w, maxWarningText))
	}
	var frames [][]byte
	if err == nil {
		frames, err = encodeObjects(in, out.Manifests)
	}
	r.Failure = toFailure(err)
	body, err := json.Marshal(r)
	if err == nil && len(body) > maxResult {
		r.Warnings, r.Needs = nil, nil
		r.Failure = toFailure(in.Exceeded("it needs or says more than fits into a message", render.SettingOutput))
		frames = nil
		body, err = json.Marshal(r)
	}
	if err != nil {
		return err
	}
	for _, frame := range frames {
		if err := writeFrame(c.out, objectsFrame, frame); err != nil {
			return err
		}
	}
	return writeFrame(c.out, resultFrame, append(newFrame(), body...))
}

// encodeObjects brings objects into frames, within the limits.
func encodeObjects(in render.Input, manifests []object.Manifest) ([][]byte, error) {
	limits := in.Limits.WithDefaults()
	if len(manifests) > limits.Objects {
		return nil, in.TooManyObjects()
	}
	var frames [][]byte
	frame, left := newFrame(), limits.OutputBytes
	for _, m := range manifests {
		raw, err := json.Marshal(m.Object.Object)
		if err != nil {
			return nil, fault.Wrap(fault.Mistake, "render", m.Origin.String(), err, "correct the file and push")
		}
		if left -= int64(len(raw)); left < 0 {
			return nil, in.TooLargeOutput()
		}
		if len(frame)+len(raw) > batch && len(frame) > headSize {
			frames, frame = append(frames, frame), newFrame()
		}
		frame = appendText(frame, clipTo(m.Origin.File, maxOrigin))
		frame = binary.AppendUvarint(frame, uint64(max(m.Origin.Line, 0))) //nolint:gosec // it is not negative
		frame = appendText(frame, raw)
	}
	if len(frame) > headSize {
		frames = append(frames, frame)
	}
	return frames, nil
}
