// SPDX-License-Identifier: Apache-2.0

package application

import "github.com/bowline-cd/bowline/api/argoproj/v1alpha1"

// Revision returns the revision that the last comparison of an application holds for, if that is newer than its status says: a
// commit that touches nothing the application reads is known at once, and written in the slow lane.
func (c *Controller) Revision(app *v1alpha1.Application) (revision string, revisions []string, newer bool) {
	id := c.IDOf(app)
	st := c.states.peek(id)
	if st == nil || !c.slow.has(id) && !st.isUrgent() || app.Status.Sync.Status == v1alpha1.SyncStatusCodeUnknown {
		return "", nil, false
	}
	state := c.Engine.Peek(id)
	if state == nil {
		return "", nil, false
	}
	revision, revisions = state.Revision(len(app.Spec.Sources) > 0)
	return revision, revisions, true
}

// has reports whether an application waits.
func (l *slowLane) has(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waiting[id]
}

// isUrgent reports whether what waited in the slow lane is about to be written.
func (s *appState) isUrgent() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.urgent
}

// Load returns how many applications of a cluster wait to be looked at, and how many are being looked at.
func (c *Controller) Load(server string) (waiting, running int64) {
	for _, st := range c.states.all() {
		switch on, waits := st.load(); {
		case on != server:
		case st.busy.Load():
			running++
		case waits:
			waiting++
		}
	}
	return waiting, running
}

// load returns the cluster that an application is on, and whether it waits to be looked at.
func (s *appState) load() (server string, waits bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.server, s.demanded || s.allDirty || s.urgent || s.finished != nil || len(s.dirty) > 0
}
