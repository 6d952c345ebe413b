// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"crypto/subtle"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// The cookie of a session, as Argo CD's page and clients know it: one that is too long is split, and its first part begins with how
// many parts there are.
const (
	tokenCookie = "argocd.token"
	chunk       = 3800
	maxChunks   = 20
)

// cookie returns one that scripts cannot read. age below 0 removes it, 0 keeps it as long as the browser runs.
func (st *site) cookie(name, value string, mode http.SameSite, age time.Duration) *http.Cookie {
	c := &http.Cookie{Name: name, Value: value, Path: st.root(), HttpOnly: true, Secure: st.secure(), SameSite: mode}
	switch {
	case age < 0:
		c.MaxAge = -1
	case age > 0:
		c.MaxAge = int(age.Seconds())
	}
	return c
}

// root is the path of url.
func (st *site) root() string {
	if u, err := url.Parse(st.settings.URL); err == nil && strings.Trim(u.Path, "/") != "" {
		return "/" + strings.Trim(u.Path, "/")
	}
	return "/"
}

// keepToken gives the browser its session.
func (st *site) keepToken(w http.ResponseWriter, r *http.Request, token string) error {
	var parts []string
	for rest := token; rest != ""; {
		n := min(chunk, len(rest))
		parts, rest = append(parts, rest[:n]), rest[n:]
	}
	if len(parts) > maxChunks {
		return refusal{http.StatusForbidden, "the provider's token is larger than browsers keep: have it name fewer groups"}
	}
	if len(parts) > 1 {
		parts[0] = strconv.Itoa(len(parts)) + ":" + parts[0]
	}
	st.dropToken(w, r)
	for i, part := range parts {
		http.SetCookie(w, st.cookie(chunkName(i), part, http.SameSiteLaxMode, 0))
	}
	return nil
}

// dropToken removes all parts of the session's cookie that the browser showed.
func (st *site) dropToken(w http.ResponseWriter, r *http.Request) {
	for _, c := range r.Cookies() {
		if c.Name == tokenCookie || strings.HasPrefix(c.Name, tokenCookie+"-") {
			http.SetCookie(w, st.cookie(c.Name, "", http.SameSiteLaxMode, -1))
		}
	}
}

func chunkName(i int) string {
	if i == 0 {
		return tokenCookie
	}
	return tokenCookie + "-" + strconv.Itoa(i)
}

// same compares in constant time.
func same(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

func allowed(method string, methods []string) bool {
	for _, m := range methods {
		if m == method || m == http.MethodGet && method == http.MethodHead {
			return true
		}
	}
	return false
}

func join(methods []string) string { return strings.Join(methods, ", ") }
