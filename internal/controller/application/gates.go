// SPDX-License-Identifier: Apache-2.0

package application

import "context"

// gates asks what keeps syncs back although something differs. Each is asked anew at every pass, and asks for another one
// when its answer may change by time alone.
func (p *pass) gates(ctx context.Context) {
	p.held = p.holdOff(ctx)
	p.settleNote()
	if !p.permitted() {
		return
	}
	p.nobody = p.unidentified(ctx)
	p.denied = p.closedWindow(ctx)
	if p.state == nil {
		return
	}
	p.awaits = p.awaited(ctx)
}
