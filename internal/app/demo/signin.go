// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	ctrlclient "sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/session"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/api/client"
)

// firstPassword is the Secret with the password that was generated for admin.
const firstPassword = "argocd-initial-admin-secret"

// signIn signs in as people do and asks the API what there is.
func (s *stage) signIn(ctx context.Context) error {
	secret := &corev1.Secret{}
	if err := s.client.Get(ctx, ctrlclient.ObjectKey{Namespace: v1alpha1.DefaultNamespace, Name: firstPassword}, secret); err != nil {
		return fmt.Errorf("the first password: %w", err)
	}
	s.password = string(secret.Data["password"])
	server := &client.Server{Address: s.address, PlainText: true}
	token := ""
	caller, err := client.NewCaller(server, func(context.Context) (string, error) { return token, nil })
	if err != nil {
		return err
	}
	services := client.NewServices(caller)
	answer, err := services.Sessions.Create(ctx, &session.SessionCreateRequest{Username: "admin", Password: s.password})
	if err != nil {
		return err
	}
	token = answer.Token
	list, err := services.Applications.List(ctx, &application.ApplicationQuery{})
	if err != nil {
		return err
	}
	s.say("signed in as admin at http://%s: the API lists %d applications; argocd's command line works there too", s.address, len(list.Items))
	return nil
}
