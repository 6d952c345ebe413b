// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"time"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Windows are the sync windows of a project, or those of them that are about one application. The zero value has none.
type Windows struct{ list []*window }

// CompileWindows reads the sync windows of a project. It does not fail: what is wrong is told by Problems, and a window that
// cannot be read keeps closed what it is about until it is put right.
func CompileWindows(windows v1alpha1.SyncWindows) Windows {
	out := Windows{}
	for i, w := range windows {
		if w != nil {
			out.list = append(out.list, compileWindow(i, w))
		}
	}
	return out
}

// Of returns the windows that are about an application: any of its lists names it by a pattern, or, with andOperator, each
// of those it has. Clusters are compared with what the destination says, as it says it: a window that names a cluster by
// its URL is not about a destination that names it by its name.
func (w Windows) Of(app string, destination v1alpha1.ApplicationDestination) Windows {
	out := Windows{}
	for _, one := range w.list {
		if one.isAbout(app, destination) {
			out.list = append(out.list, one)
		}
	}
	return out
}

// Problems returns what is wrong with the windows of a project, each a fault.Mistake with its place in the list.
func (w Windows) Problems(project string) []error {
	var out []error
	add := func(i int, cause, fix string) {
		out = append(out, fault.New(fault.Mistake, "read", "AppProject "+project, fmt.Sprintf("spec.syncWindows[%d]", i), cause, fix))
	}
	seen := map[string]int{}
	for _, one := range w.list {
		if one.err != nil {
			add(one.index, one.err.Error(), "correct it; until then what the window is about is not synced")
			continue
		}
		for _, text := range one.warnings {
			add(one.index, text, "correct it")
		}
		if first, twice := seen[one.identity]; twice {
			add(one.index, fmt.Sprintf("it is the same as spec.syncWindows[%d]", first), "take one out")
		} else {
			seen[one.identity] = one.index
		}
	}
	return out
}

// Moment is when, and for what, windows are asked.
type Moment struct {
	Now time.Time
	// Manual says that a person asked for the sync.
	Manual bool
	// Started is when the operation began that is to go on; zero for one that is yet to begin.
	Started time.Time
}

// WindowState is what the windows of an application say at a moment.
type WindowState struct {
	// Open says that a sync may begin, or go on.
	Open bool
	// Reason says which window keeps it back and until when; "" if Open.
	Reason string
	// Overrun says that it may go on only because it began in time.
	Overrun bool
	// Next is a time before which the answer does not change; zero if it never does.
	Next time.Time
}

// Ask says whether windows permit a sync. An active deny window closes, unless a person asks and every active one permits
// that (manualSync). Else an active allow window opens. Else, if there are allow windows at all, none of which is active, it
// is closed, unless a person asks and every one permits that. An operation that began when it was open goes on if every window
// that closes has syncOverrun. A window that cannot be read closes in any case.
func (w Windows) Ask(at Moment) WindowState {
	out := WindowState{Next: w.next(at.Now)}
	by := w.closedBy(at.Now, at.Manual)
	if len(by) == 0 {
		out.Open = true
		return out
	}
	out.Overrun = w.overrun(by, at)
	out.Open = out.Overrun
	if !out.Open {
		out.Reason = explainClosed(by, at)
	}
	return out
}

// overrun reports whether an operation that is closed out by windows may go on because it began before they closed.
func (w Windows) overrun(by []*window, at Moment) bool {
	if at.Started.IsZero() || at.Started.After(at.Now) {
		return false
	}
	for _, one := range by {
		if one.err != nil || !one.overrun {
			return false
		}
	}
	return len(w.closedBy(at.Started, at.Manual)) == 0
}

// closedBy returns the windows that close at a time; none if it is open.
func (w Windows) closedBy(now time.Time, manual bool) []*window {
	var broken, denies, allows []*window
	active := false // an allow window
	for _, one := range w.list {
		switch {
		case one.err != nil:
			broken = append(broken, one)
		case one.deny && one.activeAt(now):
			denies = append(denies, one)
		case !one.deny:
			allows = append(allows, one)
			active = active || one.activeAt(now)
		}
	}
	switch {
	case len(broken) > 0:
		return broken
	case len(denies) > 0:
		return unlessManual(denies, manual)
	case active:
		return nil
	default:
		return unlessManual(allows, manual)
	}
}

// unlessManual returns the windows, or none if a person asks and each of them permits that.
func unlessManual(by []*window, manual bool) []*window {
	if !manual {
		return by
	}
	for _, one := range by {
		if !one.manual {
			return by
		}
	}
	return nil
}

// next returns the earliest time at which one of the windows begins or ends, or its time zone changes its offset.
func (w Windows) next(now time.Time) time.Time {
	var next time.Time
	for _, one := range w.list {
		if one.err != nil {
			continue
		}
		edge := one.edge(now)
		if _, end := now.In(one.zone).ZoneBounds(); !end.IsZero() && end.Before(edge) {
			edge = end
		}
		if next.IsZero() || edge.Before(next) {
			next = edge
		}
	}
	return next
}

// explainClosed says which window keeps a sync back, and until when.
func explainClosed(by []*window, at Moment) string {
	first, when := by[0], at.Now
	switch {
	case first.err != nil:
		return fmt.Sprintf("window %d of the project cannot be read: %s", first.index, first.err)
	case first.deny:
		for _, one := range by[1:] {
			if one.edge(when).After(first.edge(when)) {
				first = one
			}
		}
		return fmt.Sprintf("the deny window %s is open%s%s", first, first.shown(" until ", when), others(by))
	default:
		for _, one := range by[1:] {
			if one.edge(when).Before(first.edge(when)) {
				first = one
			}
		}
		return fmt.Sprintf("no allow window is open; the next, %s, opens%s%s", first, first.shown(" at ", when), others(by))
	}
}

func others(by []*window) string {
	if len(by) == 1 {
		return ""
	}
	return fmt.Sprintf(" (and %d more)", len(by)-1)
}

// WindowAt is one window at a moment.
type WindowAt struct {
	Index  int // in the project's list
	Active bool
}

// At says of each window whether it is active. One that cannot be read is: it keeps closed what it is about.
func (w Windows) At(now time.Time) []WindowAt {
	out := make([]WindowAt, len(w.list))
	for i, one := range w.list {
		out[i] = WindowAt{Index: one.index, Active: one.err != nil || one.activeAt(now)}
	}
	return out
}
