// SPDX-License-Identifier: Apache-2.0

// Package company notices another application controller at work on the same control namespace. Two controllers that
// run operations on the same Applications undo each other's work, so Bowline only observes while it has company.
//
// The words of this room:
//
//   - Company: a Deployment or StatefulSet of Argo CD's application controller that is not scaled to zero.
//   - Alone: proven absence of company. What cannot be checked is not alone.
package company

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/internal/fault"
)

// componentLabel is on every workload of Argo CD; the value names the part.
const (
	componentLabel = "app.kubernetes.io/component"
	componentValue = "application-controller"
)

// interval is how often company is looked for. Argo CD's controller takes longer than this to start and sync.
const interval = 5 * time.Second

// patience is how many looks in a row may get no answer before that counts as company: an API server that is in trouble
// for a moment is no other controller, and one that starts meanwhile takes longer than this to act.
const patience = 3

// Watcher remembers whether Bowline is alone.
type Watcher struct {
	reader    client.Reader
	namespace string
	log       *slog.Logger
	onChange  func()
	missed    int                    // looks in a row that got no answer
	reason    atomic.Pointer[string] // nil before the first check; "" when alone
}

// NewWatcher returns a Watcher of a control namespace. onChange is called after every change of the answer.
func NewWatcher(reader client.Reader, namespace string, log *slog.Logger, onChange func()) *Watcher {
	return &Watcher{reader: reader, namespace: namespace, log: log, onChange: onChange}
}

// Alone reports whether Bowline may act, and if not why.
func (w *Watcher) Alone() (bool, string) {
	reason := w.reason.Load()
	if reason == nil {
		return false, "it is not known yet whether another application controller is at work"
	}
	return *reason == "", *reason
}

// Start checks until ctx ends. It implements manager.Runnable.
func (w *Watcher) Start(ctx context.Context) error {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		w.Check(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// Check looks once.
func (w *Watcher) Check(ctx context.Context) {
	reason := ""
	found, err := find(ctx, w.reader, w.namespace)
	if err == nil {
		w.missed = 0
	}
	switch {
	case ctx.Err() != nil:
		return
	case err != nil && w.bears(err):
		return
	case err != nil:
		reason = err.Error()
	case found != "":
		reason = fmt.Sprintf("%s in namespace %s is another application controller: scale it to zero to let Bowline act", found, w.namespace)
	}
	before := w.reason.Swap(&reason)
	if before != nil && *before == reason {
		return
	}
	if reason != "" {
		w.log.Warn("Bowline only observes", "reason", reason)
	} else {
		w.log.Info("no other application controller is at work: Bowline acts", "namespace", w.namespace)
	}
	w.onChange()
}

// bears reports whether the answer before may stand although this look got none. A refusal is an answer.
func (w *Watcher) bears(err error) bool {
	w.missed++
	return w.reason.Load() != nil && w.missed < patience && !apierrors.IsForbidden(err) && !apierrors.IsUnauthorized(err)
}

// find returns the first workload that is company, as "StatefulSet name".
func find(ctx context.Context, reader client.Reader, namespace string) (string, error) {
	opts := []client.ListOption{client.InNamespace(namespace), client.MatchingLabels{componentLabel: componentValue}}
	var sets appsv1.StatefulSetList
	if err := reader.List(ctx, &sets, opts...); err != nil {
		return "", cannotLook("StatefulSets", err)
	}
	for _, s := range sets.Items {
		if active(s.Spec.Replicas, s.Status.Replicas) {
			return "StatefulSet " + s.Name, nil
		}
	}
	var deployments appsv1.DeploymentList
	if err := reader.List(ctx, &deployments, opts...); err != nil {
		return "", cannotLook("Deployments", err)
	}
	for _, d := range deployments.Items {
		if active(d.Spec.Replicas, d.Status.Replicas) {
			return "Deployment " + d.Name, nil
		}
	}
	return "", nil
}

// active counts pods that still run after a scale to zero: a controller on its way out still acts.
func active(wanted *int32, running int32) bool {
	return wanted == nil || *wanted > 0 || running > 0
}

func cannotLook(what string, err error) error {
	return fault.Wrap(fault.Stalled, "look for another application controller among", what, err,
		"give Bowline the right to list them in its namespace")
}
