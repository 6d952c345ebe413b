// SPDX-License-Identifier: Apache-2.0

package account

import (
	"context"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	testclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	rpc "github.com/bowline-cd/bowline/api/argoproj/rpc/account"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/gate"
	"github.com/bowline-cd/bowline/internal/settings"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

const password = "correct horse"

// newService returns the service over an argocd-secret, with the accounts admin, alice (login), ci (apiKey) and idle.
func newService(t *testing.T, csv string) *Service {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	cm := map[string]string{"accounts.alice": "login", "accounts.ci": "apiKey", "accounts.idle": "login"}
	data := map[string][]byte{"server.secretkey": []byte("0123456789abcdef0123456789abcdef"),
		"admin.password": hash, "accounts.alice.password": hash}
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	c := fake.NewClientBuilder().WithScheme(scheme).WithObjects(
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "argocd", Name: "argocd-cm"}, Data: cm},
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "argocd", Name: "argocd-secret"}, Data: data}).Build()
	accounts := func() map[string]*auth.Account {
		secret := &corev1.Secret{}
		if err := c.Get(context.Background(), client.ObjectKey{Namespace: "argocd", Name: "argocd-secret"}, secret); err != nil {
			t.Error(err)
		}
		out, _ := auth.ParseAccounts(cm, secret.Data)
		return out
	}
	clock := testclock.NewFakeClock(noon)
	policy, problems := access.NewPolicy(map[string]string{"policy.csv": csv})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	key := func() fault.Secret { return fault.NewSecret(string(data["server.secretkey"])) }
	tokens := &auth.Tokens{Key: key, Accounts: accounts, Clock: clock, Revoked: &auth.Revocations{Board: &auth.MemoryBoard{}, Clock: clock},
		Project: func(string) *v1alpha1.AppProject { return nil }}
	defaults := settings.Defaults()
	return &Service{
		Gate: &gate.Gate{Roles: &gate.Rights{Policy: func() *access.Policy { return policy }, Project: tokens.Project, Clock: clock}},
		Home: "argocd", Accounts: accounts, Tokens: tokens, Clock: clock, Settings: func() *settings.Settings { return &defaults },
		Store: &auth.Store{Reader: c, Writer: c, Namespace: "argocd", Reload: func(context.Context) error { return nil }, Cost: bcrypt.MinCost},
		Passwords: &auth.Passwords{Accounts: accounts, Throttle: &auth.Throttle{
			Board: &auth.MemoryBoard{}, Clock: clock, Key: key, Max: 5, Window: time.Minute, Busy: make(chan struct{}, 1)}},
	}
}

func as(t *testing.T, kind auth.Kind, name string) context.Context {
	t.Helper()
	return auth.With(t.Context(), auth.Caller{Kind: kind, Subject: name, Issued: noon})
}

func TestAccountsAreShownToThoseWhoMaySeeThem(t *testing.T) {
	s := newService(t, "p, bob, accounts, get, ci, allow")
	for _, tt := range []struct {
		ctx  context.Context
		want string
	}{
		{as(t, auth.Login, "admin"), "admin alice ci idle"},
		{as(t, auth.Login, "alice"), "alice"},
		{as(t, auth.APIKey, "ci"), "ci"},
		{as(t, auth.SSO, "bob"), "ci"},
		{as(t, auth.SSO, "alice"), ""}, // a person of an identity provider who happens to be called so
		{as(t, auth.Anonymous, ""), ""},
	} {
		list, err := s.ListAccounts(tt.ctx, &rpc.ListAccountRequest{})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, a := range list.Items {
			names = append(names, a.Name)
		}
		who, _ := auth.From(tt.ctx)
		if got := strings.Join(names, " "); got != tt.want {
			t.Errorf("%s %s sees %q, want %q", who.Kind, who.Subject, got, tt.want)
		}
	}
	_, forbidden := s.GetAccount(as(t, auth.Login, "alice"), &rpc.GetAccountRequest{Name: "ci"})
	_, missing := s.GetAccount(as(t, auth.Login, "alice"), &rpc.GetAccountRequest{Name: "xy"})
	if forbidden == nil || missing == nil || strings.ReplaceAll(missing.Error(), "xy", "ci") != forbidden.Error() {
		t.Errorf("forbidden %q and missing %q differ", forbidden, missing)
	}
}

func TestTokensOfAnAccount(t *testing.T) {
	s := newService(t, "")
	admin := as(t, auth.Login, "admin")
	answer, err := s.CreateToken(admin, &rpc.CreateTokenRequest{Name: "ci", ID: "deploy", ExpiresIn: 60})
	if err != nil {
		t.Fatal(err)
	}
	who, err := s.Tokens.Verify(answer.Token)
	if err != nil || who.Subject != "ci" || who.Kind != auth.APIKey || who.Expires.Sub(noon) != time.Minute {
		t.Errorf("the token says %+v, %v", who, err)
	}
	list, err := s.GetAccount(admin, &rpc.GetAccountRequest{Name: "ci"})
	if err != nil || len(list.Tokens) != 1 || list.Tokens[0] != (rpc.Token{ID: "deploy", IssuedAt: noon.Unix(), ExpiresAt: noon.Unix() + 60}) {
		t.Errorf("got %+v, %v", list, err)
	}
	refusals := []struct {
		reason  string
		ctx     context.Context
		request rpc.CreateTokenRequest
		code    fault.Code
	}{
		{"the same id", admin, rpc.CreateTokenRequest{Name: "ci", ID: "deploy"}, fault.AlreadyExists},
		{"no such account", admin, rpc.CreateTokenRequest{Name: "nobody"}, fault.NotFound},
		{"not for programs", admin, rpc.CreateTokenRequest{Name: "alice"}, ""},
		{"less than no time", admin, rpc.CreateTokenRequest{Name: "ci", ExpiresIn: -1}, ""},
		{"more than all time", admin, rpc.CreateTokenRequest{Name: "ci", ExpiresIn: 1 << 62}, ""},
		{"a long id", admin, rpc.CreateTokenRequest{Name: "ci", ID: strings.Repeat("x", 1000)}, ""},
		{"somebody else's account", as(t, auth.Login, "alice"), rpc.CreateTokenRequest{Name: "ci"}, ""},
	}
	for _, tt := range refusals {
		if _, err := s.CreateToken(tt.ctx, &tt.request); err == nil || fault.CodeOf(err) != tt.code {
			t.Errorf("%s: got %v, want code %q", tt.reason, err, tt.code)
		}
	}
	if _, err := s.DeleteToken(as(t, auth.APIKey, "ci"), &rpc.DeleteTokenRequest{Name: "ci", ID: "deploy"}); err != nil {
		t.Error(err)
	}
	if _, err := s.Tokens.Verify(answer.Token); err == nil {
		t.Error("a deleted token counts")
	}
	if _, err := s.DeleteToken(admin, &rpc.DeleteTokenRequest{Name: "ci", ID: "deploy"}); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("a token that is gone: %v", err)
	}
}

func TestUpdatePassword(t *testing.T) {
	const next = "another horse"
	old := auth.With(t.Context(), auth.Caller{Kind: auth.SSO, Subject: "boss", Issued: noon.Add(-time.Hour)})
	tests := []struct {
		reason  string
		ctx     context.Context
		request rpc.UpdatePasswordRequest
		want    string // of the error; "" is none
		changed string // whose password is new
	}{
		{"one's own", as(t, auth.Login, "alice"), rpc.UpdatePasswordRequest{CurrentPassword: password, NewPassword: next}, "", "alice"},
		{"one's own by name", as(t, auth.Login, "alice"), rpc.UpdatePasswordRequest{Name: "alice", CurrentPassword: password, NewPassword: next}, "", "alice"},
		{"another's, with the right to", as(t, auth.Login, "admin"), rpc.UpdatePasswordRequest{Name: "idle", CurrentPassword: password, NewPassword: next}, "", "idle"},
		{"another's, from single sign-on", as(t, auth.SSO, "boss"), rpc.UpdatePasswordRequest{Name: "idle", NewPassword: next}, "", "idle"},
		{"from a sign-on of long ago", old, rpc.UpdatePasswordRequest{Name: "idle", NewPassword: next}, "too long ago", ""},
		{"without the password", as(t, auth.Login, "alice"), rpc.UpdatePasswordRequest{CurrentPassword: "wrong", NewPassword: next}, "current password does not match", ""},
		{"without the right", as(t, auth.Login, "alice"), rpc.UpdatePasswordRequest{Name: "idle", CurrentPassword: password, NewPassword: next}, "permission denied", ""},
		{"too simple", as(t, auth.Login, "alice"), rpc.UpdatePasswordRequest{CurrentPassword: password, NewPassword: "short"}, "expression", ""},
		{"no account", as(t, auth.SSO, "boss"), rpc.UpdatePasswordRequest{NewPassword: next}, "no local account", ""},
		{"a person called as an account", as(t, auth.SSO, "alice"), rpc.UpdatePasswordRequest{Name: "alice", NewPassword: next}, "permission denied", ""},
		{"a token of a project", as(t, auth.ProjectToken, "proj:a:b"), rpc.UpdatePasswordRequest{NewPassword: next}, "no local account", ""},
		{"nobody", as(t, auth.Anonymous, ""), rpc.UpdatePasswordRequest{Name: "idle", NewPassword: next}, "permission denied", ""},
	}
	for _, tt := range tests {
		s := newService(t, "p, boss, accounts, update, idle, allow")
		_, err := s.UpdatePassword(tt.ctx, &tt.request)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.reason, err, tt.want)
		}
		for _, name := range []string{"admin", "alice", "idle"} {
			if a := s.Accounts()[name]; a.Changed.IsZero() == (name == tt.changed) {
				t.Errorf("%s: the password of %s was changed: %v", tt.reason, name, !a.Changed.IsZero())
			}
		}
		if tt.changed == "alice" {
			if _, err := s.Passwords.Check(t.Context(), "alice", next); err != nil {
				t.Errorf("%s: the new password does not count: %v", tt.reason, err)
			}
		}
	}
}

func TestCanIAndExplain(t *testing.T) {
	s := newService(t, "p, role:dev, applications, sync, team/*, allow\ng, alice, role:dev\ng, devs, role:dev")
	alice := as(t, auth.Login, "alice")
	for object, want := range map[string]string{"team/web": "yes", "team/argocd/web": "yes", "other/web": "no"} {
		if got, err := s.CanI(alice, &rpc.CanIRequest{Resource: "applications", Action: "sync", Subresource: object}); err != nil || got.Value != want {
			t.Errorf("%s: got %v, %v", object, got, err)
		}
	}
	for resource, want := range map[string]string{"applications": "yes", "logs": "yes", "clusters": "yes"} {
		if got, err := s.CanI(as(t, auth.Login, "admin"), &rpc.CanIRequest{Resource: resource, Action: "get", Subresource: "*"}); err != nil || got.Value != want {
			t.Errorf("admin, any of %s: got %v, %v", resource, got, err)
		}
	}
	if got, err := s.CanI(alice, &rpc.CanIRequest{Resource: "applications", Action: "sync", Subresource: "*"}); err != nil || got.Value != "no" {
		t.Errorf("alice may not sync any application: got %v, %v", got, err)
	}
	for _, wrong := range []rpc.CanIRequest{{Resource: "apps", Action: "get"}, {Resource: "applications", Action: "steal"}} {
		if _, err := s.CanI(alice, &wrong); !fault.Is(err, fault.Mistake) {
			t.Errorf("%+v: got %v", wrong, err)
		}
	}
	ask := bowline.ExplainQuery{Resource: "applications", Action: "sync", Object: "team/web"}
	got, err := s.Explain(alice, &ask)
	if err != nil || !got.Allowed || got.Where != "policy.csv line 1" || strings.Join(got.Through, ">") != "alice>role:dev" {
		t.Errorf("got %+v, %v", got, err)
	}
	ask.Subject, ask.Groups = "x", []string{"devs"}
	if _, err := s.Explain(alice, &ask); !fault.Is(err, fault.Forbidden) {
		t.Errorf("alice asks about somebody else: %v", err)
	}
	if got, err := s.Explain(as(t, auth.Login, "admin"), &ask); err != nil || !got.Allowed || got.Through[0] != "devs" {
		t.Errorf("got %+v, %v", got, err)
	}
	ask.Subject = "admin"
	if got, err := s.Explain(as(t, auth.Login, "admin"), &ask); err != nil || !got.Allowed || got.Where != "built in" {
		t.Errorf("about an account: got %+v, %v", got, err)
	}
}
