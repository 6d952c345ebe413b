// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	rpccluster "github.com/bowline-cd/bowline/api/argoproj/rpc/cluster"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/settings"
)

var data = map[string]string{
	"url": "https://cd.example", "additionalUrls": "- https://other.example\n", "statusbadge.enabled": "true",
	"ga.trackingid": "UA-1", "help.chatUrl": "https://chat.example", "help.download.linux-amd64": "https://dl.example/argocd",
	"ui.bannercontent": "hello", "ui.bannerpermanent": "true", "passwordPattern": "^x{9}$", "exec.enabled": "true",
	"kustomize.buildOptions": "--enable-helm", "application.resourceTrackingMethod": "annotation+label", "installationID": "mine",
	"resource.customizations.health.certmanager.io_Certificate": "return {}",
	"resource.customizations.ignoreDifferences.apps_Deployment": "jsonPointers: [/spec/replicas]",
	"dex.config":           "connectors:\n- type: ldap\n  id: ldap\n  name: Company\n  config:\n    bindPW: canary-dex\n",
	"dex.auth.connectorId": "ldap",
	"oidc.config":          "name: Okta\nissuer: https://idp.example\nclientID: $oidc.id\nclientSecret: canary-oidc\nrequestedScopes: [openid]\nrequestedIDTokenClaims: {groups: {essential: true}}\nenablePKCEAuthentication: true\n",
}

func service(t *testing.T, cm map[string]string) *Service {
	t.Helper()
	hub := fake.NewClientBuilder().WithObjects(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "argocd-cm", Namespace: "argocd"}, Data: cm}).Build()
	now, problems := settings.Defaults().With(cm, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return New(Deps{Hub: hub, Home: "argocd", Settings: func() *settings.Settings { return &now },
		Plugins: func() ([]string, error) { return []string{"cdk8s-v1"}, nil },
		Lookup:  func(key string) (string, bool) { return "the-client", key == "oidc.id" }})
}

func get(t *testing.T, ctx context.Context, s *Service) *rpccluster.Settings { //nolint:revive // the test comes first
	t.Helper()
	got, err := s.Get(ctx, &rpccluster.SettingsQuery{})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestGet(t *testing.T) {
	s := service(t, data)
	open := get(t, auth.With(t.Context(), auth.Caller{Kind: auth.Anonymous}), s)
	if !reflect.DeepEqual(open, get(t, t.Context(), s)) {
		t.Error("nobody and an anonymous caller are told different things")
	}
	if open.URL != "https://cd.example" || open.AdditionalURLs[0] != "https://other.example" || !open.StatusBadgeEnabled || !open.ExecEnabled ||
		open.TrackingMethod != "annotation+label" || open.InstallationID != "mine" || open.KustomizeOptions.BuildOptions != "--enable-helm" ||
		open.Help.ChatText != "Chat now!" || open.Help.BinaryURLs["linux-amd64"] == "" || open.GoogleAnalytics.TrackingID != "UA-1" || open.UserLoginsDisabled {
		t.Errorf("got %+v", open)
	}
	if open.PasswordPattern != "" || open.UiBannerContent != "" || open.ResourceOverrides != nil || open.ControllerNamespace != "" {
		t.Errorf("callers who did not sign in are told %+v", open)
	}
	full := get(t, auth.With(t.Context(), auth.Caller{Kind: auth.Login, Subject: "admin"}), s)
	if full.PasswordPattern != "^x{9}$" || full.UiBannerContent != "hello" || !full.UiBannerPermanent || full.ControllerNamespace != "argocd" {
		t.Errorf("got %+v", full)
	}
	want := map[string]*v1alpha1.ResourceOverride{
		"certmanager.io/Certificate": {HealthLua: "return {}"},
		"apps/Deployment":            {IgnoreDifferences: v1alpha1.OverrideIgnoreDiff{JSONPointers: []string{"/spec/replicas"}}},
		"*/*":                        {IgnoreDifferences: v1alpha1.OverrideIgnoreDiff{JSONPointers: []string{"/status"}}},
	}
	if !reflect.DeepEqual(full.ResourceOverrides, want) {
		t.Errorf("got overrides %+v, want %+v", full.ResourceOverrides, want)
	}
}

func TestSignOnWithoutItsSecrets(t *testing.T) {
	got := get(t, t.Context(), service(t, data))
	if d := got.DexConfig; d == nil || len(d.Connectors) != 1 || d.Connectors[0] != (rpccluster.Connector{Name: "Company", Type: "ldap", ID: "ldap"}) || d.DexAuthConnectorID != "ldap" {
		t.Errorf("got dex %+v", d)
	}
	if o := got.OidcConfig; o == nil || o.ClientID != "the-client" || o.Issuer != "https://idp.example" || !o.EnablePKCEAuthentication || !o.IdTokenClaims["groups"].Essential {
		t.Errorf("got oidc %+v", got.OidcConfig)
	}
	text, err := json.Marshal(got)
	if err != nil || strings.Contains(string(text), "canary") {
		t.Errorf("got %s, %v", text, err)
	}
}

func TestWhoMaySignInByPassword(t *testing.T) {
	for _, tt := range []struct {
		reason string
		cm     map[string]string
		want   bool
	}{
		{"nothing said", nil, true},
		{"admin is off", map[string]string{"admin.enabled": "false"}, false},
		{"another account", map[string]string{"admin.enabled": "false", "accounts.ci": "apiKey, login"}, true},
		{"one with tokens only", map[string]string{"admin.enabled": "false", "accounts.ci": "apiKey"}, false},
		{"one that is off", map[string]string{"admin.enabled": "false", "accounts.ci": "login", "accounts.ci.enabled": "false"}, false},
	} {
		if got := !get(t, t.Context(), service(t, tt.cm)).UserLoginsDisabled; got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.reason, got, tt.want)
		}
	}
}

func TestPlugins(t *testing.T) {
	got, err := service(t, nil).GetPlugins(t.Context(), nil)
	if err != nil || len(got.Plugins) != 1 || got.Plugins[0].Name != "cdk8s-v1" {
		t.Errorf("got %+v, %v", got, err)
	}
}
