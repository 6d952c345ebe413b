// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/plan"
)

// An object that moves from one application's source to another's in one commit changes hands without being deleted.
// The former owner may be looked at before the new one: so it deletes nothing before everybody who may have come to
// desire the object was looked at, and the new owner does not give up before the former one was.

// letGoPatience is how long a deletion waits for other applications to be looked at; then the sync is tried again.
const letGoPatience = 30 * time.Second

// letGoEvery is how often it is looked whether they have been.
const letGoEvery = 50 * time.Millisecond

// claimedError says that an object which one application no longer desires is desired by another.
type claimedError struct {
	key object.Key
	app string
}

func (e *claimedError) Error() string {
	return fmt.Sprintf("%s is desired by application %s, which takes it over", e.key, e.app)
}

// letGo returns nil if an object that an application no longer desires is desired by nobody else. It waits until that is
// known, as long as ctx lasts.
func (c *Controller) letGo(ctx context.Context, id, server string, key object.Key) error {
	deadline := c.Clock.Now().Add(letGoPatience)
	for {
		late, err := c.latest(ctx, id)
		if app := c.claimant(ctx, server, key, id); app != "" {
			return &claimedError{key, app}
		}
		switch {
		case err != nil:
			return fault.Wrap(fault.Retry, "delete", key.String(), err, "")
		case late == "":
			return nil
		case c.Clock.Now().After(deadline):
			return fault.New(fault.Retry, "delete", key.String(), "", "application "+late+" may have taken it over and was not looked at yet", "")
		}
		select {
		case <-ctx.Done():
			return fault.New(fault.Retry, "delete", key.String(), "", "the sync was stopped while it waited for application "+late, "")
		case <-c.Clock.After(letGoEvery):
		}
	}
}

// claimant returns a living application other than id that desires an object; "" if there is none.
func (c *Controller) claimant(ctx context.Context, server string, key object.Key, id string) string {
	for _, other := range c.wanted.of(server, key) {
		if other == id {
			continue
		}
		app := &v1alpha1.Application{}
		err := c.Client.Get(ctx, c.nameOf(other), app, client.UnsafeDisableDeepCopy)
		if apierrors.IsNotFound(err) || err == nil && !app.DeletionTimestamp.IsZero() {
			continue
		}
		return other
	}
	return ""
}

// latest is late, asked no more often than letGoEvery for one application: it goes through all of them, and a sync may delete
// thousands of objects. Whoever has news after that has them after the deletion was planned.
func (c *Controller) latest(ctx context.Context, id string) (string, error) {
	st, now := c.states.peek(id), c.Clock.Now()
	if st.nobodyWasLate(now) {
		return "", nil
	}
	late, err := c.late(ctx, id)
	if err == nil && late == "" {
		st.nobodyIsLate(now)
	}
	return late, err
}

// late returns an application whose newest desired state is not known yet; "" if there is none.
func (c *Controller) late(ctx context.Context, id string) (string, error) {
	apps, err := c.list(ctx)
	if err != nil {
		return "", err
	}
	behind := c.Engine.Behind(id)
	for i := range apps {
		app := &apps[i]
		other := c.IDOf(app)
		if other == id || !app.DeletionTimestamp.IsZero() || app.Annotations[v1alpha1.AnnotationKeyAppSkipReconcile] == "true" {
			continue
		}
		if st := c.states.peek(other); st == nil || st.isLate() || slices.Contains(behind, other) {
			return other, nil
		}
	}
	return "", nil
}

// awaitsFormerOwner reports whether an object is refused only because its former owner was not looked at yet.
func (p *pass) awaitsFormerOwner() bool {
	var behind []string
	for _, r := range p.st.table.among(p.st.table.sums.told) {
		if r.shared == "" {
			continue
		}
		if behind == nil {
			behind = p.Engine.Behind(p.st.id)
		}
		if st := p.states.peek(r.shared); st != nil && (st.isLate() || slices.Contains(behind, r.shared)) {
			return true
		}
	}
	return false
}

// refusedBy returns the objects that a plan leaves to other applications.
func refusedBy(work plan.Plan) []object.Key {
	var out []object.Key
	for _, s := range work.Steps() {
		if s.Action == plan.Refuse {
			out = append(out, s.Key)
		}
	}
	return out
}

// freed reports whether an object that the last sync left to another application may be taken now.
func (s *appState) freed() bool {
	return slices.ContainsFunc(s.refused, func(k object.Key) bool { r := s.table.rows[k]; return r != nil && r.counts() && r.shared == "" })
}

// Look asks for a pass over applications whose sources have news. Until it is done they count as late.
func (c *Controller) Look(ids ...string) {
	for _, id := range ids {
		if st := c.states.peek(id); st != nil {
			st.setLate()
		}
	}
	c.Enqueue(ids...)
}

// nobodyWasLate reports whether it was found out a moment ago that no other application was late. There may be no state.
func (s *appState) nobodyWasLate(now time.Time) bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return now.Sub(s.nobodyLateAt) < letGoEvery
}

// nobodyIsLate notes what nobodyWasLate tells.
func (s *appState) nobodyIsLate(now time.Time) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nobodyLateAt = now
}

// setLate notes that there is news which no pass has seen.
func (s *appState) setLate() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.news++
}

// newsSeen returns what a pass that begins now has seen once it ended; see looked.
func (s *appState) newsSeen() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.news
}

// looked notes that a pass ended which began when so much news was there, and what it found. It reports whether that is more
// than was known before.
func (s *appState) looked(seen int, found v1alpha1.SyncStatusCode) (news bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	news = !s.everLooked || s.lookedAt != seen || s.foundCode != found
	s.lookedAt, s.everLooked, s.foundCode = seen, true, found
	return news
}

// isLate reports whether there is news that no pass has seen.
func (s *appState) isLate() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.everLooked || s.lookedAt != s.news
}
