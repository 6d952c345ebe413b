// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	requests "github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/event"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Delete deletes an application, with its objects unless the request says otherwise. It is deleted as it was read: one of the
// same name that was made since is left alone.
func (s *Service) Delete(ctx context.Context, q *application.ApplicationDeleteRequest) (*application.ApplicationResponse, error) {
	cascade, err := cascadeOf(q)
	if err != nil {
		return nil, err
	}
	at := named{q.Project, q.AppNamespace, q.Name}
	app, err := s.request(ctx, at, access.Delete, "delete", requests.DeleteRequest{Cascade: cascade}.Change)
	if err != nil {
		return nil, err
	}
	if err := s.Hub.Delete(ctx, app, client.Preconditions{UID: &app.UID}); client.IgnoreNotFound(err) != nil {
		return nil, unwritten("delete", app, err)
	}
	s.tell(ctx, app, event.ResourceDeleted, "deleted the application")
	return &application.ApplicationResponse{}, nil
}

// cascadeOf reads what is to become of the objects.
func cascadeOf(q *application.ApplicationDeleteRequest) (requests.Cascade, error) {
	policy := ""
	if q.PropagationPolicy != nil {
		policy = strings.ToLower(*q.PropagationPolicy)
	}
	refuse := func(cause, fix string) error {
		return fault.New(fault.Mistake, "delete", "application "+q.Name, "propagationPolicy", cause, fix)
	}
	switch {
	case q.Cascade != nil && !*q.Cascade && policy != "":
		return "", refuse("cannot set propagation policy when cascading is disabled", "leave it out")
	case q.Cascade != nil && !*q.Cascade:
		return requests.CascadeNone, nil
	case policy == "" || policy == "foreground":
		return requests.CascadeForeground, nil
	case policy == "background":
		return requests.CascadeBackground, nil
	}
	return "", refuse("invalid propagation policy: "+policy, "choose foreground or background")
}
