// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/bowline-cd/bowline/internal/auth/connector"
	"github.com/bowline-cd/bowline/internal/auth/seal"
	"github.com/bowline-cd/bowline/internal/fault"
)

// formTime is how long a form may lie open.
const formTime = time.Hour

// crossOrigin refuses forms that another site posts.
var crossOrigin = http.NewCrossOriginProtection()

// showForm shows the form with a secret that the browser also has as a cookie: a form of another site does not know it.
func (st *site) showForm(w http.ResponseWriter, f form, status int) error {
	f.Secret = seal.Random()
	c := st.cookie(cookieForm, f.Secret, http.SameSiteStrictMode, formTime)
	c.Path = strings.TrimRight(st.root(), "/") + dexPath + "/login"
	http.SetCookie(w, c)
	showForm(w, f, status)
	return nil
}

// password reads the form and asks the connector.
func (s *SignIn) password(w http.ResponseWriter, r *http.Request, st *site, c connector.Connector, way connector.Password, asked string, f form) error {
	if err := r.ParseForm(); err != nil {
		return refusal{http.StatusBadRequest, "the form cannot be read"}
	}
	cookie, err := r.Cookie(cookieForm)
	if err != nil || cookie.Value == "" || !same(cookie.Value, r.PostFormValue("secret")) || crossOrigin.Check(r) != nil {
		return refusal{http.StatusForbidden, "the form is not one that this browser was shown here; load it again"}
	}
	f.Username = r.PostFormValue("username")
	var who connector.Identity
	var failed error
	err = s.deps.Throttle.Attempt(r.Context(), "connector "+c.ID+" "+strings.ToLower(strings.TrimSpace(f.Username)), func() bool {
		who, failed = way.Login(r.Context(), f.Username, r.PostFormValue("password"))
		return !errors.Is(failed, connector.ErrWrong) // a directory that is away says nothing about the password
	})
	switch {
	case errors.Is(failed, connector.ErrWrong), err != nil && fault.CodeOf(err) == fault.Unauthenticated:
		s.deps.Log.Info("signing in is refused", "where", c.ID, "error", "wrong name or password, or too many attempts", "from", r.RemoteAddr)
		f.Problem = "Wrong user name or password, or too many attempts."
		return st.showForm(w, f, http.StatusUnauthorized)
	case err != nil:
		return s.failed(err)
	case failed != nil:
		return s.refused(named(c), failed)
	}
	return s.complete(w, r, st, c, asked, who)
}
