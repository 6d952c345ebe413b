// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/render"
)

// Options are the settings of a Pool. The zero value is ready.
type Options struct {
	// Command is the program and its arguments, to which the number of the socket is appended; this program with Verb.
	Command []string
	// Max bounds the processes, and so the renders at the same time; GOMAXPROCS.
	Max int
	// Limits are those of inputs that bring none.
	Limits render.Limits
	// Renders is after how many a process is recycled; DefaultRenders.
	Renders int
	// Idle is how long a process waits for work before it is ended; DefaultIdle. The one that worked last waits for Warm;
	// DefaultWarm.
	Idle, Warm time.Duration
	Clock      clock.WithTickerAndDelayedExecution // the real one
	Log        *slog.Logger                        // none
	// Plugins may be nil: then there are none.
	Plugins Plugins

	own bool // Command is this program
}

// The defaults of Options.
const (
	DefaultRenders = 200
	DefaultIdle    = 30 * time.Second
	DefaultWarm    = 3 * time.Minute
)

// Plugins are config management plugins: programs of the installation that render what they say they know.
type Plugins interface {
	// Discover returns the plugin that wants to render a source; ok is false if none does.
	Discover(ctx context.Context, in render.Input) (name string, ok bool, err error)
	// Render renders with the plugin that in.Source names.
	Render(ctx context.Context, in render.Input) (render.Output, error)
}

// Pool renders. It is safe for concurrent use.
type Pool struct {
	options Options
	slots   chan struct{} // one for each render at work; waiters are served in their order
	queries chan struct{} // one for each query at work, beside the renders: a comparison does not wait for a chart
	closed  chan struct{}
	lacks   sync.Once
	outcast outcasts
	moving  sync.WaitGroup // processes on their way in or out; added to under mu, and not after Close

	mu   sync.Mutex
	all  map[*process]struct{}
	idle []*process // the one that worked last is the last
	reap clock.Timer
	over bool // Close was called
}

// errClosed is the end of renders that a Close found at work.
var errClosed = errors.New("the render processes are being ended")

// New returns a Pool. Its processes start when they are needed; Close ends them.
func New(o Options) (*Pool, error) {
	if len(o.Command) == 0 {
		program, err := ownProgram()
		if err != nil {
			return nil, err
		}
		o.Command = []string{program, Verb}
		o.own = true
	}
	o.Max = cmp.Or(max(o.Max, 0), runtime.GOMAXPROCS(0))
	o.Renders, o.Idle, o.Warm = cmp.Or(o.Renders, DefaultRenders), cmp.Or(o.Idle, DefaultIdle), cmp.Or(o.Warm, DefaultWarm)
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Pool{options: o, slots: make(chan struct{}, o.Max), queries: make(chan struct{}, parallelQueries), closed: make(chan struct{}), all: map[*process]struct{}{}}, nil
}

// ownProgram names this program. Where it can it names the running one itself, which stays when its file is replaced.
func ownProgram() (string, error) {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe", nil
	}
	return os.Executable()
}

// Render renders a source: it merges what the repository overrides, finds the tool, and has a process carry it out;
// plain directories are rendered at once. Errors are *fault.Error, or of what could not be read: an error of one of in's
// trees, or of in.Cluster, is found in it by errors.Is and errors.As.
func (p *Pool) Render(ctx context.Context, in render.Input) (render.Output, error) {
	in.Limits = p.limits(in.Limits)
	if in.Trace == nil {
		in.Trace = &render.Trace{}
	}
	prepared, err := render.Prepare(ctx, in, p.discover())
	if err != nil {
		return render.Output{Used: in.Trace.Used()}, err
	}
	switch prepared.Type {
	case v1alpha1.ApplicationSourceTypeDirectory:
		out, err := directory(ctx, prepared.Input)
		if errors.Is(err, render.ErrNeedsWorker) {
			return p.work(ctx, prepared)
		}
		return bounded(prepared.Input, out, err)
	case v1alpha1.ApplicationSourceTypePlugin:
		if p.options.Plugins == nil {
			return render.Output{Type: prepared.Type}, fault.New(fault.Stalled, "render", "the source", prepared.Why,
				"there are no plugins in this installation", "run the plugin as a sidecar of Bowline, or use another tool")
		}
		out, err := p.options.Plugins.Render(ctx, prepared.Input)
		return bounded(prepared.Input, out, err)
	default:
		return p.work(ctx, prepared)
	}
}

// directory renders a plain folder, which is done in this process: within the time of a render too.
func directory(ctx context.Context, in render.Input) (render.Output, error) {
	late := in.Exceeded(fmt.Sprintf("it takes longer than %s", in.Limits.Time), render.SettingTime)
	timed, cancel := context.WithTimeoutCause(ctx, in.Limits.Time, late)
	defer cancel()
	out, err := render.Directory(timed, in, nil)
	if err != nil && timed.Err() != nil && ctx.Err() == nil {
		err = late
	}
	return out, err
}

func bounded(in render.Input, out render.Output, err error) (render.Output, error) {
	if err == nil {
		err = in.Bounded(out)
	}
	if err != nil {
		return render.Output{Type: out.Type, Used: out.Used}, err
	}
	return out, nil
}

func (p *Pool) discover() render.Discover {
	if p.options.Plugins == nil {
		return nil
	}
	return p.options.Plugins.Discover
}

// limits fills in the Pool's where an input has none.
func (p *Pool) limits(l render.Limits) render.Limits {
	own := p.options.Limits.WithDefaults()
	return render.Limits{
		TotalBytes: cmp.Or(l.TotalBytes, own.TotalBytes), OutputBytes: cmp.Or(l.OutputBytes, own.OutputBytes), Objects: cmp.Or(l.Objects, own.Objects),
		Files: cmp.Or(l.Files, own.Files), FileBytes: cmp.Or(l.FileBytes, own.FileBytes), Time: cmp.Or(l.Time, own.Time), Memory: cmp.Or(l.Memory, own.Memory),
	}
}

// work waits in line and renders in a process. Only a render that had not begun is tried again: a process that waited may
// be ended by anyone, but what ends it while it renders may be the render.
func (p *Pool) work(ctx context.Context, prepared render.Prepared) (render.Output, error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return render.Output{}, ctx.Err()
	case <-p.closed:
		return render.Output{}, errClosed
	}
	defer func() { <-p.slots }()
	out, again, err := p.once(ctx, prepared)
	if again {
		out, _, err = p.once(ctx, prepared)
	}
	return out, err
}

// once renders in one process. again is true if the process was found dead: it had not started on the job.
func (p *Pool) once(ctx context.Context, prepared render.Prepared) (out render.Output, again bool, err error) {
	proc, err := p.take()
	if err != nil {
		return out, false, err
	}
	in := prepared.Input
	proc.bound(in.Limits.Memory)
	watch := newWatch(p.options.Clock, boundsOf(in), proc.memory.resident, proc.kill)
	s := newSession(ctx, prepared.Type, in, proc, watch)
	stop := context.AfterFunc(ctx, func() { proc.kill(ctx.Err()) })
	out, err = s.run()
	watch.end()
	interrupted := !stop()
	proc.renders++
	var broken brokenError
	switch {
	case errors.As(err, &broken):
		if again = !s.begun && ctx.Err() == nil; !again {
			// What it used before it ended is not known for sure.
			in.Trace.Note(render.Used{Build: slices.Collect(maps.Keys(in.Build))})
		}
		err = p.lost(ctx, proc, in, broken)
		out = render.Output{Type: prepared.Type, Used: in.Trace.Used()}
	case interrupted || s.spent || p.worn(proc, in.Limits.Memory):
		p.end(proc)
	default:
		p.put(proc)
	}
	return out, again, err
}

// lost returns the error of a render whose process is of no use any more.
func (p *Pool) lost(ctx context.Context, proc *process, in render.Input, broken brokenError) error {
	err := proc.died(in, broken.err)
	p.end(proc)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	level := slog.LevelWarn
	if fault.Is(err, fault.Mistake) { // it met a limit, and its application says so
		level = slog.LevelInfo
	}
	p.options.Log.Log(ctx, level, "a render process ended", "application", in.App, "error", err)
	return err
}

// worn reports whether a process is recycled: it has rendered enough, or does not give back what it took.
func (p *Pool) worn(proc *process, limit int64) bool {
	used, ok := proc.memory.resident()
	return proc.renders >= p.options.Renders || ok && used > limit/2
}

// Close ends all processes, and with them the renders at work, and waits until they are gone. Renders that come later are
// refused.
func (p *Pool) Close() {
	p.mu.Lock()
	if !p.over {
		p.over = true
		close(p.closed)
	}
	if p.reap != nil {
		p.reap.Stop()
	}
	p.idle = nil
	all := slices.Collect(maps.Keys(p.all))
	p.mu.Unlock()
	for _, proc := range all {
		proc.kill(errClosed)
	}
	for _, proc := range all {
		<-proc.done
	}
	p.moving.Wait()
}
