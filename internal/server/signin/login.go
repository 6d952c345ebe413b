// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/bowline-cd/bowline/internal/auth/oidc"
	"github.com/bowline-cd/bowline/internal/auth/seal"
)

// loginTime is how long a person may take at the provider.
const loginTime = 15 * time.Minute

// What is sealed in cookies, and for what.
const (
	purposeDeparture = "departure"
	purposeTrip      = "trip"
	cookieDeparture  = "bowline.signin."
	cookieTrip       = "bowline.connector."
	cookieForm       = "bowline.form"
)

var errNothing = refusal{http.StatusNotFound, "single sign-on is not configured here"}

// login sends a browser to the provider.
func (s *SignIn) login(w http.ResponseWriter, r *http.Request) error {
	st, err := s.now(r.Context())
	if err != nil {
		return s.failed(err)
	}
	if st.relying == nil {
		if st.problems != nil {
			return s.failed(st.problems)
		}
		return errNothing
	}
	back := strings.ReplaceAll(r.URL.Query().Get("return_url"), " ", "%20")
	if !st.ours(back) {
		return refusal{http.StatusBadRequest, "return_url leads away from here: it has to be an address below that of Bowline"}
	}
	d := oidc.Departure{State: seal.Random(), Nonce: seal.Random(), Redirect: st.base(r.Host) + callbackPath, Return: back}
	address, err := st.relying.Address(r.Context(), &d)
	if err != nil {
		return s.failed(err)
	}
	sealed, err := st.box.Seal(purposeDeparture, d, s.deps.Clock.Now().Add(loginTime))
	if err != nil {
		return err
	}
	// Each sign-in has a cookie of its own: of several tabs at once each comes to its end.
	http.SetCookie(w, st.cookie(cookieDeparture+d.State[:12], sealed, http.SameSiteLaxMode, loginTime))
	http.Redirect(w, r, address, http.StatusSeeOther)
	return nil
}

// callback is where the provider sends the browser back.
func (s *SignIn) callback(w http.ResponseWriter, r *http.Request) error {
	st, err := s.now(r.Context())
	if err != nil {
		return s.failed(err)
	}
	if st.relying == nil {
		return errNothing
	}
	d, err := s.departure(w, r, st)
	if err != nil {
		return err
	}
	query := r.URL.Query()
	if what := query.Get("error"); what != "" {
		return refusal{http.StatusForbidden, "the provider refuses: " + what + " " + query.Get("error_description")}
	}
	token, who, err := st.relying.Arrive(r.Context(), d, query.Get("code"), s.deps.Scopes())
	if err != nil {
		return s.refused("the provider's answer", err)
	}
	if err := st.keepToken(w, r, token); err != nil {
		return err
	}
	s.deps.Log.Info("signed in", "user", who.Subject, "name", who.Username, "issuer", who.Issuer, "from", r.RemoteAddr)
	back := d.Return
	if back == "" {
		back = strings.TrimSuffix(d.Redirect, callbackPath) + "/"
	}
	http.Redirect(w, r, back, http.StatusSeeOther)
	return nil
}

// departure opens and clears the cookie of the sign-in that came back. That this very browser began it is what keeps others from
// having it signed in as them.
func (s *SignIn) departure(w http.ResponseWriter, r *http.Request, st *site) (oidc.Departure, error) {
	var d oidc.Departure
	lost := refusal{http.StatusBadRequest, "this browser did not begin to sign in here, or took too long; try again"}
	state := r.URL.Query().Get("state")
	if len(state) < 12 {
		return d, lost
	}
	name := cookieDeparture + state[:12]
	cookie, err := r.Cookie(name)
	if err != nil || st.box.Open(purposeDeparture, cookie.Value, s.deps.Clock.Now(), &d) != nil || !same(d.State, state) {
		return d, lost
	}
	http.SetCookie(w, st.cookie(name, "", http.SameSiteLaxMode, -1))
	if !st.ours(d.Return) {
		return d, lost
	}
	return d, nil
}

// logout ends the session that a browser shows and forgets it.
func (s *SignIn) logout(w http.ResponseWriter, r *http.Request) error {
	st, err := s.now(r.Context())
	if err != nil {
		return s.failed(err)
	}
	base := st.base(r.Host)
	next := base + "/"
	token := s.deps.Token(r)
	if r.Header.Get("Sec-Fetch-Site") == "cross-site" { // another site's page may lead here, but ends no session
		token = ""
	} else {
		st.dropToken(w, r)
	}
	if token == "" {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return nil
	}
	who, err := s.deps.Verify(r.Context(), token)
	if err == nil {
		if err := s.deps.Revoke(r.Context(), who); err != nil {
			return s.failed(err)
		}
		if st.relying != nil && who.Issuer == st.relying.Config().Issuer && st.relying.Config().LogoutURL != "" {
			next = st.relying.Config().LeavingAddress(token, base)
		}
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

// ours reports whether a return address stays here: a path, or an address whose scheme, host and path are below one of ours. Browsers
// read \ as / and skip control characters: neither is in an address of ours.
func (st *site) ours(back string) bool {
	if back == "" {
		return true
	}
	for _, c := range back {
		if c == '\\' || c < ' ' || c == 0x7f {
			return false
		}
	}
	u, err := url.Parse(back)
	if err != nil || u.User != nil || u.Opaque != "" {
		return false
	}
	if u.Scheme == "" && u.Host == "" {
		return strings.HasPrefix(back, "/") && !strings.HasPrefix(back, "//")
	}
	for _, address := range st.addresses() {
		b, err := url.Parse(address)
		if err != nil || b.Host == "" || b.Scheme != u.Scheme || !strings.EqualFold(b.Host, u.Host) {
			continue
		}
		if root := strings.TrimRight(b.Path, "/"); path.Clean("/"+u.Path) == root || strings.HasPrefix(path.Clean("/"+u.Path)+"/", root+"/") {
			return true
		}
	}
	return false
}

// failed notes what is wrong on our side. The person at the browser is told no more than that.
func (s *SignIn) failed(err error) error {
	s.deps.Log.Warn("signing in fails", "error", err)
	return err
}
