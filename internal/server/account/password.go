// SPDX-License-Identifier: Apache-2.0

package account

import (
	"cmp"
	"context"
	"errors"
	"time"

	rpc "github.com/bowline-cd/bowline/api/argoproj/rpc/account"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/fault"
)

// recent is how long ago somebody must have signed in by an identity provider, at most, to change the password of an account:
// they have no password of ours that could be asked for.
const recent = 5 * time.Minute

// UpdatePassword changes the password of an account: the caller's, if none is named. Who has an account has to give their own
// password, too. All sessions and tokens of the account from before end.
func (s *Service) UpdatePassword(ctx context.Context, request *rpc.UpdatePasswordRequest) (*rpc.UpdatePasswordResponse, error) {
	who, _ := auth.From(ctx)
	name := request.Name
	if name == "" && (who.Kind == auth.Login || who.Kind == auth.APIKey) {
		name = who.Subject
	}
	if name == "" {
		return nil, fault.New(fault.Mistake, "change", "a password", "name", "the caller has no local account", "name the account")
	}
	if !own(ctx, name) {
		if err := s.Gate.Enforce(ctx, access.Right{Resource: access.Accounts, Action: access.Update, Object: name}); err != nil {
			return nil, err
		}
	}
	if err := s.prove(ctx, who, request.CurrentPassword); err != nil {
		return nil, err
	}
	if pattern := s.Settings().Users.Password; !pattern.MatchString(request.NewPassword) {
		return nil, fault.New(fault.Mistake, "change", "the password of account "+name, "newPassword", "new password does not match the following expression: "+pattern.String(), "choose another")
	}
	hash, err := s.Store.Hash(request.NewPassword)
	if err != nil {
		return nil, err
	}
	now := s.Clock.Now()
	err = s.Store.Change(ctx, name, func(a *auth.Account) error { a.SetPassword(hash, now); return nil })
	if err != nil {
		return nil, err
	}
	return &rpc.UpdatePasswordResponse{}, nil
}

// prove asks for more than a token, which may have been left lying about.
func (s *Service) prove(ctx context.Context, who auth.Caller, password string) error {
	switch who.Kind {
	case auth.Core:
		return nil
	case auth.Login, auth.APIKey:
		_, err := s.Passwords.Check(ctx, who.Subject, password)
		if fault.CodeOf(err) == fault.Unauthenticated {
			return fault.New(fault.Mistake, "change", "a password", "currentPassword", "current password does not match", "give the password of account "+who.Subject)
		}
		return err
	case auth.SSO:
		if s.Clock.Since(who.Issued) <= recent {
			return nil
		}
		return &fault.Error{Kind: fault.Forbidden, Op: "change", Thing: "a password", Err: errors.New("the sign-in is too long ago"), Fix: "sign in again with `bowline relogin`"}
	}
	return fault.New(fault.Mistake, "change", "a password", "", cmp.Or(who.Subject, who.Name())+" is not a person with a password", "sign in as one")
}
