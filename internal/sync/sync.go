// SPDX-License-Identifier: Apache-2.0

// Package sync carries out a plan on one cluster and says what became of each object.
//
// The words of this room:
//
//   - Target: the cluster a plan is carried out on, reduced to the calls that are needed.
//   - Run: one try of a sync. It checks the whole plan first; if anything is wrong with it, nothing is applied. After that
//     one object that is refused fails the sync, but the rest of its wave is done; later waves are not begun.
//   - Outcome: what became of one object.
//   - Fallback: writing an object as client-side apply does, because server-side apply does not take it.
//   - Rehearsal: sending an object as a dry run before anything is applied, to find what is wrong with it.
//   - Recreate: deleting an object and creating it anew, for the option Force.
//   - Retryable: said of a sync that failed in a way that may pass by itself.
//   - Hook: an object that is made once in each try, for what it does. Its outcome is seen by its UID, and noted in the record
//     of the operation before the object may go.
//   - Record: what the Application's status says of the operation. It is all that another process has to go on with.
//   - Durable: said of progress that is on record before the run goes on.
//   - Gate: what a wave waits for after its steps.
//   - Rest: a wait, during which the run holds no place among those that work.
//
// A run is stopped by its context, and then stops between two objects: what was begun with one object is finished, so
// that no object is adopted and not applied, or deleted and not created. A hook that runs then is left alone, for whoever
// goes on with the operation, unless the cause says ErrEndHooks.
package sync

import (
	"context"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/clock"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/health"
	"github.com/bowline-cd/bowline/internal/object"
)

// Options are how a plan is carried out. Clock, Permit and App are required.
type Options struct {
	// App is the instance name of the application: only objects with its tracking mark are deleted.
	App string
	// Tracker reads whose mark a live object carries: a hook's object that is somebody else's is never replaced.
	Tracker object.Tracker
	// Permit decides whether the project permits an object on this cluster. It is asked for every object at every run,
	// prunes included.
	Permit func(key object.Key, namespaced bool) error
	// Automated says that nobody asked for the sync. Then the first apply of an object that other programs wrote
	// before takes away only fields that were declared once (see diff.Folded).
	Automated bool
	// Attempt says the how manieth self-heal in a row this is, 0 if it is none; from the third on messages name who keeps
	// changing an object.
	Attempt int64
	// DryRun sends everything as a dry run and changes nothing.
	DryRun bool
	// ValidateByDryRun sends each object as a dry run before anything is applied, not only those that change what is there
	// together with others.
	ValidateByDryRun bool

	// Rules and Schema are what comparisons use; nil Rules stand for Argo CD's defaults, a nil Schema for built-in
	// kinds only. Adopt names the earlier writers whose fields are taken over; nil means diff.DefaultAdopt.
	Rules  *diff.Rules
	Schema func(ctx context.Context, gvk schema.GroupVersionKind) (*diff.Schema, error)
	Adopt  []string

	// Health judges the objects that a later step waits for; nil knows the rules that need no settings.
	Health *health.Judge

	// Learn is told what the cluster made of an object, from several goroutines; nil if nobody wants to know.
	Learn func(Learned)
	// Images returns the images an object names, for the record; nil for none.
	Images func(*unstructured.Unstructured) []string

	// Operation names this try of the operation: it is written on the objects of hooks (bowline.dev/operation), so that a run
	// which goes on after a crash knows those that it made itself. Required if the plan has hooks.
	Operation string
	// Before is what the record says of this very try, from a run that was cut off: a hook that has ended there is not run
	// again. nil if the try begins.
	Before v1alpha1.ResourceResults
	// KeepHooks leaves the objects of hooks as they are when these have ended, finalizers included: whoever began the run sees
	// to both. It is for hooks whose end is not noted in an operation's record.
	KeepHooks bool
	// Record is told how far the run is. If durable it returns when that is on record; an error, which ctx's end is among,
	// stops the run. Else it returns at once, and what it was told may be overtaken by the next. nil: nobody wants to know.
	Record func(ctx context.Context, p Progress, durable bool) error
	// Blocked is asked before each wave whether the run may go on: it returns why not, "" if it may. A run that may not waits
	// and asks again. nil: it may.
	Blocked func() string
	// Hold is called before hooks are begun, and end when they have ended and that is on record: in between nothing but
	// ErrEndHooks may stop the run. If ok is false the run is to stop instead. nil: it may always.
	Hold func() (end func(), ok bool)
	// Rest is called when the run begins to wait, and resume before it works again; resume fails if ctx ends. nil: nothing is
	// given up.
	Rest func() (resume func(ctx context.Context) error)
	// Changed tells that an object of the application changed, so that waits need not ask. nil: they ask.
	Changed <-chan struct{}

	Clock clock.Clock
	// Parallel is how many objects are written at once; 0 means 16. The target has a limit of its own.
	Parallel int
	// Wait bounds how long is waited for a custom resource definition to be established and for an object to be gone
	// before it is created anew; 0 means one minute. HealthWait does so for the gate of a wave, 0 means one hour, and HookWait
	// for a hook, 0 means a day.
	Wait, HealthWait, HookWait time.Duration
	// WaveDelay is a pause between two waves; 0 for none.
	WaveDelay time.Duration
}

// ErrEndHooks is a cause for which the context of a run ends: hooks that run are deleted. Other errors may wrap it.
var ErrEndHooks = errors.New("running hooks are ended")

// Progress is how far a run is.
type Progress struct {
	// Message says what is done or waited for, since when and until when.
	Message string
	// Resources holds an entry for each object that was begun.
	Resources v1alpha1.ResourceResults
}

// Learned is what the cluster made of a desired object.
type Learned struct {
	Key      object.Key
	Accepted diff.Accepted
	Answer   *unstructured.Unstructured
}

// Result is how a run ended.
type Result struct {
	// Phase is Succeeded, or Failed if an object was refused, or Error if it could not be tried.
	Phase   v1alpha1.OperationPhase
	Message string
	// Resources holds one entry for each object of the plan that something is to be said of, in the plan's order.
	Resources v1alpha1.ResourceResults
	// Conditions belong on the application.
	Conditions []v1alpha1.ApplicationCondition
	// Retryable says that a later try may succeed without anybody changing anything.
	Retryable bool
	// Stopped says that the context ended before all was begun.
	Stopped bool
	// Changed counts the objects that are different now.
	Changed int
}

const (
	defaultParallel   = 16
	defaultWait       = time.Minute
	defaultHealthWait = time.Hour
	defaultHookWait   = 24 * time.Hour
	pollEvery         = 200 * time.Millisecond
)

func (o Options) withDefaults() Options {
	if o.Parallel == 0 {
		o.Parallel = defaultParallel
	}
	if o.Wait == 0 {
		o.Wait = defaultWait
	}
	if o.HealthWait == 0 {
		o.HealthWait = defaultHealthWait
	}
	if o.HookWait == 0 {
		o.HookWait = defaultHookWait
	}
	if o.Permit == nil {
		o.Permit = func(key object.Key, _ bool) error {
			return fault.New(fault.Bug, "apply", key.String(), "", "nobody says what the project permits", "")
		}
	}
	return o
}
