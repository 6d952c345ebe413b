// SPDX-License-Identifier: Apache-2.0

// Package oauth signs people in at GitHub and GitLab, whose way is OAuth 2 and an API of their own to ask who it is and in which
// groups, as Dex's connectors of the types github and gitlab do.
package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"time"

	"golang.org/x/oauth2"

	"github.com/bowline-cd/bowline/internal/auth/connector"
	"github.com/bowline-cd/bowline/internal/fault"
)

// flow is the part that both have in common.
type flow struct {
	name   string
	config oauth2.Config
	client *http.Client
	// ask reads who it is with a client that shows the token.
	ask func(ctx context.Context, c *http.Client) (connector.Identity, error)
}

var (
	_ connector.Redirect  = (*flow)(nil)
	_ connector.Refresher = (*flow)(nil)
)

// held is what is remembered of a person: what their browser brought.
type held struct {
	Access  string `json:"access"`
	Refresh string `json:"refresh,omitempty"`
}

// Begin implements connector.Redirect.
func (f *flow) Begin(_ context.Context, state string) (connector.Departure, error) {
	verifier := oauth2.GenerateVerifier()
	return connector.Departure{URL: f.config.AuthCodeURL(state, oauth2.S256ChallengeOption(verifier)), Memo: []byte(verifier)}, nil
}

func (f *flow) context(ctx context.Context) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, f.client)
}

// Finish implements connector.Redirect.
func (f *flow) Finish(r *http.Request, memo []byte) (connector.Identity, error) {
	if what := r.FormValue("error"); what != "" {
		return connector.Identity{}, fmt.Errorf("%s refuses: %s %s", f.name, what, r.FormValue("error_description"))
	}
	token, err := f.config.Exchange(f.context(r.Context()), r.FormValue("code"), oauth2.VerifierOption(string(memo)))
	if err != nil {
		return connector.Identity{}, f.refused(err)
	}
	return f.identity(r.Context(), token)
}

// Refresh implements connector.Refresher.
func (f *flow) Refresh(ctx context.Context, before connector.Identity) (connector.Identity, error) {
	var h held
	if err := json.Unmarshal(before.Memory, &h); err != nil || h.Access == "" {
		return connector.Identity{}, errors.New("what was remembered of the person cannot be read")
	}
	token := &oauth2.Token{AccessToken: h.Access}
	if h.Refresh != "" {
		var err error
		spent := &oauth2.Token{RefreshToken: h.Refresh, Expiry: time.Unix(1, 0)}
		if token, err = f.config.TokenSource(f.context(ctx), spent).Token(); err != nil {
			return connector.Identity{}, f.refused(err)
		}
	}
	return f.identity(ctx, token)
}

func (f *flow) identity(ctx context.Context, token *oauth2.Token) (connector.Identity, error) {
	who, err := f.ask(ctx, f.config.Client(f.context(ctx), token))
	if err != nil {
		return who, err
	}
	who.Memory, err = json.Marshal(held{Access: token.AccessToken, Refresh: token.RefreshToken})
	return who, err
}

func (f *flow) refused(err error) error {
	var e *oauth2.RetrieveError
	if errors.As(err, &e) && e.ErrorCode != "" {
		return fmt.Errorf("%s refuses: %s %s", f.name, e.ErrorCode, e.ErrorDescription)
	}
	if errors.As(err, &e) {
		return fmt.Errorf("%s answers %s", f.name, e.Response.Status)
	}
	return fault.Wrap(fault.Retry, "reach", f.name, err, "check that it can be reached from here")
}

// nextPage is the link to the page after this one (RFC 8288).
var nextPage = regexp.MustCompile(`<([^>]+)>;\s*rel="next"`)

// maxPages bounds how many pages of a list are read.
const maxPages = 100

// get reads JSON into v and returns the address of the next page, "" if there is none.
func get(ctx context.Context, c *http.Client, address string, v any) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	request.Header.Set("Accept", "application/json")
	answer, err := c.Do(request)
	if err != nil {
		return "", fault.Wrap(fault.Retry, "ask", fault.RedactURL(address), err, "check that it can be reached from here")
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answers %s", fault.RedactURL(address), answer.Status)
	}
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		return "", err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return "", fmt.Errorf("%s does not answer in JSON", fault.RedactURL(address))
	}
	if m := nextPage.FindStringSubmatch(answer.Header.Get("Link")); m != nil {
		return m[1], nil
	}
	return "", nil
}

// all reads every page of a list.
func all[T any](ctx context.Context, c *http.Client, address string) ([]T, error) {
	var out []T
	for range maxPages {
		var page []T
		next, err := get(ctx, c, address, &page)
		if err != nil {
			return nil, err
		}
		out = append(out, page...)
		if next == "" {
			return out, nil
		}
		address = next
	}
	return nil, fmt.Errorf("%s has more than %d pages", fault.RedactURL(address), maxPages)
}
