// SPDX-License-Identifier: Apache-2.0

package application

import (
	"errors"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

// errCompany ends a running operation when another controller has appeared: two that sync undo each other's work.
var errCompany = errors.New("another application controller is at work")

// mayAct reports whether anything may be written: not while observing on purpose, nor beside another controller.
func (c *Controller) mayAct() bool {
	alone, _ := c.Alone()
	return !c.Observe && alone
}

// observed keeps what a pass found where nothing may be written: metrics tell it, and the log when it is new.
func (p *pass) observed() {
	if op := p.st.running; op != nil {
		op.cancel(errCompany)
	}
	now := &p.next.Status
	before := p.st.observed.Swap(now)
	if before == nil || before.Sync.Status != now.Sync.Status || before.Health.Status != now.Health.Status {
		p.log.Info("observed", "sync", now.Sync.Status, "health", now.Health.Status, "revision", now.Sync.Revision)
	}
}

// Status returns what is known of an application: what was last observed while nothing may be written, else what its
// resource says.
func (c *Controller) Status(app *v1alpha1.Application) *v1alpha1.ApplicationStatus {
	if st := c.states.peek(c.IDOf(app)); st != nil {
		if seen := st.observed.Load(); seen != nil {
			return seen
		}
	}
	return &app.Status
}
