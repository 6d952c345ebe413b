// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"cmp"
	"encoding/json"
	"math"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Claims are what a token says about its owner. Nobody checked it: that is for the server to do.
type Claims struct {
	Issuer, Subject, ID, Email, Name string
	Issued, Expires                  time.Time
}

// Read reads a token without checking it; ok is false if it is none.
func Read(token string) (c Claims, ok bool) {
	claims := jwt.MapClaims{}
	if _, _, err := jwt.NewParser(jwt.WithoutClaimsValidation(), jwt.WithJSONNumber()).ParseUnverified(token, claims); err != nil {
		return Claims{}, false
	}
	text := func(name string) string {
		s, _ := claims[name].(string)
		return s
	}
	c = Claims{Issuer: text("iss"), Subject: text("sub"), ID: text("jti"), Email: text("email"), Name: text("name"), Issued: at(claims["iat"]), Expires: at(claims["exp"])}
	return c, true
}

// at reads a NumericDate (RFC 7519, section 2); zero if it is none.
func at(claim any) time.Time {
	number, ok := claim.(json.Number)
	if !ok {
		return time.Time{}
	}
	seconds, err := number.Float64()
	if err != nil || math.Abs(seconds) > 1<<40 {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0).UTC()
}

// Expiry returns when a token ends; ok is false if it does not say.
func Expiry(token string) (time.Time, bool) {
	c, ok := Read(token)
	return c.Expires, ok && !c.Expires.IsZero()
}

// Account returns the name of the local account that a token is of: its subject is "name:capability".
func (c Claims) Account() string {
	name, _, _ := strings.Cut(c.Subject, ":")
	return name
}

// Local reports whether a token is of a local account.
func (c Claims) Local() bool { return c.Issuer == "argocd" }

// Who is how somebody is called.
func (c Claims) Who() string { return cmp.Or(c.Email, c.Name, c.Subject) }
