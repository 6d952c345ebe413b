// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/plan"
)

// staleFor is how long a status that was there before our write is not held against an object.
const staleFor = 5 * time.Second

// gate is what a wave waits for after its steps.
type gate struct {
	*run
	at       place
	since    time.Time
	deadline time.Time // of awaited
	awaited  []*awaited
}

// awaited is an object that has to be healthy, or gone, before the next wave begins.
type awaited struct {
	i     int
	step  *plan.Step
	state string
	asked time.Time
}

// gate waits until the hooks of a wave have ended, and until its objects are as the wave asks for. It reports whether the
// next wave may begin.
func (r *run) gate(at place) bool {
	g := &gate{run: r, at: at, since: r.Clock.Now()}
	g.deadline = g.since.Add(r.HealthWait)
	if at.wave.AwaitHealth && !r.DryRun && !g.failed() {
		g.collect()
	}
	switch {
	case r.stopped() && (g.waits() || !r.report.allBegun(at)), !g.delay(), !g.wait():
		return r.stop()
	}
	return !g.failed()
}

// waits reports whether the gate waits for anything.
func (g *gate) waits() bool { return len(g.hooks) > 0 || len(g.awaited) > 0 }

// delay is the pause between two waves. It comes before the first look at what this one did: controllers shall have had the
// time to see it. It reports false if the run is stopped.
func (g *gate) delay() bool {
	if g.WaveDelay <= 0 || g.DryRun || g.last(g.at) || g.failed() && !g.waits() {
		return true
	}
	return g.sleep(g.WaveDelay)
}

// failed reports whether anything of the wave failed.
func (g *gate) failed() bool { return g.report.failedIn(g.at.first, len(g.at.wave.Steps)) }

// collect finds the objects that are awaited: those that were written or kept, and those that were deleted.
func (g *gate) collect() {
	for i := g.at.first; i < g.at.first+len(g.at.wave.Steps); i++ {
		s := g.steps[i]
		if g.report.written(i) && s.Action != plan.Run && !g.report.timeless(i) || g.report.deleted(i) {
			g.awaited = append(g.awaited, &awaited{i: i, step: s})
			g.report.wait(i)
		}
	}
}

// wait returns true once nothing is waited for any more, and false if the run is stopped before.
func (g *gate) wait() bool {
	for g.waits() {
		began := g.Clock.Now()
		ended, err := g.lookAtHooks()
		if err != nil {
			return false
		}
		g.lookAtObjects()
		if len(g.hooks) == 0 && g.failed() {
			break
		}
		if ended || !g.waits() {
			continue
		}
		g.tell(g.describe())
		// Looking at many objects for each change of one would take all of the time.
		if busy := g.Clock.Since(began); busy > 5*time.Millisecond && !g.sleep(min(20*busy, lookEvery)) || !g.pause(g.every()) {
			return false
		}
	}
	return g.work() || g.last(g.at)
}

func (g *gate) every() time.Duration {
	if g.Changed == nil {
		return lookEvery
	}
	next := askEvery
	for _, h := range g.hooks {
		next = min(next, h.deadline.Sub(g.Clock.Now()))
	}
	return max(next, pollEvery)
}

// lookAtObjects looks at what is awaited beside hooks, and drops what is as it should be.
func (g *gate) lookAtObjects() {
	late := !g.Clock.Now().Before(g.deadline)
	left := g.awaited[:0]
	for _, a := range g.awaited {
		switch done, err := g.lookAt(a); {
		case err != nil:
			g.report.degrade(a.i, err)
		case done:
			g.report.done(a.i)
		case late:
			g.report.degrade(a.i, fault.New(fault.Wait, "finish", g.name(), "",
				fmt.Sprintf("%s is %s after %s", a.step.Key, a.state, g.HealthWait), "see its events; bowline.sync.waveTimeout of argocd-cm is the limit"))
		default:
			left = append(left, a)
		}
	}
	g.awaited = left
}

// name names the wave.
func (g *gate) name() string { return fmt.Sprintf("wave %d of phase %s", g.at.wave.Number, g.at.phase) }

// lookAt reports whether an object is as it should be. An error says that it will not be.
func (g *gate) lookAt(a *awaited) (bool, error) {
	live, known := g.see(a.step, &a.asked, &a.state)
	if !known {
		return false, nil
	}
	if a.step.Action == plan.Prune {
		return g.isGone(a, live), nil
	}
	if live == nil {
		a.state = string(v1alpha1.HealthStatusMissing)
		return false, nil
	}
	status, judged := g.Health.Of(live)
	a.state = describeHealth(string(status.Status), status.Message)
	switch {
	case !judged, status.Status == v1alpha1.HealthStatusHealthy, status.Status == v1alpha1.HealthStatusSuspended && asksForIt(a.step):
		return true, nil
	case status.Status == v1alpha1.HealthStatusDegraded && !g.stale(a, live):
		return false, fault.New(fault.Wait, "finish", g.name(), "", fmt.Sprintf("%s: it is %s", a.step.Key, a.state), "")
	}
	return false, nil
}

// asksForIt reports whether an object is suspended because its manifest says so: then there is nothing to wait for.
func asksForIt(s *plan.Step) bool {
	spec, _ := s.Desired.Object["spec"].(map[string]any)
	return spec["suspend"] == true || spec["paused"] == true
}

// stale reports whether nobody has written an object since we did: its status may be about what we have just mended.
func (g *gate) stale(a *awaited, live *unstructured.Unstructured) bool {
	return live.GetResourceVersion() == g.report.version(a.i) && g.Clock.Since(g.since) < staleFor
}

func (g *gate) isGone(a *awaited, live *unstructured.Unstructured) bool {
	if live == nil || live.GetUID() != a.step.Live.UID {
		return true
	}
	a.state = "not gone"
	if finalizers := live.GetFinalizers(); len(finalizers) > 0 {
		a.state += " (finalizers: " + some(finalizers) + ")"
	}
	return false
}

func describeHealth(status, message string) string {
	const show = 200
	if len(message) > show {
		message = strings.ToValidUTF8(message[:show], "") + "…"
	}
	if message == "" {
		return status
	}
	return status + ": " + message
}

// see returns the object of a step as it is watched, or else, not often, as the API server has it. known is false if it
// cannot be told now; then state says why.
func (r *run) see(s *plan.Step, asked *time.Time, state *string) (live *unstructured.Unstructured, known bool) {
	gvk := s.Key.GroupKind().WithVersion(s.Version)
	if s.Desired != nil {
		gvk = s.Desired.GroupVersionKind()
	}
	if live, known := r.target.Live(r.whole(), gvk, s.Key.Namespace, s.Key.Name); known {
		return live, true
	}
	if now := r.Clock.Now(); asked.IsZero() || now.Sub(*asked) >= askEvery {
		*asked = now
		live, err := r.readObject(gvk, s.Key)
		if err == nil {
			return live, true
		}
		*state = "not seen: " + err.Error()
	}
	if *state == "" {
		*state = "not seen yet"
	}
	return nil, false
}

// describe says what is waited for, since when and until when.
func (g *gate) describe() string {
	const show = 3
	var texts []string
	for n, h := range g.hooks {
		if n == show && len(g.hooks) > show+1 {
			texts = append(texts, fmt.Sprintf("%d more hooks", len(g.hooks)-n))
			break
		}
		texts = append(texts, fmt.Sprintf("hook %s (%s, since %s, until %s)", h.step.Key, h.state, timeOf(h.since, h.since), timeOf(h.deadline, h.since)))
	}
	for n, a := range g.awaited {
		if n == show && len(g.awaited) > show+1 {
			texts = append(texts, fmt.Sprintf("%d more objects", len(g.awaited)-n))
			break
		}
		texts = append(texts, fmt.Sprintf("%s (%s, since %s, until %s)", a.step.Key, a.state, timeOf(g.since, g.since), timeOf(g.deadline, g.since)))
	}
	return "waiting for " + strings.Join(texts, ", ")
}

// timeOf is a time of day, with its date if that is not the one of the other.
func timeOf(t, other time.Time) string {
	t, other = t.UTC(), other.UTC()
	if t.Format(time.DateOnly) != other.Format(time.DateOnly) {
		return t.Format("2006-01-02 15:04:05") + " UTC"
	}
	return t.Format("15:04:05")
}
