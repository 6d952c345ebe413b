// SPDX-License-Identifier: Apache-2.0

package transport_test

import (
	"net/http"
	"strings"
	"testing"
)

// A page of another site can send forms, texts and files with a user's cookies, and nothing else without asking first. None of
// these changes anything, and asking first is not answered.
func TestCallsOfOtherSitesChangeNothing(t *testing.T) {
	called := ""
	s := open(t, &everything{answer: func(name string, _ any) (any, error) {
		called = name
		return nil, http.ErrNotSupported
	}}, nil)
	reached := 0
	all, _ := operations(t, s)
	for _, o := range all {
		if !o.changes() || o.Security != nil {
			continue
		}
		for _, kind := range []string{"", "text/plain", "text/plain; application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"} {
			called = ""
			got := do(t, s, o.Verb, o.variables("web"), `{"name":"web"}`, "Content-Type", kind, "Origin", "https://evil.example", "Authorization", "", "Cookie", "argocd.token=good")
			if got.status != http.StatusUnsupportedMediaType || called != "" {
				t.Errorf("%s %s as %q: %d, and %q was called", o.Verb, o.Path, kind, got.status, called)
			}
		}
		do(t, s, o.Verb, o.variables("7"), `{"name":"web"}`, "Authorization", "", "Cookie", "argocd.token=good")
		if called != "" {
			reached++
		}
		got := do(t, s, "OPTIONS", o.variables("web"), "", "Origin", "https://evil.example", "Access-Control-Request-Method", o.Verb, "Access-Control-Request-Headers", "content-type")
		for name := range got.header {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%s %s: other sites are let in by %s", o.Verb, o.Path, name)
			}
		}
	}
	if reached < 30 {
		t.Errorf("as JSON %d calls were made with the cookie: the others would not have been made in any case", reached)
	}
}
