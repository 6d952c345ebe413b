// SPDX-License-Identifier: Apache-2.0

package transport_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/session"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/server/transport"
)

// cookiesOf are the cookies that an answer sets.
func cookiesOf(a answered) []*http.Cookie { return (&http.Response{Header: a.header}).Cookies() }

func TestWhoSignsInIsRememberedByCookies(t *testing.T) {
	token := ""
	s := open(t, &everything{answer: func(string, any) (any, error) { return &session.SessionResponse{Token: token}, nil }},
		func(o *transport.Options) { o.RootPath, o.Secure = "/cd", true })
	for _, token = range []string{"a.b.c", strings.Repeat("x", 9000)} {
		cookies := cookiesOf(do(t, s, "POST", "/api/v1/session", `{"username":"a"}`, "Authorization", ""))
		back := &http.Request{Header: http.Header{}}
		for _, c := range cookies {
			back.AddCookie(c)
			if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/cd/" || len(c.String()) > 4096 {
				t.Errorf("a cookie as %s", c)
			}
		}
		if got := transport.Token(back); got != token || len(cookies) != 1+len(token)/3800 {
			t.Errorf("%d cookies hold %d bytes of %d", len(cookies), len(got), len(token))
		}
	}
	token = ""
	gone := cookiesOf(do(t, s, "DELETE", "/api/v1/session", "", "Cookie", "argocd.token=2:a; argocd.token-1=b; other=c"))
	if len(gone) != 2 || gone[0].MaxAge >= 0 || gone[1].MaxAge >= 0 {
		t.Errorf("signing out sets %v", gone)
	}
}

// TestWhoEndsAllSessionsLosesTheCookie, even if the session was to be renewed; who ended somebody else's keeps it.
func TestWhoEndsAllSessionsLosesTheCookie(t *testing.T) {
	own := false
	s := open(t, &everything{answer: func(string, any) (any, error) { return &bowline.SignOutAnswer{Own: own}, nil }},
		func(o *transport.Options) { o.Renewed = func(context.Context) string { return "new" } })
	for _, own = range []bool{true, false} {
		got := cookiesOf(do(t, s, "DELETE", "/api/bowline/v1/sessions", "", "Authorization", "", "Cookie", "argocd.token=good"))
		if len(got) != 1 || (got[0].MaxAge < 0) != own {
			t.Errorf("own %v: the cookie becomes %v", own, got)
		}
	}
}

func TestARenewedTokenReplacesTheCookie(t *testing.T) {
	s := open(t, &everything{}, func(o *transport.Options) { o.Renewed = func(context.Context) string { return "new" } })
	if got := cookiesOf(do(t, s, "GET", "/api/v1/applications", "", "Authorization", "", "Cookie", "argocd.token=good")); len(got) != 1 || got[0].Value != "new" {
		t.Errorf("the cookie becomes %v", got)
	}
	if got := cookiesOf(do(t, s, "GET", "/api/v1/applications", "")); len(got) != 0 {
		t.Errorf("who came with a header is given %v", got)
	}
}
