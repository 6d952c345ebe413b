// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/bowline-cd/bowline/internal/fault"
)

// unknownLife is how long a token is used of which nobody says how long it lives.
const unknownLife = 10 * time.Minute

// maxTokenAnswer bounds the answer to a request for a token.
const maxTokenAnswer = 1 << 20

// reply is the answer of a host that gives out tokens.
type reply struct {
	status int
	date   time.Time // by the server's clock; zero if it does not say
	body   []byte
}

func (d desk) exchange(client *http.Client, req *http.Request) (reply, error) {
	answer, err := client.Do(req) //nolint:bodyclose // drain closes it
	if err != nil {
		return reply{}, requestError(req.URL, err)
	}
	defer drain(answer.Body)
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxTokenAnswer))
	if err != nil {
		return reply{}, requestError(req.URL, err)
	}
	date, err := http.ParseTime(answer.Header.Get("Date"))
	if err != nil {
		date = time.Time{}
	}
	return reply{answer.StatusCode, date, body}, nil
}

func requestError(at *url.URL, err error) error {
	problem, detail := webProblem(err)
	return &UnreachableError{Problem: problem, Detail: "no token from " + at.Host + ": " + detail}
}

// refusal is the error for an answer that holds no token. what says which request it answers, said what the server
// says about it, secrets what must not be repeated from that.
func (d desk) refusal(at *url.URL, got reply, what, said string, secrets ...string) error {
	said = redact(said, secrets)
	if said = strings.Join(strings.Fields(said), " "); len(said) > 300 {
		said = strings.ToValidUTF8(said[:300], "") + "…"
	}
	detail := fmt.Sprintf("%s: %s answers %d %s", what, at.Host, got.status, http.StatusText(got.status))
	if said != "" {
		detail += ", saying: " + said
	}
	problem := ProblemAuth
	switch {
	case got.status >= 300 && got.status < 400:
		problem = ProblemRedirect
	case got.status == http.StatusTooManyRequests, got.status >= 500, got.status == http.StatusForbidden && strings.Contains(strings.ToLower(said), "rate limit"):
		problem = ProblemServer
	case !got.date.IsZero():
		if off := d.clock.Since(got.date); off.Abs() > time.Minute {
			detail += fmt.Sprintf("; the clock here is %s %s the server's, which makes tokens invalid: set the time of this machine",
				off.Abs().Round(time.Second), map[bool]string{true: "ahead of", false: "behind"}[off > 0])
		}
	}
	return &UnreachableError{Problem: problem, Detail: detail}
}

// grant asks an OAuth 2.0 token endpoint (RFC 6749, section 4.4; RFC 7523) and returns the access token.
func (d desk) grant(ctx context.Context, client *http.Client, endpoint, what string, form url.Values) (fault.Secret, time.Time, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return fault.Secret{}, time.Time{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	got, err := d.exchange(client, req)
	if err != nil {
		return fault.Secret{}, time.Time{}, err
	}
	var answer struct {
		AccessToken  string      `json:"access_token"`
		RefreshToken string      `json:"refresh_token"` // what a container registry of Azure gives
		ExpiresIn    json.Number `json:"expires_in"`
		Error        string      `json:"error"`
		Description  string      `json:"error_description"`
	}
	bad := json.Unmarshal(got.body, &answer) != nil
	value := answer.AccessToken + answer.RefreshToken
	if got.status != http.StatusOK || bad || value == "" || newline.MatchString(value) {
		said, _, _ := strings.Cut(answer.Description, "Trace ID:")
		return fault.Secret{}, time.Time{}, d.refusal(req.URL, got, what, strings.TrimSpace(answer.Error+" "+said),
			form.Get("assertion"), form.Get("client_secret"), form.Get("client_assertion"), form.Get("access_token"))
	}
	life := unknownLife
	if seconds, err := answer.ExpiresIn.Int64(); err == nil && seconds > 0 {
		life = time.Duration(min(seconds, 24*3600)) * time.Second
	}
	return fault.NewSecret(value), d.clock.Now().Add(life), nil
}

// parseTokenAddress checks the address of a host that is sent proofs of identity: https only, but for this machine itself.
func parseTokenAddress(s *corev1.Secret, key, address string) (string, error) {
	address = strings.TrimRight(address, "/")
	u, err := url.Parse(address)
	if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" || !hostName.MatchString(u.Hostname()) || control.MatchString(unescaped(address)) {
		return "", unusable(s, key, "it is not an address", "write it as https://host/path")
	}
	host, err := netip.ParseAddr(u.Hostname())
	if u.Scheme != "https" && (u.Scheme != "http" || err != nil || !host.IsLoopback()) {
		return "", unusable(s, key, "proofs of identity are sent there, and it is not https", "write it as https://host/path")
	}
	return address, nil
}
