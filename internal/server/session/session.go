// SPDX-License-Identifier: Apache-2.0

// Package session signs people in who have a local account, and says who is signed in. It is the service layer of Argo CD's
// SessionService.
package session

import (
	"context"
	"errors"
	"log/slog"

	rpc "github.com/bowline-cd/bowline/api/argoproj/rpc/session"
	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/settings"
)

// Service implements session.SessionService.
type Service struct {
	Passwords *auth.Passwords
	Tokens    *auth.Tokens
	Settings  func() *settings.Settings
	// Count is told how each attempt to sign in ended; it may be nil.
	Count func(ok bool)
	Log   *slog.Logger
}

var _ rpc.SessionService = (*Service)(nil)

// Create signs in by name and password. Whatever is wrong with them the answer is the same.
func (s *Service) Create(ctx context.Context, request *rpc.SessionCreateRequest) (*rpc.SessionResponse, error) {
	if request.Token != "" {
		return nil, &fault.Error{Kind: fault.Forbidden, Code: fault.Unauthenticated, Op: "sign in", Err: errors.New("a token is no way to begin a session"), Fix: "send it with each call, or sign in with a password"}
	}
	if request.Username == "" || request.Password == "" {
		return nil, &fault.Error{Kind: fault.Forbidden, Code: fault.Unauthenticated, Op: "sign in", Err: errors.New("no credentials supplied"), Fix: "give a name and a password"}
	}
	account, err := s.Passwords.Check(ctx, request.Username, request.Password)
	if s.Count != nil {
		s.Count(err == nil)
	}
	if err != nil {
		s.Log.Warn("signing in failed", "name", request.Username, "error", err, "throttled", errors.Is(err, auth.ErrThrottled))
		return nil, err
	}
	token, err := s.Tokens.Login(account, s.Settings().Users.Session)
	if err != nil {
		return nil, err
	}
	s.Log.Info("signed in", "name", account.Name)
	return &rpc.SessionResponse{Token: token}, nil
}

// Delete signs out: the token that was shown does not count any more, on any replica. A token of a program stays: it is deleted
// where it is listed.
func (s *Service) Delete(ctx context.Context, _ *rpc.SessionDeleteRequest) (*rpc.SessionResponse, error) {
	if who, ok := auth.From(ctx); ok {
		if err := s.Tokens.Revoke(ctx, who); err != nil {
			return nil, err
		}
	}
	return &rpc.SessionResponse{}, nil
}

// GetUserInfo says who is signed in. It is answered to everybody.
func (s *Service) GetUserInfo(ctx context.Context, _ *rpc.GetUserInfoRequest) (*rpc.GetUserInfoResponse, error) {
	who, ok := auth.From(ctx)
	if !ok || who.Subject == "" {
		return &rpc.GetUserInfoResponse{}, nil
	}
	return &rpc.GetUserInfoResponse{LoggedIn: true, Username: who.Name(), ISS: who.Issuer, Groups: who.Groups}, nil
}
