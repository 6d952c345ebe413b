// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"time"
)

// rememberEvery is how often the revisions of applications that no commit touched, and what was learned of their objects,
// are written to the data folder.
const rememberEvery = 30 * time.Second

// remember writes what applications were last resolved to, and what API servers made of their objects, now and then and at
// the end, so that a restart while Git is down knows what stands and needs no dry runs.
func (r *roles) remember(ctx context.Context) error {
	ticker := time.NewTicker(rememberEvery)
	defer ticker.Stop()
	for {
		done := false
		select {
		case <-ctx.Done():
			done = true
		case <-ticker.C:
		}
		if err := r.engine.Flush(); err != nil {
			r.log.Warn("write the resolved revisions to the data folder", "error", err)
		}
		if err := r.accepted.Flush(); err != nil {
			r.log.Warn("write what API servers made of objects to the data folder", "error", err)
		}
		if done {
			return nil
		}
		r.tidy(ctx)
	}
}

// tidy removes mirrors that no application follows any more.
func (r *roles) tidy(ctx context.Context) {
	if !r.apps.Leading() {
		return
	}
	n, err := r.apps.Count(ctx)
	if err == nil {
		err = r.sources.retain(n)
	}
	if err != nil {
		r.log.Warn("remove mirrors that nobody follows", "error", err)
	}
}
