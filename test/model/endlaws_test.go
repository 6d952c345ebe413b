// SPDX-License-Identifier: Apache-2.0

package model

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// says is about what the Application tells: it is never ahead of what is so.
func (r *replay) says(now status) {
	if now.sync == "Synced" && now.compared >= 0 && !r.equalled[now.compared] {
		r.wrong("green before it is so", "Synced at commit %d: %v", now.compared, r.same(now.compared, false))
	}
	if now.phase == "" || now.commit < 0 || now.partial {
		return
	}
	try := fmt.Sprintf("%s retry %d of %s (commit %d)", now.started, now.retries, now.revision, now.commit)
	r.takenOver(now)
	earlier := r.tries[try]
	r.tries[try], r.revisions[try] = now.phase, now.revision
	if now.retries > r.retries {
		r.wrong("more tries than the retry permits", "%s", try)
	}
	if now.phase != "Succeeded" || earlier == "Succeeded" {
		return
	}
	if err := r.completeInATry(now.commit, now); err != nil {
		r.wrong("an operation that succeeded with something left to do", "%s: %v", try, err)
	}
}

// takenOver is the law of supersession: only what is to be applied anew takes an operation over. The name of a try is
// <when it began>-<100 for each time that it was taken over, and 1 for each retry>-<what it applies>.
func (r *replay) takenOver(now status) {
	parts := strings.SplitN(now.try, "-", 3)
	if len(parts) < 3 {
		return
	}
	number, content := parts[1][:max(0, len(parts[1])-2)], parts[0]+parts[2]
	if first, known := r.numbers[content]; known && first != number {
		r.wrong("an operation taken over by what it was about already", "%s", now.try)
	}
	r.numbers[content] = number
}

// completeInATry looks at the try that the record names.
func (r *replay) completeInATry(k int, now status) error {
	err := r.complete(k, now.try)
	for _, try := range r.triesOf(k) {
		if err != nil && now.try == "" {
			err = r.complete(k, try)
		}
	}
	return err
}

// end is about how it all ends: the cluster is as the last commit, what hooks leave behind is what their policies say,
// and nothing was tried more often than asked for.
func (r *replay) end() {
	last := len(r.commits) - 1
	if err := r.same(last, false); err != nil {
		r.wrong("the end is not as in Git", "%v", err)
	}
	if a := r.app; a.phase != "Succeeded" || a.sync != "Synced" || a.commit != last || a.compared != last {
		r.wrong("the Application does not end well", "%s at commit %d, Synced is %q at commit %d: %s", a.phase, a.commit, a.sync, a.compared, a.message)
	}
	for _, e := range r.live {
		if e.finalizer {
			r.wrong("a hook left held", "%s", e)
		}
	}
	r.leftovers(last)
	tries := map[string][]string{}
	for _, try := range slices.Sorted(maps.Keys(r.revisions)) {
		revision := r.revisions[try]
		if tries[revision] = append(tries[revision], try); len(tries[revision]) > 1+r.retries {
			r.wrong("more tries than the retry permits", "%v", tries[revision])
		}
	}
}

// leftovers is about the hooks of the last commit, which succeeded.
func (r *replay) leftovers(last int) {
	for _, run := range r.runs {
		if run.version != last || !slices.Contains(r.triesOf(last)[:1], run.operation) {
			continue
		}
		e, there := r.live[key(run.kind, run.name)]
		there = there && !e.deleting && e.uid == run.uid
		newer := r.runOf(run.of, postSync, run.operation)
		switch {
		case run.of.has(succeeded) && there:
			r.wrong("a hook left behind against its policy", "%s: %v", e, run.of.policies)
		case !run.of.has(succeeded) && !there && !run.of.ttl && (newer == nil || newer == run):
			r.wrong("a hook gone against its policy", "%s: %v", run.event, run.of.policies)
		}
	}
}
