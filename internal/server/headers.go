// SPDX-License-Identifier: Apache-2.0

package server

import (
	"cmp"
	"net/http"
)

// Headers are the headers that tell a browser what a page of ours may do. "" is the default.
type Headers struct {
	// FrameOptions is X-Frame-Options, ContentSecurityPolicy the header of that name.
	FrameOptions, ContentSecurityPolicy string
}

// What a page may do by default: run its own scripts and nothing else, be framed by nobody, send forms to nobody else. Trusted
// Types make text from elsewhere useless as markup (https://www.w3.org/TR/trusted-types/).
const (
	defaultFrameOptions          = "DENY"
	defaultContentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
		"manifest-src 'self'; form-action 'self'; base-uri 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)

// withHeaders sets them on every answer. A handler may set a stricter policy for a page of its own.
func (h Headers) withHeaders(next http.Handler) http.Handler {
	frame, policy := cmp.Or(h.FrameOptions, defaultFrameOptions), cmp.Or(h.ContentSecurityPolicy, defaultContentSecurityPolicy)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Cache-Control", "no-store")
		header.Set("X-Frame-Options", frame)
		header.Set("Content-Security-Policy", policy)
		header.Set("Referrer-Policy", "same-origin")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		if r.TLS != nil {
			header.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}
