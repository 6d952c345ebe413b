// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseAccounts(t *testing.T) {
	accounts, problems := ParseAccounts(map[string]string{
		"accounts.ci": "apiKey, login", "accounts.ci.enabled": "true",
		"accounts.off": "login", "accounts.off.enabled": "false",
		"accounts.admin": "apiKey",
		"accountsX":      "login", "url": "https://a.example",
	}, map[string][]byte{
		"admin.password": []byte("$2a$hash\n"), "admin.passwordMtime": []byte("2026-05-04T12:00:00Z"),
		"accounts.ci.tokens":  []byte(`[{"id":"a","iat":7,"exp":9}]`),
		"accounts.gone.token": []byte("x"),
	})
	if len(problems) > 0 || len(accounts) != 3 {
		t.Fatalf("got %d accounts, problems %v", len(accounts), problems)
	}
	admin, ci, off := accounts[Admin], accounts["ci"], accounts["off"]
	if !admin.Enabled || !admin.Can(CanLogin) || !admin.Can(CanHaveKeys) || admin.Hash.Reveal() != "$2a$hash" || !admin.Changed.Equal(noon) {
		t.Errorf("admin: %+v", admin)
	}
	if !ci.Enabled || !ci.Can(CanLogin) || !ci.Can(CanHaveKeys) || !slices.Equal(ci.Tokens, []Token{{ID: "a", IssuedAt: 7, ExpiresAt: 9}}) {
		t.Errorf("ci: %+v", ci)
	}
	if off.Enabled {
		t.Errorf("off: %+v", off)
	}
}

func TestAdminIsThereUnlessDisabled(t *testing.T) {
	for raw, want := range map[string]bool{"": true, "true": true, "false": false} {
		accounts, problems := ParseAccounts(map[string]string{"admin.enabled": raw}, nil)
		if accounts[Admin].Enabled != want || len(problems) > 0 {
			t.Errorf("admin.enabled %q: %+v, %v", raw, accounts[Admin], problems)
		}
	}
}

// TestABrokenAccountIsClosed: half of what was meant is not enough to let somebody in, and others are not concerned.
func TestABrokenAccountIsClosed(t *testing.T) {
	tests := []struct {
		reason string
		cm     map[string]string
		secret map[string][]byte
		name   string
	}{
		{"a capability that is none", map[string]string{"accounts.ci": "login, sudo"}, nil, "ci"},
		{"a switch that is none, beside one that is", map[string]string{"accounts.ci": "login", "accounts.ci.enabled": "ja"}, nil, "ci"},
		{"enabled does not mend it", map[string]string{"accounts.ci": "sudo", "accounts.ci.enabled": "true"}, nil, "ci"},
		{"a time that is none", map[string]string{"accounts.ci": "login"}, map[string][]byte{"accounts.ci.passwordMtime": []byte("today")}, "ci"},
		{"tokens that are none", map[string]string{"accounts.ci": "login"}, map[string][]byte{"accounts.ci.tokens": []byte("{")}, "ci"},
		{"admin, too", nil, map[string][]byte{"admin.tokens": []byte("x")}, Admin},
		{"a name with a dot", map[string]string{"accounts.a.b": "login"}, nil, "a.b"},
		{"a name with a colon", map[string]string{"accounts.proj:a:b": "login"}, nil, "proj:a:b"},
		{"a long name", map[string]string{"accounts." + strings.Repeat("x", 33): "login"}, nil, strings.Repeat("x", 33)},
	}
	for _, tt := range tests {
		if tt.cm == nil {
			tt.cm = map[string]string{}
		}
		tt.cm["accounts.fine"] = "login"
		accounts, problems := ParseAccounts(tt.cm, tt.secret)
		if a := accounts[tt.name]; a == nil || a.Enabled || len(problems) != 1 {
			t.Errorf("%s: got %+v, problems %v; want it disabled and one problem", tt.reason, a, problems)
		}
		if !accounts["fine"].Enabled {
			t.Errorf("%s: another account is disabled, too", tt.reason)
		}
	}
}

func FuzzParseAccounts(f *testing.F) {
	f.Add("accounts.ci", "login", "[]", "2026-05-04T12:00:00Z")
	f.Fuzz(func(t *testing.T, key, value, tokens, mtime string) {
		accounts, _ := ParseAccounts(map[string]string{key: value}, map[string][]byte{key + ".tokens": []byte(tokens), key + ".passwordMtime": []byte(mtime)})
		for name, a := range accounts {
			if a.Name != name || a.Enabled && checkName(name) != nil {
				t.Errorf("%q: %+v", name, a)
			}
		}
	})
}

func TestSetPassword(t *testing.T) {
	for now, want := range map[time.Duration]time.Duration{0: 0, time.Nanosecond: time.Second, 999 * time.Millisecond: time.Second, time.Second: time.Second} {
		a := &Account{}
		a.SetPassword(secret, noon.Add(now))
		if got := a.Changed.Sub(noon); got != want {
			t.Errorf("changed %v after noon: noted as %v", now, got)
		}
	}
}
