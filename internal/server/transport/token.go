// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"net/http"
	"strconv"
	"strings"
)

// tokenCookie is the cookie that browsers keep the token in. One that is too long for a cookie is split: the first then has how
// many there are before its text, as in 3:…, and the others are argocd.token-1 and so on.
const tokenCookie = "argocd.token"

// maxCookies bounds how many cookies a token may be split into.
const maxCookies = 20

// Token returns the token that a request came with: the metadata token of gRPC, the header Authorization, or the cookie; "" if
// there is none.
func Token(r *http.Request) string {
	if token := r.Header.Get("Token"); token != "" {
		return token
	}
	if scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	return cookieToken(r)
}

func cookieToken(r *http.Request) string {
	first, err := r.Cookie(tokenCookie)
	if err != nil {
		return ""
	}
	count, text, split := strings.Cut(first.Value, ":")
	if !split {
		return first.Value
	}
	n, err := strconv.Atoi(count)
	if err != nil || n < 1 || n > maxCookies {
		return ""
	}
	var out strings.Builder
	out.WriteString(text)
	for i := 1; i < n; i++ {
		part, err := r.Cookie(tokenCookie + "-" + strconv.Itoa(i))
		if err != nil {
			return ""
		}
		out.WriteString(part.Value)
	}
	return out.String()
}
