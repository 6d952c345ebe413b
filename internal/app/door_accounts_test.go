// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/rpc"
	rpcaccount "github.com/bowline-cd/bowline/api/argoproj/rpc/account"
	rpcapplication "github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	rpcset "github.com/bowline-cd/bowline/api/argoproj/rpc/applicationset"
	rpccertificate "github.com/bowline-cd/bowline/api/argoproj/rpc/certificate"
	rpccluster "github.com/bowline-cd/bowline/api/argoproj/rpc/cluster"
	rpcproject "github.com/bowline-cd/bowline/api/argoproj/rpc/project"
	rpcrepocreds "github.com/bowline-cd/bowline/api/argoproj/rpc/repocreds"
	rpcrepository "github.com/bowline-cd/bowline/api/argoproj/rpc/repository"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/controller/configuration"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/transport"
)

// newDoor returns a door with the account ci, and single sign-on that knows two people.
func newDoor(t *testing.T, anonymous string) (*roles, *door) {
	t.Helper()
	objects := inFile{
		configMaps: map[string]*corev1.ConfigMap{v1alpha1.ConfigMapName: {Data: map[string]string{"accounts.ci": "login", "users.anonymous.enabled": anonymous}}},
		secrets: []corev1.Secret{{ObjectMeta: metav1.ObjectMeta{Name: v1alpha1.SecretName},
			Data: map[string][]byte{"server.secretkey": []byte("0123456789abcdef0123456789abcdef")}}},
	}
	log := slog.New(slog.DiscardHandler)
	r := &roles{log: log, settings: configuration.NewReader(objects, "", log, func(*configuration.Snapshot) {})}
	if err := r.settings.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	d := &door{}
	d.tokens = &auth.Tokens{
		Key:      func() fault.Secret { return r.settings.Current().Key },
		Accounts: func() map[string]*auth.Account { return r.settings.Current().Identity.Accounts },
		Project:  func(string) *v1alpha1.AppProject { return nil }, Clock: realClock,
		Revoked: &auth.Revocations{Board: &auth.MemoryBoard{}, Clock: realClock},
	}
	d.verifySSO = func(_ context.Context, token string) (auth.Caller, error) {
		switch token {
		case "of.jane.x":
			return auth.Caller{Kind: auth.SSO, Subject: "jane", Issuer: "https://idp", TokenID: "1", Issued: time.Now()}, nil
		case "of.nobody.x":
			return auth.Caller{Kind: auth.SSO}, nil
		case "of.admin.x":
			return auth.Caller{Kind: auth.Login, Subject: "admin", TokenID: "1", Issued: time.Now()}, nil
		case "of.late.x":
			return auth.Caller{}, auth.Rejected(auth.ErrExpired)
		}
		return auth.Caller{}, auth.Rejected(errors.New("unknown"))
	}
	d.authenticate = r.authenticate(d)
	return r, d
}

func TestWhoIsLetIn(t *testing.T) {
	r, d := newDoor(t, "false")
	ci := r.settings.Current().Identity.Accounts["ci"]
	local, err := d.tokens.Login(ci, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	ended, err := d.tokens.Login(ci, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	who, err := d.tokens.Verify(ended)
	if err != nil || d.tokens.Revoke(t.Context(), who) != nil {
		t.Fatal(err)
	}
	const refused = "refused"
	tests := []struct {
		reason, token     string
		closed, anonymous string // who it is, by whether anonymous callers are let in
	}{
		{"nothing", "", refused, "anonymous"},
		{"our own", local, "ci", "ci"},
		{"one that was ended", ended, refused, refused},
		{"a forged one", strings.TrimSuffix(local, local[len(local)-4:]) + "AAAA", refused, refused},
		{"no token at all", "hello", refused, refused},
		{"single sign-on", "of.jane.x", "jane", "jane"},
		{"single sign-on without a name", "of.nobody.x", refused, refused},
		{"single sign-on that says it is a local account", "of.admin.x", refused, refused},
		{"single sign-on of yesterday", "of.late.x", refused, "anonymous"},
		{"single sign-on of another", "of.mallory.x", refused, refused},
	}
	for _, anonymous := range []string{"false", "true"} {
		_, door := newDoor(t, anonymous)
		door.tokens = d.tokens
		for _, tt := range tests {
			request := httptest.NewRequest(http.MethodGet, "/api/v1/applications", nil)
			if tt.token != "" {
				request.Header.Set("Authorization", "Bearer "+tt.token)
			}
			got, want := refused, map[string]string{"false": tt.closed, "true": tt.anonymous}[anonymous]
			ctx, err := door.authenticate(request)
			if err == nil {
				who, _ := auth.From(ctx)
				got = who.Name()
			} else if fault.CodeOf(err) != fault.Unauthenticated {
				t.Errorf("%s: %v", tt.reason, err)
			}
			if got != want {
				t.Errorf("%s, anonymous callers %s: got %s, want %s", tt.reason, anonymous, got, want)
			}
		}
	}
}

// TestEveryRouteAsksWhoCalls: without a token no call of any service is carried out; those that anybody may make are named
// elsewhere, one by one.
func TestEveryRouteAsksWhoCalls(t *testing.T) {
	_, d := newDoor(t, "false")
	var services []transport.Mounted
	all := [][]*rpc.Method{
		rpcapplication.ApplicationServiceMethods, rpcset.ApplicationSetServiceMethods, rpcproject.ProjectServiceMethods, rpcrepository.RepositoryServiceMethods,
		rpcrepocreds.RepoCredsServiceMethods, rpccluster.ClusterServiceMethods, rpccertificate.CertificateServiceMethods, rpcaccount.AccountServiceMethods, bowline.Methods,
	}
	for _, methods := range all {
		services = append(services, transport.Mounted{Methods: methods})
	}
	handler := transport.New(t.Context(), transport.Options{Services: services, Authenticate: d.authenticate, Clock: realClock, Log: slog.New(slog.DiscardHandler)})
	variable := regexp.MustCompile(`\{[^}]*\}`)
	bodies, asked := map[string]bool{}, 0
	for _, m := range slices.Concat(all...) {
		for _, b := range m.Bindings {
			request := httptest.NewRequest(b.Verb, variable.ReplaceAllString(b.Path, "x"), strings.NewReader("{}"))
			request.Header.Set("Content-Type", "application/json")
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, request)
			asked++
			bodies[answer.Body.String()] = true
			if answer.Code != http.StatusUnauthorized {
				t.Errorf("%s %s: %d %s", b.Verb, b.Path, answer.Code, answer.Body)
			}
		}
	}
	if asked < 100 || len(bodies) != 1 {
		t.Errorf("%d routes were asked and gave %d different answers, want one for more than 100", asked, len(bodies))
	}
}
