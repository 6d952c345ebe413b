// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"strings"
	"time"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/object"
)

// AutoSync is what the decision about an automated sync is made of.
type AutoSync struct {
	Policy *v1alpha1.SyncPolicy
	// Operating says that an operation is asked for or under way, Deleting that the Application is being deleted.
	Operating, Deleting bool

	Status v1alpha1.SyncStatusCode
	// Revision, or Revisions for an application with several sources, is the resolved one that Status is about.
	Revision  string
	Revisions []string
	// Source, or Sources, are those of the spec.
	Source  v1alpha1.ApplicationSource
	Sources v1alpha1.ApplicationSources
	// Unchanged says that the commits since the last sync do not change what this application renders to: then only
	// the sources are compared, not the revisions.
	Unchanged bool
	Resources []Resource
	// Last is the record of the running or last operation.
	Last *v1alpha1.OperationState

	// Conditions are those of the application; errors among them stop an automated sync.
	Conditions []v1alpha1.ApplicationCondition
	// Unreachable says that a ComparisonError among them means only that the source cannot be reached now. It does not
	// stop a sync: what is desired is the last resolved revision, under its own name.
	Unreachable bool
	// NoAccount is why nothing may be sent to the destination: impersonation is asked for, and the project names no service
	// account. "" if it may.
	NoAccount string
	// Denied is why a sync window does not permit an automated sync now; "" if it does.
	Denied string
	// Hold is why a rollback keeps the present desired state from being applied by itself; "" if none does.
	Hold string
	// Awaits is which application has to be ready first, and why it is not; "" if none. It does not stop a self-heal.
	Awaits string
	// Served says that a kind which the last attempt lacked is served by now.
	Served bool
	// Freed says that an object which the last sync left to another application may be taken now.
	Freed bool
	// Approved says that a person has approved the deletions that wait, since they were noted.
	Approved bool

	Now     time.Time
	Backoff SelfHealBackoff
}

// Resource is one object as the comparison saw it.
type Resource struct {
	Key             object.Key
	Status          v1alpha1.SyncStatusCode // "" for what carries no verdict, such as hooks
	RequiresPruning bool
	// Held says that a sync would leave the object as it is: its deletion waits for an approval or is under way, or it is
	// another application's.
	Held bool
	// Kept says that the object, which is no longer desired, asks not to be pruned. It is told by the sync of a revision, and
	// no reason for a self-heal, which would do nothing, again and again.
	Kept bool
}

// SelfHealBackoff is the time between self-heals of one revision: nothing before the first, then First, First×Factor
// and so on up to Cap, counted from the end of the last operation. The zero value stands for 2s, 3 and 300s.
type SelfHealBackoff struct {
	First  time.Duration
	Factor int64
	Cap    time.Duration
}

// Decision is whether an automated sync begins now, and why or why not.
type Decision struct {
	Sync   bool
	Rule   string // the name of the rule that decided; "" if none objected
	Reason string
	// SelfHeal says that the sync is to a revision that was synced before; then it is limited to Resources and is the
	// Attempt-th in a row.
	SelfHeal  bool
	Resources []v1alpha1.SyncOperationResource
	Attempt   int64
	// Wait is when to decide again, if only time is missing.
	Wait time.Duration
	// Condition goes on the application; nil if none.
	Condition *v1alpha1.ApplicationCondition
}

// check is one rule. It returns nil if the next one is to decide.
type check struct {
	name   string
	decide func(*AutoSync) *Decision
}

// RulePolicy is the rule that decides when automated sync is off.
const RulePolicy = "policy"

// checks are the rules in the order in which they are asked.
var checks = []check{
	{RulePolicy, policyOff},
	{"operation", otherOperation},
	{"deletion", beingDeleted},
	{"errors", hasErrors},
	{"status", notOutOfSync},
	{"hold", onHold},
	{"account", withoutAccount},
	{"window", windowClosed},
	{"prune only", onlyPruning},
	{"held", onlyHeld},
	{"attempted", attempted},
	{"dependency", awaitsOther},
	{"empty", wouldEmpty},
}

// Decide says whether an automated sync begins now. The rules are Argo CD's: it begins when the application is
// OutOfSync and this revision, from these sources, was not tried before; an attempt that failed is final for them, one that
// succeeded is repeated only to heal, for the objects that differ, with growing pauses.
func Decide(in AutoSync) Decision {
	var again *Decision
	for _, c := range checks {
		d := c.decide(&in)
		if d == nil {
			continue
		}
		d.Rule = c.name
		if !d.Sync {
			return *d
		}
		again = d // unless a later rule objects
	}
	if again != nil {
		return *again
	}
	return Decision{Sync: true, Reason: "OutOfSync at a revision that was not synced before"}
}

// Operation returns the operation that carries out the decision.
func (d Decision) Operation(in AutoSync) *v1alpha1.Operation {
	op := &v1alpha1.Operation{
		Sync: &v1alpha1.SyncOperation{
			Revision: in.Revision, Revisions: in.Revisions, Prune: in.prune(),
			SyncOptions: in.Policy.SyncOptions, Resources: d.Resources, SelfHealAttemptsCount: d.Attempt,
		},
		InitiatedBy: v1alpha1.OperationInitiator{Automated: true},
		Retry:       AutomatedRetry(in.Policy.Retry),
	}
	return op
}

func isTrue(b *bool) bool { return b != nil && *b }

// Automated reports whether a policy has syncs begin by themselves.
func Automated(policy *v1alpha1.SyncPolicy) bool {
	return (&AutoSync{Policy: policy}).automated() != nil
}

func (in *AutoSync) automated() *v1alpha1.SyncPolicyAutomated {
	if in.Policy == nil || in.Policy.Automated == nil {
		return nil
	}
	if enabled := in.Policy.Automated.Enabled; enabled != nil && !*enabled {
		return nil
	}
	return in.Policy.Automated
}

func (in *AutoSync) prune() bool {
	a := in.automated()
	return a != nil && isTrue(a.Prune)
}

// target names the revision for people.
func (in *AutoSync) target() string {
	if len(in.Revisions) > 0 {
		return strings.Join(in.Revisions, ", ")
	}
	return in.Revision
}

func no(format string, args ...any) *Decision { return &Decision{Reason: fmt.Sprintf(format, args...)} }

func refuse(format string, args ...any) *Decision {
	d := no(format, args...)
	d.Condition = &v1alpha1.ApplicationCondition{Type: v1alpha1.ApplicationConditionSyncError, Message: d.Reason}
	return d
}
