// SPDX-License-Identifier: Apache-2.0

package sync

import (
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

// lookAtHooks looks at the hooks that run. Those that have ended are put on record first, then their objects may go. ended
// says that some have; an error stops the run.
func (g *gate) lookAtHooks() (ended bool, err error) {
	var over []*hook
	left := g.hooks[:0]
	for _, h := range g.hooks {
		if g.lookAtHook(h); h.ended {
			over = append(over, h)
			continue
		}
		left = append(left, h)
	}
	g.hooks = left
	if len(over) == 0 {
		return false, nil
	}
	if err := g.settle(g.describeEnd(over)); err != nil {
		g.hooks = append(g.hooks, over...) // whoever goes on looks at them again
		return false, err
	}
	if !g.KeepHooks && !g.work() {
		g.hooks = append(g.hooks, over...)
		return false, g.ctx.Err()
	}
	for _, h := range over {
		g.letGo(h)
	}
	return true, nil
}

func (g *gate) describeEnd(over []*hook) string {
	if len(over) == 1 {
		return fmt.Sprintf("hook %s has ended: %s", over[0].step.Key, over[0].state)
	}
	return fmt.Sprintf("%d hooks have ended", len(over))
}

// lookAtHook finds out whether a hook has ended, and how.
func (g *gate) lookAtHook(h *hook) {
	live, known := g.see(h.step, &h.asked, &h.state)
	if known && (live == nil || live.GetUID() != h.uid) {
		live, known = g.missing(h)
	}
	switch {
	case h.ended:
	case known && g.judge(h, live):
	case !g.Clock.Now().Before(h.deadline):
		g.end(h, fault.New(fault.Wait, "run", "hook "+h.step.Key.String(), "",
			fmt.Sprintf("it has not ended after %s (%s), and is deleted", g.HookWait, h.state), "see why it takes so long; bowline.sync.hookTimeout of argocd-cm is the limit"))
	}
}

// missing asks the API server about a hook that is not seen under its uid, and ends it if it is gone indeed.
func (g *gate) missing(h *hook) (live *unstructured.Unstructured, known bool) {
	live, err := g.readObject(h.step.Desired.GroupVersionKind(), h.step.Key)
	switch {
	case err != nil:
		h.state = "not seen: " + err.Error()
		return nil, false
	case live == nil || live.GetUID() != h.uid:
		h.state = "disappeared"
		g.end(h, disappeared(h.step))
		return nil, false
	}
	return live, true
}

// judge reads from a hook's object whether it has ended.
func (g *gate) judge(h *hook, live *unstructured.Unstructured) bool {
	status, judged := g.Health.Of(live)
	h.state = describeHealth(string(status.Status), status.Message)
	switch {
	case !judged:
		h.state = "it was made"
		g.succeed(h, resourceName(h.step.Key)+" was made; its kind has no health to wait for")
	case status.Status == v1alpha1.HealthStatusHealthy:
		message := status.Message
		if message == "" {
			message = resourceName(h.step.Key) + " succeeded"
		}
		g.succeed(h, message)
	case status.Status == v1alpha1.HealthStatusSuspended && asksForIt(h.step) && !runsOnce[h.step.Key.GroupKind()]: // a Job has not run yet
		g.succeed(h, resourceName(h.step.Key)+" is suspended by its own manifest")
	case status.Status == v1alpha1.HealthStatusDegraded:
		why := status.Message
		if why == "" {
			why = "it is Degraded"
		}
		g.end(h, fault.New(fault.Wait, "run", "hook "+h.step.Key.String(), "", why, "see its logs"))
	case live.GetDeletionTimestamp() != nil:
		return g.lost(h, live)
	default:
		return false
	}
	return true
}

// lostAfter is how long the object of a hook that is being deleted is given to come to its end before it is taken for lost:
// between the end of a Job's last Pod and its own there is a moment.
const lostAfter = 10 * time.Second

// lost ends a hook whose object was deleted before it ended: our finalizer still holds it, but nobody brings it to its end.
func (g *gate) lost(h *hook, live *unstructured.Unstructured) bool {
	h.state += ", being deleted"
	now := g.Clock.Now()
	switch {
	case stillEnds(live, now):
		h.lost = time.Time{}
	case h.lost.IsZero():
		h.lost = now
	case now.Sub(h.lost) >= lostAfter:
		g.end(h, fault.New(fault.Wait, "see the end of", "hook "+h.step.Key.String(), "", "it was deleted before it ended", "see who deletes it; the sync can be tried again"))
		return true
	}
	return false
}

// stillEnds reports whether an object that is being deleted may yet come to its end: a Job while it has Pods, a Pod in its
// grace period, anything else while somebody else's finalizer holds it.
func stillEnds(live *unstructured.Unstructured, now time.Time) bool {
	switch live.GetKind() {
	case "Job":
		active, _, _ := unstructured.NestedInt64(live.Object, "status", "active")
		return active > 0 || slices.Contains(live.GetFinalizers(), metav1.FinalizerDeleteDependents)
	case "Pod":
		return now.Before(live.GetDeletionTimestamp().Time)
	default:
		return len(live.GetFinalizers()) > 1
	}
}

func (g *gate) succeed(h *hook, message string) {
	h.ended = true
	g.report.ended(h.i, message, nil)
}

func (g *gate) end(h *hook, err error) {
	h.ended = true
	g.report.ended(h.i, "", err)
}

// letGo takes the finalizer off the object of a hook whose end is on record. One that is past its deadline is deleted: it may
// run still.
func (g *gate) letGo(h *hook) {
	if g.KeepHooks {
		return
	}
	act := g.free
	if !g.Clock.Now().Before(h.deadline) {
		act = g.remove
	}
	g.onHook(h.step, func(live *unstructured.Unstructured) bool { return live.GetUID() == h.uid }, act)
}
