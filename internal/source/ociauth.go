// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/bowline-cd/bowline/internal/fault"
)

// registryPass is a token that a registry's token service gave for one repository.
type registryPass struct {
	value fault.Secret
	until time.Time
}

const (
	maxTokenReply = 128 << 10
	// shortestPass is how long a token counts whose service says nothing about it (Docker token authentication).
	shortestPass = time.Minute
)

// send sends a request with what the registry asked for before, and once more with what it asks for now. Credentials leave
// in two ways only: to the registry itself, and to the token service that it names, see askToken.
func (g *ociRegistry) send(req *http.Request, path string) (*http.Response, error) {
	ctx := req.Context()
	who, err := g.who(ctx)
	if err != nil {
		return nil, err
	}
	if value := g.remembered(who, path); value != "" {
		req.Header.Set("Authorization", value)
	}
	answer, err := g.shop.web.client.Do(req)
	if err != nil || answer.StatusCode != http.StatusUnauthorized || originOf(answer.Request.URL) != g.shop.web.own {
		return answer, err
	}
	value, err := g.answerChallenge(ctx, who, path, answer.Header.Values("WWW-Authenticate"))
	if err != nil || value == "" {
		if err != nil {
			drain(answer.Body)
			return nil, err
		}
		return answer, nil
	}
	drain(answer.Body)
	again := req.Clone(ctx)
	again.Header.Set("Authorization", value)
	answer, err = g.shop.web.client.Do(again)
	if err == nil && answer.StatusCode == http.StatusUnauthorized {
		g.forget(path)
	}
	return answer, err
}

// remembered returns the header that the registry accepted before; "" if it was not asked yet or what it gave has ended.
func (g *ociRegistry) remembered(who login, path string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	pass, ok := g.tokens[path]
	switch {
	case !who.bearer.Empty():
		return who.header()
	case ok && g.shop.all.store.clock.Now().Before(pass.until):
		return "Bearer " + pass.value.Reveal()
	case g.basic:
		return who.header()
	}
	return ""
}

func (g *ociRegistry) forget(path string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.basic = false
	delete(g.tokens, path)
}

// answerChallenge returns the header that a registry asks for; "" if there is none to give.
func (g *ociRegistry) answerChallenge(ctx context.Context, who login, path string, headers []string) (string, error) {
	for _, c := range parseChallenges(headers) {
		switch {
		case c.scheme == "bearer" && who.bearer.Empty() && c.params["realm"] != "":
			pass, err := g.askToken(ctx, who, path, c)
			if err != nil {
				return "", err
			}
			g.mu.Lock()
			g.tokens[path] = pass
			g.mu.Unlock()
			return "Bearer " + pass.value.Reveal(), nil
		case c.scheme == "basic" && who.bearer.Empty() && who.header() != "":
			g.mu.Lock()
			g.basic = true
			g.mu.Unlock()
			return who.header(), nil
		}
	}
	return "", nil
}

// askToken asks the service that a registry names for a token to pull (https://distribution.github.io/distribution/spec/auth/token).
// It is told the credentials, so it has to be the registry's own host or be reached by https, and never by less than the
// registry is.
func (g *ociRegistry) askToken(ctx context.Context, who login, path string, c challenge) (registryPass, error) {
	u, err := url.Parse(c.params["realm"])
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return registryPass{}, &UnreachableError{Problem: ProblemAuth, Detail: "the registry names a token service that is no web address"}
	}
	if at := originOf(u); u.Scheme != "https" && (at.host != g.shop.web.own.host || g.at.scheme == "https") {
		return registryPass{}, &UnreachableError{Problem: ProblemAuth, Detail: "the registry sends to the host " + at.host + " for a token, without encryption"}
	}
	query := u.Query()
	scope := c.params["scope"]
	if scope == "" {
		scope = "repository:" + path + ":pull"
	}
	query.Set("scope", scope)
	if service := c.params["service"]; service != "" {
		query.Set("service", service)
	}
	u.RawQuery, u.User, u.Fragment = query.Encode(), nil, ""
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return registryPass{}, err
	}
	if value := who.header(); value != "" {
		req.Header.Set("Authorization", value)
	}
	at := g.shop.all.store.clock.Now()
	answer, err := g.shop.web.client.Do(req) //nolint:bodyclose // drain closes it
	if err != nil {
		return registryPass{}, err
	}
	defer drain(answer.Body)
	if err := checkStatus(answer, who.header() == ""); err != nil || answer.StatusCode != http.StatusOK {
		return registryPass{}, noToken(err, u.Host, answer.StatusCode)
	}
	return readToken(answer.Body, u.Host, at)
}

// noToken says whose answer it is; a token service that is not there says nothing about the registry's content.
func noToken(err error, host string, status int) error {
	problem := ProblemAuth
	var known *UnreachableError
	if errors.As(err, &known) {
		problem = known.Problem
	}
	return &UnreachableError{Problem: problem, Detail: "the registry's token service at " + host + " answers " + statusText(status)}
}

func readToken(body io.Reader, host string, at time.Time) (registryPass, error) {
	var reply struct {
		Token       string  `json:"token"`
		AccessToken string  `json:"access_token"`
		ExpiresIn   float64 `json:"expires_in"`
	}
	text, err := io.ReadAll(io.LimitReader(body, maxTokenReply))
	if err != nil {
		return registryPass{}, err
	}
	if json.Unmarshal(text, &reply) != nil {
		reply.Token, reply.AccessToken = "", ""
	}
	if reply.Token == "" {
		reply.Token = reply.AccessToken
	}
	if reply.Token == "" || control.MatchString(reply.Token) {
		return registryPass{}, &UnreachableError{Problem: ProblemAuth, Detail: "the registry's token service at " + host + " gives no token"}
	}
	life := min(max(time.Duration(reply.ExpiresIn)*time.Second, shortestPass), time.Hour)
	return registryPass{fault.NewSecret(reply.Token), at.Add(life * 9 / 10)}, nil
}

// challenge is one of the ways in which a server wants to know who asks (RFC 9110 section 11.6.1).
type challenge struct {
	scheme string // in lower case
	params map[string]string
}

// parseChallenges reads WWW-Authenticate headers. What cannot be read is left out.
func parseChallenges(headers []string) []challenge {
	var out []challenge
	for _, rest := range headers {
		for rest = strings.TrimLeft(rest, " \t,"); rest != ""; rest = strings.TrimLeft(rest, " \t,") {
			word := token68(rest)
			if word == "" {
				break
			}
			rest = strings.TrimLeft(rest[len(word):], " \t")
			if !strings.HasPrefix(rest, "=") {
				out = append(out, challenge{strings.ToLower(word), map[string]string{}})
				continue
			}
			var text string
			if text, rest = paramValue(strings.TrimLeft(rest[1:], " \t")); len(out) > 0 {
				out[len(out)-1].params[strings.ToLower(word)] = text
			}
		}
	}
	return out
}

// token68 returns the word at the begin of a text.
func token68(text string) string {
	end := strings.IndexAny(text, " \t,=\"")
	if end < 0 {
		return text
	}
	return text[:end]
}

// paramValue returns the value at the begin of a text, quoted or not, and what follows.
func paramValue(text string) (value, rest string) {
	if !strings.HasPrefix(text, `"`) {
		end := strings.IndexAny(text, " \t,")
		if end < 0 {
			return text, ""
		}
		return text[:end], text[end:]
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			if i++; i < len(text) {
				b.WriteByte(text[i])
			}
		case '"':
			return b.String(), text[i+1:]
		default:
			b.WriteByte(text[i])
		}
	}
	return b.String(), ""
}
