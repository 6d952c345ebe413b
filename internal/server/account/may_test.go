// SPDX-License-Identifier: Apache-2.0

package account

import (
	"slices"
	"strings"
	"testing"
	"time"

	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/fault"
)

func TestMay(t *testing.T) {
	s := newService(t, "p, bob, applications, sync, default/*, allow")
	ctx := as(t, auth.SSO, "bob")
	got, err := s.May(ctx, &bowline.MayQuery{Rights: []string{
		"applications, sync, default/web", "applications,delete,default/web", "applications, sync, argocd/default/web", "applications, sync, default/argocd/web",
	}})
	if err != nil || !slices.Equal(got.Allowed, []bool{true, false, false, true}) {
		t.Errorf("got %v, %v", got, err)
	}
	for _, wrong := range []string{"", "applications", "applications, sync", "nothing, sync, x", "applications, fly, x"} {
		if _, err := s.May(ctx, &bowline.MayQuery{Rights: []string{wrong}}); !fault.Is(err, fault.Mistake) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	many := slices.Repeat([]string{"applications, sync, default/web"}, maxRights+1)
	if _, err := s.May(ctx, &bowline.MayQuery{Rights: many}); fault.CodeOf(err) != fault.TooLarge {
		t.Errorf("too many: %v", err)
	}
	if none, err := s.May(ctx, &bowline.MayQuery{}); err != nil || none.Allowed == nil {
		t.Errorf("none: %v, %v", none, err)
	}
}

// TestSignOutEverywhere: one's own sessions, those of an account that one may change, and nobody else's.
func TestSignOutEverywhere(t *testing.T) {
	s := newService(t, "p, bob, accounts, update, alice, allow")
	signIn := func(name string) string {
		token, err := s.Tokens.Login(s.Accounts()[name], time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	counts := func(token string) bool { _, err := s.Tokens.Verify(token); return err == nil }
	alice, admin := signIn("alice"), signIn("admin")
	for _, stranger := range []auth.Kind{auth.SSO, auth.Login} {
		_, forbidden := s.SignOutEverywhere(as(t, stranger, "eve"), &bowline.SignOutRequest{Account: "alice"})
		_, missing := s.SignOutEverywhere(as(t, stranger, "eve"), &bowline.SignOutRequest{Account: "xxxxx"})
		if !fault.Is(forbidden, fault.Forbidden) || strings.ReplaceAll(missing.Error(), "xxxxx", "alice") != forbidden.Error() {
			t.Errorf("forbidden %v, missing %v", forbidden, missing)
		}
	}
	answer, err := s.SignOutEverywhere(as(t, auth.SSO, "bob"), &bowline.SignOutRequest{Account: "alice"})
	if err != nil || answer.Own || !answer.Since.Time.Equal(noon.Add(time.Second)) {
		t.Errorf("by another: %+v, %v", answer, err)
	}
	if counts(alice) || !counts(admin) {
		t.Errorf("alice counts: %v, admin counts: %v", counts(alice), counts(admin))
	}
	if alice = signIn("alice"); !counts(alice) {
		t.Error("who signs in afterwards is not signed in")
	}
	who, err := s.Tokens.Verify(alice)
	if err != nil {
		t.Fatal(err)
	}
	answer, err = s.SignOutEverywhere(auth.With(t.Context(), who), &bowline.SignOutRequest{})
	if err != nil || !answer.Own || counts(alice) {
		t.Errorf("oneself: %+v, %v, counts: %v", answer, err, counts(alice))
	}
	if _, err := s.SignOutEverywhere(as(t, auth.Anonymous, ""), &bowline.SignOutRequest{}); !fault.Is(err, fault.Mistake) {
		t.Errorf("nobody: %v", err)
	}
	if _, err := s.SignOutEverywhere(as(t, auth.Login, "admin"), &bowline.SignOutRequest{Account: "xxxxx"}); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("an account that is not there: %v", err)
	}
}
