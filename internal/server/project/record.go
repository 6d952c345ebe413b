// SPDX-License-Identifier: Apache-2.0

package project

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/auth"
)

// record writes a Kubernetes Event that says what somebody did to a project. That it cannot be written changes nothing of what was
// done: the log says so.
func (s *Service) record(ctx context.Context, p *v1alpha1.AppProject, reason, did string) {
	who, _ := auth.From(ctx)
	now := s.Hub.Clock.Now()
	at := metav1.NewTime(now)
	err := s.Hub.Client.Create(ctx, &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.Hub.Home, Name: fmt.Sprintf("%s.%x", p.Name, now.UnixNano())},
		InvolvedObject: corev1.ObjectReference{APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: v1alpha1.AppProjectKind,
			Namespace: s.Hub.Home, Name: p.Name, UID: p.UID, ResourceVersion: p.ResourceVersion},
		Reason: reason, Message: who.Name() + " " + did, Type: corev1.EventTypeNormal, Count: 1, FirstTimestamp: at, LastTimestamp: at,
		Source: corev1.EventSource{Component: v1alpha1.FieldManagerHub}, ReportingController: v1alpha1.FieldManagerHub,
	}, client.FieldOwner(v1alpha1.FieldManagerHub))
	if err != nil {
		s.Log.Warn("write an Event", "project", p.Name, "reason", reason, "error", err)
	}
}

// learned tells of a project that was written.
func (s *Service) learned(p *v1alpha1.AppProject) {
	if s.Learn != nil {
		s.Learn(p.DeepCopy())
	}
}
