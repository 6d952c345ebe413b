// SPDX-License-Identifier: Apache-2.0

package account

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/fault"
)

// SignOutEverywhere ends all sessions of the caller, or of an account that the caller may change, on all replicas. Whoever signs
// in afterwards is signed in. Tokens of programs go on: they are deleted where they are listed.
func (s *Service) SignOutEverywhere(ctx context.Context, request *bowline.SignOutRequest) (*bowline.SignOutAnswer, error) {
	who, _ := auth.From(ctx)
	issuer, subject := who.Issuer, who.Subject
	switch {
	case request.Account != "":
		if err := s.enforce(ctx, access.Update, request.Account); err != nil {
			return nil, err
		}
		if s.Accounts()[request.Account] == nil {
			return nil, missing("account "+request.Account, "see `bowline account list`")
		}
		issuer, subject = auth.Issuer, request.Account
	case who.Kind == auth.Login, who.Kind == auth.APIKey:
		issuer = auth.Issuer
	case who.Kind != auth.SSO:
		return nil, fault.New(fault.Mistake, "end", "all sessions", "account", who.Name()+" is nobody with sessions", "name the account")
	}
	since, err := s.Tokens.RevokeAll(ctx, issuer, subject, s.Settings().Users.Session)
	if err != nil {
		return nil, err
	}
	own := (who.Kind == auth.Login || who.Kind == auth.SSO) && who.Issuer == issuer && who.Subject == subject
	return &bowline.SignOutAnswer{Since: metav1.NewTime(since), Own: own}, nil
}
