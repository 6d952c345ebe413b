// SPDX-License-Identifier: Apache-2.0

package session

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
	testclock "k8s.io/utils/clock/testing"

	rpc "github.com/bowline-cd/bowline/api/argoproj/rpc/session"
	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/settings"
)

const password = "correct horse"

func newService(t *testing.T, log *bytes.Buffer) *Service {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	accounts := map[string]*auth.Account{auth.Admin: {Name: auth.Admin, Enabled: true, Hash: fault.NewSecret(string(hash)), Capabilities: []auth.Capability{auth.CanLogin}}}
	known := func() map[string]*auth.Account { return accounts }
	key := func() fault.Secret { return fault.NewSecret("0123456789abcdef0123456789abcdef") }
	clock := testclock.NewFakeClock(time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC))
	defaults := settings.Defaults()
	return &Service{
		Tokens: &auth.Tokens{Key: key, Accounts: known, Clock: clock, Revoked: &auth.Revocations{Board: &auth.MemoryBoard{}, Clock: clock}},
		Passwords: &auth.Passwords{Accounts: known, Throttle: &auth.Throttle{
			Board: &auth.MemoryBoard{}, Clock: clock, Key: key, Max: 5, Window: time.Minute, Busy: make(chan struct{}, 1)}},
		Settings: func() *settings.Settings { return &defaults }, Log: slog.New(slog.NewTextHandler(log, nil)),
	}
}

func TestSignInAndOut(t *testing.T) {
	var log bytes.Buffer
	s := newService(t, &log)
	var counted []bool
	s.Count = func(ok bool) { counted = append(counted, ok) }
	answer, err := s.Create(t.Context(), &rpc.SessionCreateRequest{Username: "admin", Password: password})
	if err != nil {
		t.Fatal(err)
	}
	who, err := s.Tokens.Verify(answer.Token)
	if err != nil || who.Subject != "admin" || who.Expires.Sub(who.Issued) != 24*time.Hour {
		t.Fatalf("got %+v, %v", who, err)
	}
	ctx := auth.With(t.Context(), who)
	if info, err := s.GetUserInfo(ctx, nil); err != nil || !info.LoggedIn || info.Username != "admin" || info.ISS != "argocd" {
		t.Errorf("got %+v, %v", info, err)
	}
	if answer, err := s.Delete(ctx, &rpc.SessionDeleteRequest{}); err != nil || answer.Token != "" {
		t.Errorf("got %+v, %v", answer, err)
	}
	if _, err := s.Tokens.Verify(answer.Token); err == nil {
		t.Error("the token counts after signing out")
	}
	for _, request := range []rpc.SessionCreateRequest{{Username: "admin", Password: "wr0ng"}, {Username: "nobody", Password: password}, {Username: "admin"}, {Password: password}, {Token: answer.Token}} {
		if answer, err := s.Create(t.Context(), &request); fault.CodeOf(err) != fault.Unauthenticated {
			t.Errorf("%+v: got %+v, %v", request, answer, err)
		}
	}
	if len(counted) != 3 || !counted[0] || counted[1] {
		t.Errorf("counted %v", counted)
	}
	for _, secret := range []string{password, "wr0ng", answer.Token} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds %q:\n%s", secret, log.String())
		}
	}
}

func TestNobodyIsSignedIn(t *testing.T) {
	s := newService(t, &bytes.Buffer{})
	for _, ctx := range []auth.Caller{{}, {Kind: auth.Anonymous}} {
		if info, err := s.GetUserInfo(auth.With(t.Context(), ctx), nil); err != nil || info.LoggedIn || info.Username != "" {
			t.Errorf("got %+v, %v", info, err)
		}
	}
	if info, err := s.GetUserInfo(t.Context(), nil); err != nil || info.LoggedIn {
		t.Errorf("got %+v, %v", info, err)
	}
}
