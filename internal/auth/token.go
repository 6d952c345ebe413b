// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/bowline-cd/bowline/internal/fault"
)

// Issuer is the issuer of our own tokens; Argo CD's are the same, so that tokens outlive a move in either direction.
const Issuer = "argocd"

const (
	// maxToken is how long a token may be that is looked at.
	maxToken = 16 << 10
	// ahead is how far the clock of another replica may be ahead of ours.
	ahead = 5 * time.Second
	// minKey is how long the key has to be that tokens are signed with.
	minKey = 16
)

// claims are those of our own tokens.
type claims struct {
	Issuer    string   `json:"iss"`
	Subject   string   `json:"sub"`
	ID        string   `json:"jti,omitempty"`
	IssuedAt  seconds  `json:"iat"`
	NotBefore seconds  `json:"nbf,omitempty"`
	Expires   seconds  `json:"exp,omitempty"`
	Audience  audience `json:"aud,omitempty"`
}

// seconds are those since 1970. Other programs may write fractions.
type seconds int64

// UnmarshalJSON reads a number.
func (s *seconds) UnmarshalJSON(raw []byte) error {
	var n json.Number
	if err := json.Unmarshal(raw, &n); err != nil {
		return err
	}
	f, err := n.Float64()
	if err != nil || f < 0 || f > 1<<40 {
		return errors.New("a time of the token is none")
	}
	*s = seconds(f)
	return nil
}

func (s seconds) time() time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(int64(s), 0)
}

// audience is whom a token is meant for. Ours are for nobody else, so they name none.
type audience json.RawMessage

// UnmarshalJSON keeps what is said.
func (a *audience) UnmarshalJSON(raw []byte) error { *a = append((*a)[:0], raw...); return nil }

// The checks that jwt would do are ours: it asks for these methods.

func (c *claims) GetExpirationTime() (*jwt.NumericDate, error) { return nil, nil }
func (c *claims) GetIssuedAt() (*jwt.NumericDate, error)       { return nil, nil }
func (c *claims) GetNotBefore() (*jwt.NumericDate, error)      { return nil, nil }
func (c *claims) GetIssuer() (string, error)                   { return c.Issuer, nil }
func (c *claims) GetSubject() (string, error)                  { return c.Subject, nil }
func (c *claims) GetAudience() (jwt.ClaimStrings, error)       { return nil, nil }

// headers are what the header of our own tokens may have: nothing that would ask to be read in another way.
var headers = map[string]bool{"alg": true, "typ": true}

var parser = jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithoutClaimsValidation(), jwt.WithStrictDecoding())

// Ours reports whether a token says of itself that we issued it. That is not checked.
func Ours(token string) bool {
	if len(token) > maxToken {
		return false
	}
	c := claims{}
	_, _, err := jwt.NewParser().ParseUnverified(token, &c)
	return err == nil && c.Issuer == Issuer
}

// sign makes a token.
func sign(c *claims, key fault.Secret) (string, error) {
	if len(key.Reveal()) < minKey {
		return "", fault.New(fault.Stalled, "issue", "a token", "key server.secretkey of Secret argocd-secret", "it is missing or short", "put at least 32 random bytes there")
	}
	return jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString([]byte(key.Reveal()))
}

// read checks who signed a token and when it counts.
func read(token string, key fault.Secret, now time.Time) (*claims, error) {
	if len(token) > maxToken {
		return nil, errors.New("it is too long")
	}
	if len(key.Reveal()) < minKey {
		return nil, errors.New("there is no key that it could be signed with")
	}
	c := &claims{}
	parsed, err := parser.ParseWithClaims(token, c, func(t *jwt.Token) (any, error) {
		for name := range t.Header {
			if !headers[name] {
				return nil, fmt.Errorf("its header has %q", name)
			}
		}
		return []byte(key.Reveal()), nil
	})
	if err != nil || !parsed.Valid {
		return nil, cmp.Or(err, errors.New("it is not valid"))
	}
	return c, c.check(now)
}

func (c *claims) check(now time.Time) error {
	switch {
	case c.Issuer != Issuer:
		return errors.New("somebody else issued it")
	case len(c.Audience) > 0:
		return errors.New("it is meant for somebody else")
	case c.Subject == "":
		return errors.New("it names nobody")
	case c.IssuedAt == 0:
		return errors.New("it does not say when it was issued")
	case c.IssuedAt.time().After(now.Add(ahead)), c.NotBefore.time().After(now.Add(ahead)):
		return errors.New("it is from the future")
	}
	return nil
}

// newID returns an id that cannot be guessed.
func newID() string {
	id := make([]byte, 16)
	_, _ = rand.Read(id)
	return hex.EncodeToString(id)
}

// subject takes the subject of an account's token apart. Without a capability it is a key, as in tokens of old versions.
func subject(sub string) (account string, kind Kind, err error) {
	account, capability, found := strings.Cut(sub, ":")
	switch {
	case !found || Capability(capability) == CanHaveKeys:
		return account, APIKey, nil
	case Capability(capability) == CanLogin:
		return account, Login, nil
	}
	return "", "", errors.New("its subject is not one of ours")
}
