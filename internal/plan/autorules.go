// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"
	"time"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
)

func policyOff(in *AutoSync) *Decision {
	if in.automated() == nil {
		return no("automated sync is off")
	}
	return nil
}

func otherOperation(in *AutoSync) *Decision {
	running := in.Last != nil && (in.Last.Phase == v1alpha1.OperationRunning || in.Last.Phase == v1alpha1.OperationTerminating)
	if in.Operating || running {
		return no("another operation is under way")
	}
	return nil
}

func beingDeleted(in *AutoSync) *Decision {
	if in.Deleting {
		return no("the application is being deleted")
	}
	return nil
}

func hasErrors(in *AutoSync) *Decision {
	for _, c := range in.Conditions {
		switch {
		case !c.Type.IsError(), c.Type == v1alpha1.ApplicationConditionSyncError:
			// A SyncError is what an earlier decision or operation said; this one judges anew.
		case c.Type == v1alpha1.ApplicationConditionDependencyError: // keeps new revisions back, see awaitsOther
		case c.Type == v1alpha1.ApplicationConditionComparisonError && in.Unreachable:
		default:
			return no("the application has an error: %s: %s", c.Type, c.Message)
		}
	}
	return nil
}

func notOutOfSync(in *AutoSync) *Decision {
	if in.Status != v1alpha1.SyncStatusCodeOutOfSync {
		return no("the application is %s", in.Status)
	}
	return nil
}

// withoutAccount is asked before each sync, and not found out by one that fails: its failure would be final for the revision.
func withoutAccount(in *AutoSync) *Decision {
	if in.NoAccount != "" {
		return refuse("%s", in.NoAccount)
	}
	return nil
}

func windowClosed(in *AutoSync) *Decision {
	if in.Denied != "" {
		return no("blocked by sync window: %s", in.Denied)
	}
	return nil
}

func onHold(in *AutoSync) *Decision {
	if in.Hold != "" {
		return no("%s", in.Hold)
	}
	return nil
}

// awaitsOther keeps a new revision waiting for what it depends on; what was synced before is healed in any case.
func awaitsOther(in *AutoSync) *Decision {
	if in.Awaits == "" || in.tried() {
		return nil
	}
	d := no("waits for what it depends on: %s", in.Awaits)
	d.Condition = &v1alpha1.ApplicationCondition{Type: v1alpha1.ApplicationConditionDependencyWarning, Message: d.Reason}
	return d
}

// differing returns the objects that are not as they should be.
func (in *AutoSync) differing() []Resource {
	return slices.DeleteFunc(slices.Clone(in.Resources), func(r Resource) bool {
		return r.Status == v1alpha1.SyncStatusCodeSynced || r.Status == ""
	})
}

func onlyPruning(in *AutoSync) *Decision {
	differing := in.differing()
	if in.prune() || len(differing) == 0 {
		return nil
	}
	if slices.ContainsFunc(differing, func(r Resource) bool { return !r.RequiresPruning }) {
		return nil
	}
	return no("only pruning is needed, and automated pruning is off")
}

func onlyHeld(in *AutoSync) *Decision {
	differing := in.differing()
	if in.Approved || len(differing) == 0 || slices.ContainsFunc(differing, func(r Resource) bool { return !r.Held }) {
		return nil
	}
	return no("what differs is on its way out, or left as it is until a person decides: %s", keysText(differing))
}

func keysText(resources []Resource) string {
	texts := make([]string, 0, len(resources))
	for _, r := range resources {
		texts = append(texts, r.Key.String())
	}
	return first(texts)
}

// attempted decides about a revision that was tried before.
func attempted(in *AutoSync) *Decision {
	if !in.tried() {
		return nil
	}
	if !in.Last.Phase.Successful() && in.Served {
		return &Decision{Sync: true, Reason: "a kind that the last attempt lacked is served by now"}
	}
	if !in.Last.Phase.Successful() {
		return refuse("the last attempt to sync to %s failed and will not be retried by itself until something new is pushed: %s",
			in.target(), in.Last.Message)
	}
	if in.Approved {
		return &Decision{Sync: true, Reason: "deletions that waited were approved"}
	}
	if in.Freed {
		return &Decision{Sync: true, Reason: "another application let go of an object"}
	}
	if !isTrue(in.automated().SelfHeal) {
		return no("the last sync was to %s already, and self-heal is off", in.target())
	}
	return in.heal()
}

// tried reports whether the last operation was a sync of this revision from these sources.
func (in *AutoSync) tried() bool {
	last := in.Last
	if last == nil {
		return false
	}
	if last.Operation.Sync == nil {
		return false
	}
	if last.SyncResult == nil {
		// It ended before it could say what it synced: then what was asked for counts, or beginning again by itself would
		// never end. An automated operation always names it.
		return last.Phase.Completed() && in.asked(last.Operation.Sync)
	}
	if len(in.Sources) > 0 {
		return (in.Unchanged || slices.Equal(last.SyncResult.Revisions, in.Revisions)) && equal(last.SyncResult.Sources, in.Sources)
	}
	return (in.Unchanged || last.SyncResult.Revision == in.Revision) && equal(last.SyncResult.Source, in.Source)
}

// asked reports whether a sync was asked for at this revision.
func (in *AutoSync) asked(op *v1alpha1.SyncOperation) bool {
	if len(in.Sources) > 0 {
		return slices.Equal(op.Revisions, in.Revisions)
	}
	return op.Revision == in.Revision
}

// equal compares as the resource stores them: an empty list and none are the same there.
func equal(a, b any) bool { return object.DigestOf(a) == object.DigestOf(b) }

// heal plans a self-heal of the objects that differ, once the pause since the last operation is over.
func (in *AutoSync) heal() *Decision {
	heals, differing := in.toHeal(), in.differing()
	if len(heals) == 0 && len(differing) > 0 {
		return no("the last sync was to %s already, and what differs is left as it is: %s", in.target(), keysText(differing))
	}
	var attempts int64
	if in.Last.Operation.Sync != nil {
		attempts = in.Last.Operation.Sync.SelfHealAttemptsCount
	}
	end := in.Last.StartedAt.Time
	if in.Last.FinishedAt != nil {
		end = in.Last.FinishedAt.Time
	}
	if wait := in.Backoff.remaining(attempts, end, in.Now); wait > 0 {
		d := no("self-heal %d of %s follows in %s", attempts+1, in.target(), wait.Round(time.Second/10))
		d.Wait = wait
		return d
	}
	return &Decision{Sync: true, SelfHeal: true, Attempt: attempts + 1, Reason: "the cluster differs from " + in.target(), Resources: heals}
}

// toHeal selects the objects that differ and that a sync may make right.
func (in *AutoSync) toHeal() []v1alpha1.SyncOperationResource {
	var out []v1alpha1.SyncOperationResource
	for _, r := range in.differing() {
		if !r.Held && !r.Kept {
			out = append(out, v1alpha1.SyncOperationResource{Group: r.Key.Group, Kind: r.Key.Kind, Name: r.Key.Name})
		}
	}
	return out
}

// Widen returns the selection of a self-heal that is tried again: what it was begun for, and what differs by now. What it
// needs may have gone after it was begun, such as the namespace of its objects.
func Widen(selection []v1alpha1.SyncOperationResource, in AutoSync) []v1alpha1.SyncOperationResource {
	out := slices.Clone(selection)
	for _, r := range in.toHeal() {
		if !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	return out
}

// remaining returns how long the pause before the next self-heal still lasts.
func (b SelfHealBackoff) remaining(attempts int64, end, now time.Time) time.Duration {
	if b == (SelfHealBackoff{}) {
		b = SelfHealBackoff{First: 2 * time.Second, Factor: 3, Cap: 300 * time.Second}
	}
	if attempts <= 0 {
		return 0
	}
	if end.After(now.Add(clockSkew)) {
		return 0 // a time in the future is nobody's end
	}
	return max(0, backoff(b.First, b.Factor, attempts-1, b.Cap)-now.Sub(end))
}

// wouldEmpty keeps a source that suddenly has nothing from deleting all.
func wouldEmpty(in *AutoSync) *Decision {
	if !in.prune() || isTrue(in.automated().AllowEmpty) || len(in.Resources) == 0 {
		return nil
	}
	if slices.ContainsFunc(in.Resources, func(r Resource) bool { return !r.RequiresPruning }) {
		return nil
	}
	return refuse("a sync to %s would delete all objects of the application; set spec.syncPolicy.automated.allowEmpty if that is meant",
		in.target())
}
