// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	testclock "k8s.io/utils/clock/testing"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/fault"
)

var (
	noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	see  = access.Right{Resource: access.Applications, Action: access.Get, Object: "team/web"}
)

// scene is a gate whose policy, project and accounts can be changed.
type scene struct {
	*Gate
	rights  *Rights
	clock   *testclock.FakeClock
	policy  atomic.Pointer[access.Policy]
	project atomic.Pointer[v1alpha1.AppProject]
	account atomic.Pointer[auth.Account]
}

func newScene(t *testing.T, csv string) *scene {
	t.Helper()
	s := &scene{clock: testclock.NewFakeClock(noon)}
	s.account.Store(&auth.Account{Name: "alice", Enabled: true, Capabilities: []auth.Capability{auth.CanLogin}})
	s.project.Store(withRole("p, proj:team:dev, applications, get, team/*, allow"))
	s.write(t, csv)
	tokens := &auth.Tokens{
		Clock: s.clock, Revoked: &auth.Revocations{Board: &auth.MemoryBoard{}, Clock: s.clock},
		Accounts: func() map[string]*auth.Account { return map[string]*auth.Account{"alice": s.account.Load()} },
		Project:  func(string) *v1alpha1.AppProject { return s.project.Load() },
	}
	s.rights = &Rights{Policy: s.policy.Load, Tokens: tokens, Clock: s.clock, Project: func(name string) *v1alpha1.AppProject {
		if p := s.project.Load(); p != nil && p.Name == name {
			return p
		}
		return nil
	}}
	s.Gate = &Gate{Roles: s.rights}
	return s
}

func (s *scene) write(t *testing.T, csv string) {
	t.Helper()
	p, problems := access.NewPolicy(map[string]string{"policy.csv": csv})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	s.policy.Store(p)
}

func withRole(lines ...string) *v1alpha1.AppProject {
	return &v1alpha1.AppProject{ObjectMeta: metav1.ObjectMeta{Name: "team"}, Spec: v1alpha1.AppProjectSpec{
		Roles: []v1alpha1.ProjectRole{{Name: "dev", Policies: lines, Groups: []string{"devs"}}},
	}}
}

func alice() auth.Caller {
	return auth.Caller{Kind: auth.Login, Subject: "alice", TokenID: "1", Issued: noon, Issuer: auth.Issuer}
}

const aliceSees = "p, alice, applications, get, team/*, allow"

func TestRule(t *testing.T) {
	s := newScene(t, aliceSees)
	dev := auth.Caller{Kind: auth.SSO, Subject: "x", Groups: []string{"devs"}}
	tests := []struct {
		reason string
		ctx    context.Context
		want   bool
	}{
		{"nobody", context.Background(), false},
		{"by argocd-rbac-cm", auth.With(context.Background(), alice()), true},
		{"by a role of the project", auth.With(context.Background(), dev), true},
		{"anonymous", auth.With(context.Background(), auth.Caller{Kind: auth.Anonymous}), false},
		{"with their own rights to the cluster", auth.With(context.Background(), auth.Caller{Kind: auth.Core}), true},
		{"a person called as the role", auth.With(context.Background(), auth.Caller{Kind: auth.SSO, Subject: "proj:team:dev"}), false},
		{"a token of the role", auth.With(context.Background(), auth.Caller{Kind: auth.ProjectToken, Subject: "proj:team:dev"}), true},
	}
	for _, tt := range tests {
		if got := s.Rule(tt.ctx, see); got.Allowed != tt.want || got.Reason == "" {
			t.Errorf("%s: got %+v, want %v with a reason", tt.reason, got, tt.want)
		}
	}
}

func TestEnforceTells(t *testing.T) {
	s := newScene(t, aliceSees)
	var told []string
	s.Granted = func(_ context.Context, _ access.Right, r access.Ruling) { told = append(told, "granted by "+r.Rule) }
	s.Refused = func(_ context.Context, r access.Right, _ access.Ruling) { told = append(told, "refused "+r.Action) }
	ctx := auth.With(t.Context(), alice())
	if err := s.Enforce(ctx, see); err != nil {
		t.Error(err)
	}
	err := s.Enforce(ctx, access.Right{Resource: access.Applications, Action: access.Sync, Object: "team/web"})
	if !fault.Is(err, fault.Forbidden) || err.Error() != "permission denied: applications, sync, team/web; ask for a role that allows it" {
		t.Errorf("got %v", err)
	}
	if len(told) != 2 || told[0] != "granted by "+aliceSees || told[1] != "refused sync" {
		t.Errorf("told %q", told)
	}
}

// TestStreamsEndWithTheRight: each way to lose a right ends what was opened with it.
func TestStreamsEndWithTheRight(t *testing.T) {
	person := alice()
	dev := auth.Caller{Kind: auth.SSO, Subject: "x", Groups: []string{"devs"}, TokenID: "2", Issued: noon}
	tests := map[string]struct {
		who  auth.Caller
		take func(*scene)
		code fault.Code
	}{
		"the policy changes":    {person, func(s *scene) { s.write(t, "") }, ""},
		"the project changes":   {dev, func(s *scene) { s.project.Store(withRole()) }, ""},
		"the project goes":      {dev, func(s *scene) { s.project.Store(nil) }, ""},
		"the session is ended":  {person, func(s *scene) { _ = s.rights.Tokens.Revoke(t.Context(), person) }, fault.Unauthenticated},
		"the account is closed": {person, func(s *scene) { s.account.Store(&auth.Account{Name: "alice"}) }, fault.Unauthenticated},
		"the password changes": {person, func(s *scene) {
			a := *s.account.Load()
			a.Changed = noon.Add(time.Second)
			s.account.Store(&a)
		}, fault.Unauthenticated},
	}
	for reason, tt := range tests {
		s := newScene(t, aliceSees)
		ctx, stop := s.Still(auth.With(t.Context(), tt.who), func(ctx context.Context) error { return s.Enforce(ctx, see) })
		if err := context.Cause(ctx); err != nil {
			t.Errorf("%s: ended at the beginning: %v", reason, err)
		}
		tt.take(s)
		s.rights.Tell()
		s.clock.Step(settle)
		<-ctx.Done()
		if err := context.Cause(ctx); !fault.Is(err, fault.Forbidden) || fault.CodeOf(err) != tt.code {
			t.Errorf("%s: ended by %v, want the refusal", reason, err)
		}
		stop()
	}
}

func TestStreamsEndWithTheSession(t *testing.T) {
	s := newScene(t, aliceSees)
	who := alice()
	who.Expires = time.Now().Add(-time.Second)
	s.clock.SetTime(noon) // by this clock it would go on
	ctx, stop := s.Still(auth.With(t.Context(), who), func(context.Context) error { return nil })
	defer stop()
	<-ctx.Done()
	if err := context.Cause(ctx); fault.CodeOf(err) != fault.Unauthenticated {
		t.Errorf("ended by %v", err)
	}
}

func TestStreamsGoOnWhileTheRightDoes(t *testing.T) {
	s := newScene(t, aliceSees)
	asked := make(chan struct{}, 10)
	ctx, stop := s.Still(auth.With(t.Context(), alice()), func(ctx context.Context) error {
		asked <- struct{}{}
		return s.Enforce(ctx, see)
	})
	defer stop()
	<-asked
	s.write(t, aliceSees+"\np, bob, applications, get, */*, allow")
	for range 5 { // many changes are told once
		s.rights.Tell()
	}
	s.clock.Step(settle)
	<-asked
	if ctx.Err() != nil || len(asked) > 0 {
		t.Errorf("ended by %v, asked %d times more", context.Cause(ctx), len(asked))
	}
}

// TestMissingAndForbidden: whoever may not know is answered the same.
func TestMissingAndForbidden(t *testing.T) {
	if a, b := Hidden(), Hidden(); a.Error() != b.Error() || !fault.Is(a, fault.Forbidden) || fault.CodeOf(a) != "" || errors.Unwrap(a).Error() != "permission denied" {
		t.Errorf("got %v and %v", a, b)
	}
}
