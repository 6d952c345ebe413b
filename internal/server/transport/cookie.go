// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/session"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
)

// maxCookie is how much of a token one cookie takes: browsers keep 4096 bytes with name and attributes (RFC 6265, section 6.1).
const maxCookie = 3800

// remember sets the cookie of whoever signed in, takes it from whoever signed out, and renews it for whoever was given a new token.
// Pages cannot read it, and other sites' pages cannot send it with anything that changes something.
func (h *Handler) remember(w http.ResponseWriter, r *http.Request, answer any) {
	signed, ok := answer.(*session.SessionResponse)
	everywhere, _ := answer.(*bowline.SignOutAnswer)
	switch {
	case everywhere != nil && everywhere.Own:
		h.clearToken(w, r)
	case ok && signed.Token != "":
		h.setToken(w, r, signed.Token)
	case ok:
		h.clearToken(w, r)
	default:
		if h.opts.Renewed == nil || cookieToken(r) == "" {
			return
		}
		if token := h.opts.Renewed(r.Context()); token != "" {
			h.setToken(w, r, token)
		}
	}
}

// setToken sets the token in as many cookies as it needs. One that needs more than there may be is not set: whoever shows it
// otherwise is signed in all the same.
func (h *Handler) setToken(w http.ResponseWriter, r *http.Request, token string) {
	count := (len(token) + maxCookie - 1) / maxCookie
	if count > maxCookies {
		h.opts.Log.WarnContext(r.Context(), "a token is too long for cookies", "bytes", len(token))
		return
	}
	for i := range count {
		part, name := token[i*maxCookie:min(len(token), (i+1)*maxCookie)], tokenCookie
		switch {
		case i > 0:
			name += "-" + strconv.Itoa(i)
		case count > 1:
			part = fmt.Sprintf("%d:%s", count, part)
		}
		http.SetCookie(w, h.cookie(r, name, part))
	}
}

func (h *Handler) clearToken(w http.ResponseWriter, r *http.Request) {
	for _, c := range r.Cookies() {
		if c.Name != tokenCookie && !strings.HasPrefix(c.Name, tokenCookie+"-") {
			continue
		}
		gone := h.cookie(r, c.Name, "")
		gone.MaxAge = -1
		http.SetCookie(w, gone)
	}
}

func (h *Handler) cookie(r *http.Request, name, value string) *http.Cookie {
	return &http.Cookie{
		Name: name, Value: value, Path: h.opts.RootPath + "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: r.TLS != nil || h.opts.Secure,
	}
}
