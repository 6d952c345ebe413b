// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/bowline-cd/bowline/internal/auth/connector"
	"github.com/bowline-cd/bowline/internal/auth/issuer"
	"github.com/bowline-cd/bowline/internal/auth/seal"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Bounds of what a browser posts: a form, and what a SAML provider has it carry.
const (
	maxForm = 64 << 10
	maxPost = 2 << 20
)

// dex answers below /api/dex: the endpoints of the issuer and the pages of the connectors.
func (s *SignIn) dex(w http.ResponseWriter, r *http.Request) error {
	st, err := s.now(r.Context())
	if err != nil {
		return s.failed(err)
	}
	if st.issuer == nil {
		if st.settings.Dex != "" && st.problems != nil {
			return s.failed(st.problems)
		}
		return errNothing
	}
	_, below, _ := strings.Cut(r.URL.Path, dexPath)
	id, isLogin := strings.CutPrefix(below, "/login/")
	switch {
	case issuer.Serves(below):
		r.Body = http.MaxBytesReader(w, r.Body, maxPost)
		inner := r.Clone(r.Context())
		inner.URL.Path, inner.URL.RawPath = below, ""
		st.issuer.ServeHTTP(w, inner)
		return nil
	case below == "/login":
		return s.choose(w, r, st)
	case isLogin:
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		return s.enter(w, r, st, id)
	case below == "/callback":
		r.Body = http.MaxBytesReader(w, r.Body, maxPost)
		return s.arrived(w, r, st)
	}
	return refusal{http.StatusNotFound, "there is nothing at this address"}
}

var errRequest = refusal{http.StatusBadRequest, "the request to sign in is not one of ours, or is too old; begin again"}

// choose asks which way to sign in, unless there is only one.
func (s *SignIn) choose(w http.ResponseWriter, r *http.Request, st *site) error {
	asked := r.URL.Query().Get("req")
	name, _, err := st.issuer.Request(asked)
	if err != nil {
		return errRequest
	}
	if len(st.connectors) == 0 {
		return s.failed(errors.Join(st.problems, fault.New(fault.Stalled, "sign in", "", "dex.config", "it has no connector that works", "correct its connectors")))
	}
	if len(st.connectors) == 1 {
		http.Redirect(w, r, st.loginPage(st.connectors[0].ID, asked), http.StatusSeeOther)
		return nil
	}
	var ways []way
	for _, c := range st.connectors {
		ways = append(ways, way{Name: named(c), URL: st.loginPage(c.ID, asked)})
	}
	showChoice(w, name, ways)
	return nil
}

func (st *site) loginPage(id, asked string) string {
	return strings.TrimRight(st.settings.URL, "/") + dexPath + "/login/" + url.PathEscape(id) + "?req=" + url.QueryEscape(asked)
}

func named(c connector.Connector) string {
	if c.Name != "" {
		return c.Name
	}
	return c.ID
}

// enter begins with one connector: its form, or a trip to its provider.
func (s *SignIn) enter(w http.ResponseWriter, r *http.Request, st *site, id string) error {
	asked := r.URL.Query().Get("req")
	name, redirect, err := st.issuer.Request(asked)
	if err != nil {
		return errRequest
	}
	c, ok := st.connector(id)
	if !ok {
		return refusal{http.StatusNotFound, "there is no such way to sign in"}
	}
	switch w2 := c.Way.(type) {
	case connector.Password:
		f := form{Client: name, Connector: named(c), Prompt: w2.Prompt(), redirect: redirect}
		if r.Method == http.MethodPost {
			return s.password(w, r, st, c, w2, asked, f)
		}
		return st.showForm(w, f, http.StatusOK)
	case connector.Redirect:
		if r.Method == http.MethodPost {
			return refusal{http.StatusMethodNotAllowed, "there is nothing to POST here"}
		}
		return s.depart(w, r, st, c, w2, asked)
	}
	return refusal{http.StatusNotFound, "there is no such way to sign in"}
}

// trip is what is remembered, sealed in a cookie, while a browser is at a connector's provider.
type trip struct {
	State     string `json:"state"`
	Connector string `json:"connector"`
	Request   string `json:"request"`
	Memo      []byte `json:"memo"`
}

func (s *SignIn) depart(w http.ResponseWriter, r *http.Request, st *site, c connector.Connector, way connector.Redirect, asked string) error {
	t := trip{State: seal.Random(), Connector: c.ID, Request: asked}
	d, err := way.Begin(r.Context(), t.State)
	if err != nil {
		return s.failed(err)
	}
	t.Memo = d.Memo
	sealed, err := st.box.Seal(purposeTrip, t, s.deps.Clock.Now().Add(loginTime))
	if err != nil {
		return err
	}
	mode := http.SameSiteLaxMode
	if len(d.Fields) > 0 && st.secure() {
		mode = http.SameSiteNoneMode // the provider has the browser POST from its own site: a Lax cookie would stay behind
	}
	http.SetCookie(w, st.cookie(cookieTrip+t.State[:12], sealed, mode, loginTime))
	if len(d.Fields) > 0 {
		showPost(w, named(c), d)
		return nil
	}
	http.Redirect(w, r, d.URL, http.StatusSeeOther)
	return nil
}

// arrived is where a connector's provider sends the browser back.
func (s *SignIn) arrived(w http.ResponseWriter, r *http.Request, st *site) error {
	if err := r.ParseForm(); err != nil {
		return refusal{http.StatusBadRequest, "what the provider had this browser bring cannot be read"}
	}
	state := r.FormValue("state")
	if state == "" {
		state = r.FormValue("RelayState")
	}
	var t trip
	lost := refusal{http.StatusBadRequest, "this browser did not begin to sign in here, or took too long; try again"}
	if len(state) < 12 {
		return lost
	}
	cookie, err := r.Cookie(cookieTrip + state[:12])
	if err != nil || st.box.Open(purposeTrip, cookie.Value, s.deps.Clock.Now(), &t) != nil || !same(t.State, state) {
		return lost
	}
	http.SetCookie(w, st.cookie(cookieTrip+state[:12], "", http.SameSiteLaxMode, -1))
	c, ok := st.connector(t.Connector)
	way, isRedirect := c.Way.(connector.Redirect)
	if !ok || !isRedirect {
		return lost
	}
	who, err := way.Finish(r, t.Memo)
	if err != nil {
		return s.refused(named(c), err)
	}
	return s.complete(w, r, st, c, t.Request, who)
}

// complete hands who it is to the issuer, which sends the browser to the client.
func (s *SignIn) complete(w http.ResponseWriter, r *http.Request, st *site, c connector.Connector, asked string, who connector.Identity) error {
	_, offline := c.Way.(connector.Refresher)
	next, err := st.issuer.Complete(r.Context(), asked, c.ID, who, offline)
	if errors.Is(err, seal.ErrForeign) || errors.Is(err, seal.ErrLate) {
		return errRequest
	}
	if err != nil {
		return s.failed(err)
	}
	s.deps.Log.Info("a connector vouches for a person", "connector", c.ID, "user", who.UserID, "name", who.Email, "groups", len(who.Groups), "from", r.RemoteAddr)
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

// refused tells the person why a provider does not vouch for them. What is wrong with our settings is for the log.
func (s *SignIn) refused(where string, err error) error {
	s.deps.Log.Info("signing in is refused", "where", where, "error", err)
	var ours *fault.Error
	if errors.As(err, &ours) && fault.CodeOf(err) != fault.Unauthenticated || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return refusal{http.StatusForbidden, where + ": " + err.Error()}
}
