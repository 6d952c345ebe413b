// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"testing"

	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/fault"
)

func TestNoCallerTakesTheTurnsOfOthers(t *testing.T) {
	var all turns
	ann := auth.With(t.Context(), auth.Caller{Kind: auth.SSO, Subject: "ann"})
	var done []func()
	for range callerTurns {
		leave, err := all.take(ann)
		if err != nil {
			t.Fatal(err)
		}
		done = append(done, leave)
	}
	gone, cancel := context.WithCancel(ann)
	cancel()
	if _, err := all.take(gone); !fault.Is(err, fault.Retry) {
		t.Errorf("one more than there are turns: %v", err)
	}
	other, err := all.take(auth.With(t.Context(), auth.Caller{Kind: auth.SSO, Subject: "bob"}))
	if err != nil {
		t.Fatal(err)
	}
	other()
	done[0]()
	next, err := all.take(ann)
	if err != nil {
		t.Fatal(err)
	}
	next()
	done[1]()
	if len(all.byCaller) > 0 {
		t.Errorf("%d callers are remembered", len(all.byCaller))
	}
}
