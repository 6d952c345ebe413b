// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // where the system has no time zones, as in a small image

	"github.com/robfig/cron/v3"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
)

// window is a SyncWindow that has been read.
type window struct {
	index                      int // in the project's list
	deny, manual, overrun, and bool
	applications               []object.Glob
	namespaces, clusters       []object.Glob
	schedule                   cron.Schedule
	length                     time.Duration
	zone                       *time.Location
	text, identity             string
	warnings                   []string // what is wrong and has no consequence here
	err                        error    // why it cannot be read
	unknown                    bool     // whom it is about cannot be read
}

// cronLine reads the five fields of a schedule: minute, hour, day of month, month, day of week.
var cronLine = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)

var (
	leapYear = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	never    = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
)

// maxDescription is how long a description may be.
const maxDescription = 255

func compileWindow(index int, w *v1alpha1.SyncWindow) *window {
	out := &window{
		index: index, deny: w.Kind == v1alpha1.SyncWindowKindDeny, manual: w.ManualSync, overrun: w.SyncOverrun, and: w.UseAndOperator,
		identity: fmt.Sprintf("%q", []string{w.Kind, w.Schedule, w.Duration, w.TimeZone, fmt.Sprint(w.UseAndOperator),
			strings.Join(w.Applications, "\x00"), strings.Join(w.Namespaces, "\x00"), strings.Join(w.Clusters, "\x00")}),
	}
	var problems [6]error
	out.applications, problems[0] = globs("applications", w.Applications)
	out.namespaces, problems[1] = globs("namespaces", w.Namespaces)
	out.clusters, problems[2] = globs("clusters", w.Clusters)
	out.unknown = together(problems[:]) != nil
	if w.Kind != v1alpha1.SyncWindowKindAllow && !out.deny {
		problems[3] = fmt.Errorf("kind is %q, and not allow or deny", w.Kind)
	}
	out.schedule, problems[4] = parseSchedule(w.Schedule)
	out.length, problems[5] = parseLength(w.Duration)
	out.err = together(problems[:])
	out.zone = out.location(w.TimeZone)
	if len(w.Applications)+len(w.Namespaces)+len(w.Clusters) == 0 {
		out.warnings = append(out.warnings, "it is about nothing: applications, namespaces and clusters are empty")
	}
	if len(w.Description) > maxDescription {
		out.warnings = append(out.warnings, fmt.Sprintf("description is longer than %d bytes", maxDescription))
	}
	out.text = fmt.Sprintf("%q for %s in %s", w.Schedule, w.Duration, out.zone)
	if w.Description != "" {
		out.text += fmt.Sprintf(" (%.*s)", maxDescription, strings.Join(strings.Fields(w.Description), " "))
	}
	return out
}

// together returns one error, on one line, for all that there are.
func together(problems []error) error {
	var texts []string
	for _, err := range problems {
		if err != nil {
			texts = append(texts, err.Error())
		}
	}
	if len(texts) == 0 {
		return nil
	}
	return errors.New(strings.Join(texts, "; "))
}

// String is how the window is shown to people.
func (w *window) String() string { return w.text }

func globs(field string, patterns []string) ([]object.Glob, error) {
	var out []object.Glob
	for _, text := range patterns {
		g, err := object.CompileGlob(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %q is not a valid pattern: %w", field, text, err)
		}
		out = append(out, g)
	}
	return out, nil
}

// parseSchedule reads a schedule that comes round at all.
func parseSchedule(text string) (cron.Schedule, error) {
	if strings.Contains(text, "TZ=") {
		return nil, fmt.Errorf("schedule %q names a time zone: use the field timeZone", text)
	}
	schedule, err := cronLine.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("schedule %q is not a cron expression of five fields: %w", text, err)
	}
	if schedule.Next(leapYear).IsZero() {
		return nil, fmt.Errorf("schedule %q never comes", text)
	}
	return schedule, nil
}

func parseLength(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("duration %q is not a duration such as 1h30m", text)
	}
	if d <= 0 {
		return 0, fmt.Errorf("duration %q is no time at all", text)
	}
	return d, nil
}

// location returns the time zone of a name; one that nobody knows is UTC, as in Argo CD.
func (w *window) location(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		w.warnings = append(w.warnings, fmt.Sprintf("time zone %q is not known: UTC counts", name))
		return time.UTC
	}
	return zone
}

// isAbout reports whether the window is about an application. One that does not say so in a way that can be read is about all.
func (w *window) isAbout(app string, d v1alpha1.ApplicationDestination) bool {
	if w.unknown {
		return true
	}
	set, met := 0, 0
	for _, list := range []struct {
		patterns []object.Glob
		values   []string
	}{{w.applications, []string{app}}, {w.clusters, []string{d.Name, d.Server}}, {w.namespaces, []string{d.Namespace}}} {
		if len(list.patterns) == 0 {
			continue
		}
		set++
		if anyMatches(list.patterns, list.values) {
			met++
		}
	}
	if w.and {
		return set > 0 && met == set
	}
	return met > 0
}

func anyMatches(patterns []object.Glob, values []string) bool {
	return slices.ContainsFunc(patterns, func(g object.Glob) bool {
		return slices.ContainsFunc(values, func(v string) bool { return v != "" && g.Match(v) })
	})
}

// wall returns what a clock in the window's time zone shows, as if it were UTC: schedules are read in the zone's offset of that
// moment, whatever it was or will be at another, as in Argo CD.
func (w *window) wall(t time.Time) time.Time {
	_, offset := t.In(w.zone).Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

// activeAt reports whether the window is open: it began in the last length of time, this very moment included.
func (w *window) activeAt(t time.Time) bool {
	wall := w.wall(t)
	return !w.startAfter(wall.Add(-w.length)).After(wall)
}

// startAfter returns the next start after a moment, or never: for some years there may be none.
func (w *window) startAfter(wall time.Time) time.Time {
	// Starts are on whole minutes; from the last second of one the library finds the next without counting seconds.
	if next := w.schedule.Next(wall.Truncate(time.Minute).Add(59 * time.Second)); !next.IsZero() {
		return next
	}
	return never
}

// maxChain bounds how many starts are followed one after another to find the end of a window that begins again before it ends.
const maxChain = 16

// edge returns when the window ends, if it is active, or else begins: after t, and with nothing of it in between as long as
// the offset of its time zone stays. Of one that seems to go on for ever it is some time at which it still does.
func (w *window) edge(t time.Time) time.Time {
	wall := w.wall(t)
	if !w.activeAt(t) {
		return t.Add(w.startAfter(wall).Sub(wall))
	}
	end := wall
	for range maxChain {
		last := w.lastStart(end)
		if until := last.Add(w.length); until.After(end) {
			end = until
		}
		if w.startAfter(last).After(end) {
			break
		}
	}
	return t.Add(end.Sub(wall))
}

// lastStart returns the last start at or before a moment, of which there is one within the length of the window.
func (w *window) lastStart(wall time.Time) time.Time {
	last := w.startAfter(wall.Add(-w.length))
	for from, to := last, wall; to.Sub(from) >= time.Minute; {
		middle := from.Add(to.Sub(from) / 2)
		if start := w.startAfter(middle); start.After(wall) {
			to = middle
		} else {
			last, from = start, start
		}
	}
	return last
}

// shown writes the next edge as the clocks of the window's time zone show it; "" if none is near.
func (w *window) shown(before string, t time.Time) string {
	edge := w.edge(t)
	if w.activeAt(t) && w.activeAt(edge) || edge.Year() >= never.Year() {
		return ""
	}
	return before + edge.In(w.zone).Format("2006-01-02 15:04") + " " + cmp.Or(w.zone.String(), "UTC")
}
