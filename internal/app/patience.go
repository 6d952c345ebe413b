// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"time"

	"github.com/bowline-cd/bowline/internal/desired"
	"github.com/bowline-cd/bowline/internal/fault"
)

// patience is how long a reconcile waits for a repository. There are fewer places to reconcile in than applications: one
// repository that hangs must not fill them.
const patience = 10 * time.Second

// within asks a repository and waits for as long as a reconcile may. What takes longer goes on beside it, so that a
// large fetch comes to its end, and wakes the applications of the repository when it has.
func within[T any](ctx context.Context, s *sources, repo desired.Repo, ask func(context.Context) (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	done := make(chan answer, 1)
	go func() {
		value, err := ask(s.ctx)
		done <- answer{value, err}
	}()
	timer := realClock.NewTimer(patience)
	defer timer.Stop()
	var none T
	select {
	case a := <-done:
		return a.value, translate(a.err)
	case <-ctx.Done():
		return none, context.Cause(ctx)
	case <-timer.C():
	}
	go func() {
		<-done
		if s.applications != nil {
			s.applications.Enqueue(s.engine.Following(func(c desired.Commit) bool { return c.Repo == repo })...)
		}
	}()
	return none, unreachable{fault.New(fault.Retry, "read", "repository "+fault.RedactURL(repo.URL), "", "no answer within "+patience.String()+"; it is still being waited for",
		"see whether the server is overloaded, or the repository very large")}
}
