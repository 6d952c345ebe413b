// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"fmt"
	"log/slog"

	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/event"
)

// eventBuffer is how many records may wait to be written as Kubernetes Events; more are dropped, and the log says so.
const eventBuffer = 5000

// eventRate is how many Events are written in a second, so that they take nothing from the syncs they tell of.
const (
	eventRate  = 50
	eventBurst = 50
)

// eventWriter writes records as Kubernetes Events of the Application they happened to.
type eventWriter struct {
	client client.Client
	sub    *event.Subscription
	log    *slog.Logger
}

func newEventWriter(c client.Client, bus *event.Bus, log *slog.Logger) *eventWriter {
	return &eventWriter{client: c, sub: bus.Subscribe(eventBuffer), log: log}
}

// Start implements manager.Runnable.
func (w *eventWriter) Start(ctx context.Context) error {
	defer w.sub.Close()
	limit := rate.NewLimiter(eventRate, eventBurst)
	dropped := uint64(0)
	for {
		if n := w.sub.Dropped(); n > dropped {
			w.log.Warn("Events were dropped: more happened than can be written", "events", n-dropped)
			dropped = n
		}
		select {
		case <-ctx.Done():
			return nil
		case r := <-w.sub.Records():
			if err := limit.Wait(ctx); err != nil {
				return nil
			}
			if err := w.client.Create(ctx, asEvent(r), client.FieldOwner(v1alpha1.FieldManagerHub)); err != nil && ctx.Err() == nil {
				w.log.Warn("write an Event", "application", r.App, "reason", r.Reason, "error", err)
			}
		}
	}
}

func asEvent(r event.Record) *corev1.Event {
	kind, message := corev1.EventTypeNormal, r.Message
	if r.Failed {
		kind = corev1.EventTypeWarning
	}
	if r.User != "" {
		message = r.User + ": " + message
	}
	at := metav1.NewTime(r.At)
	return &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{Namespace: r.App.Namespace, Name: fmt.Sprintf("%s.%x", r.App.Name, r.At.UnixNano())},
		InvolvedObject: corev1.ObjectReference{APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: v1alpha1.ApplicationKind,
			Namespace: r.App.Namespace, Name: r.App.Name, UID: r.UID},
		Reason: string(r.Reason), Message: message, Type: kind, Count: 1, FirstTimestamp: at, LastTimestamp: at,
		Source: corev1.EventSource{Component: v1alpha1.FieldManagerHub}, ReportingController: v1alpha1.FieldManagerHub,
	}
}
