// SPDX-License-Identifier: Apache-2.0

// Package account serves local accounts and their tokens, and says what a caller may do. It is the service layer of Argo CD's
// AccountService.
package account

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"k8s.io/utils/clock"

	rpc "github.com/bowline-cd/bowline/api/argoproj/rpc/account"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/gate"
	"github.com/bowline-cd/bowline/internal/settings"
)

// Service implements account.AccountService.
type Service struct {
	Gate      *gate.Gate
	Home      string // the control namespace
	Accounts  func() map[string]*auth.Account
	Passwords *auth.Passwords
	Tokens    *auth.Tokens
	Store     *auth.Store
	Settings  func() *settings.Settings
	Clock     clock.PassiveClock
}

var _ rpc.AccountService = (*Service)(nil)

// own reports whether an account is the caller's: they may do with it what they want.
func own(ctx context.Context, name string) bool {
	who, ok := auth.From(ctx)
	return ok && who.Subject == name && (who.Kind == auth.Login || who.Kind == auth.APIKey)
}

func (s *Service) enforce(ctx context.Context, action, name string) error {
	if own(ctx, name) {
		return nil
	}
	return s.Gate.Enforce(ctx, access.Right{Resource: access.Accounts, Action: action, Object: name})
}

// ListAccounts lists the accounts that the caller may see.
func (s *Service) ListAccounts(ctx context.Context, _ *rpc.ListAccountRequest) (*rpc.AccountsList, error) {
	out := &rpc.AccountsList{}
	accounts := s.Accounts()
	for _, name := range slices.Sorted(maps.Keys(accounts)) {
		if own(ctx, name) || s.Gate.Allows(ctx, access.Right{Resource: access.Accounts, Action: access.Get, Object: name}) {
			out.Items = append(out.Items, *shown(accounts[name]))
		}
	}
	return out, nil
}

// GetAccount returns an account.
func (s *Service) GetAccount(ctx context.Context, request *rpc.GetAccountRequest) (*rpc.Account, error) {
	if err := s.enforce(ctx, access.Get, request.Name); err != nil {
		return nil, err
	}
	a := s.Accounts()[request.Name]
	if a == nil {
		return nil, missing("account "+request.Name, "see `bowline account list`")
	}
	return shown(a), nil
}

// shown is an account as callers see it: its newest token first.
func shown(a *auth.Account) *rpc.Account {
	out := &rpc.Account{Name: a.Name, Enabled: a.Enabled}
	for _, c := range a.Capabilities {
		out.Capabilities = append(out.Capabilities, string(c))
	}
	for _, t := range a.Tokens {
		out.Tokens = append(out.Tokens, rpc.Token{ID: t.ID, IssuedAt: t.IssuedAt, ExpiresAt: t.ExpiresAt})
	}
	slices.SortStableFunc(out.Tokens, func(a, b rpc.Token) int { return cmp.Compare(b.IssuedAt, a.IssuedAt) })
	return out
}

func missing(thing, fix string) error {
	return &fault.Error{Kind: fault.Mistake, Code: fault.NotFound, Op: "find", Thing: thing, Err: errors.New("there is none"), Fix: fix}
}

// maxTokenID bounds the ids that people choose for tokens, maxTokens how many an account has: all of them are in one Secret.
const (
	maxTokenID = 128
	maxTokens  = 500
)

// CreateToken issues a token for a program.
func (s *Service) CreateToken(ctx context.Context, request *rpc.CreateTokenRequest) (*rpc.CreateTokenResponse, error) {
	if err := s.enforce(ctx, access.Update, request.Name); err != nil {
		return nil, err
	}
	if request.ExpiresIn < 0 || request.ExpiresIn > int64(maxLifetime/time.Second) {
		return nil, fault.New(fault.Mistake, "issue", "a token", "expiresIn", "it is not a length of time in seconds", "0 is forever")
	}
	if len(request.ID) > maxTokenID {
		return nil, fault.New(fault.Mistake, "issue", "a token", "id", fmt.Sprintf("it is longer than %d bytes", maxTokenID), "choose a shorter one")
	}
	var token string
	err := s.Store.Change(ctx, request.Name, func(a *auth.Account) (err error) {
		if err := mayHave(a, request.ID, s.Clock.Now()); err != nil {
			return err
		}
		var record auth.Token
		token, record, err = s.Tokens.APIKey(a, request.ID, time.Duration(request.ExpiresIn)*time.Second)
		a.Tokens = append(a.Tokens, record)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &rpc.CreateTokenResponse{Token: token}, nil
}

// maxLifetime is the longest that a token may be issued for, other than forever.
const maxLifetime = 100 * 365 * 24 * time.Hour

// mayHave says whether another token may be issued for the account. Tokens that have ended are dropped on the way.
func mayHave(a *auth.Account, id string, now time.Time) error {
	if !a.Can(auth.CanHaveKeys) {
		return fault.New(fault.Mistake, "issue", "a token for account "+a.Name, "", "the account does not have apiKey capability",
			fmt.Sprintf("add apiKey to accounts.%s in ConfigMap argocd-cm", a.Name))
	}
	if id != "" && slices.ContainsFunc(a.Tokens, func(t auth.Token) bool { return t.ID == id }) {
		return &fault.Error{Kind: fault.Mistake, Code: fault.AlreadyExists, Op: "issue", Thing: "a token for account " + a.Name, Err: fmt.Errorf("it has a token with id %q already", id), Fix: "choose another id, or none"}
	}
	if len(a.Tokens) < maxTokens {
		return nil
	}
	a.Tokens = slices.DeleteFunc(a.Tokens, func(t auth.Token) bool { return t.ExpiresAt > 0 && t.ExpiresAt < now.Unix() })
	if len(a.Tokens) >= maxTokens {
		return fault.New(fault.Mistake, "issue", "a token for account "+a.Name, "", fmt.Sprintf("it has %d tokens", len(a.Tokens)), "delete those that are not used")
	}
	return nil
}

// DeleteToken deletes a token: it does not count any more.
func (s *Service) DeleteToken(ctx context.Context, request *rpc.DeleteTokenRequest) (*rpc.EmptyResponse, error) {
	if err := s.enforce(ctx, access.Update, request.Name); err != nil {
		return nil, err
	}
	err := s.Store.Change(ctx, request.Name, func(a *auth.Account) error {
		before := len(a.Tokens)
		a.Tokens = slices.DeleteFunc(a.Tokens, func(t auth.Token) bool { return t.ID == request.ID })
		if len(a.Tokens) == before {
			return missing("token "+request.ID+" of account "+request.Name, "see `bowline account get`")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &rpc.EmptyResponse{}, nil
}
