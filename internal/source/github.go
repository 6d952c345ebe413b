// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/bowline-cd/bowline/internal/fault"
)

// GitHubApp is an app of GitHub that may read a repository.
type GitHubApp struct {
	ID string
	// InstallationID says where the app is installed; "" to look it up by the owner of the repository.
	InstallationID string
	PrivateKey     fault.Secret // PEM
	// BaseURL is the address of the API, without a slash at the end; "" for that of github.com.
	BaseURL string
}

const githubAPI = "https://api.github.com"

var number = regexp.MustCompile(`^[0-9]{1,19}$`)

func (a GitHubApp) parts() []string {
	return []string{a.ID, a.InstallationID, a.PrivateKey.Reveal(), a.BaseURL}
}

func parseGitHubApp(s *corev1.Secret, r *Repository) error {
	text := func(key string) string { return strings.TrimSpace(string(s.Data[key])) }
	app := GitHubApp{ID: text("githubAppID"), InstallationID: text("githubAppInstallationID"), PrivateKey: fault.NewSecret(text("githubAppPrivateKey"))}
	if app == (GitHubApp{}) {
		return nil
	}
	switch {
	case !number.MatchString(app.ID):
		return unusable(s, "githubAppID", "it is not the number of an app", "set the App ID that the settings page of the GitHub App shows")
	case app.InstallationID != "" && !number.MatchString(app.InstallationID):
		return unusable(s, "githubAppInstallationID", "it is not the number of an installation", "set the number at the end of the installation's address, or leave it out to have it looked up")
	}
	if _, err := parseRSAKey(app.PrivateKey.Reveal()); err != nil {
		return unusable(s, "githubAppPrivateKey", err.Error(), "set the private key that the settings page of the GitHub App makes, whole")
	}
	if base := text("githubAppEnterpriseBaseUrl"); base != "" {
		var err error
		if app.BaseURL, err = parseTokenAddress(s, "githubAppEnterpriseBaseUrl", base); err != nil {
			return err
		}
	}
	r.GitHubApp = app
	return nil
}

// ownerOf returns the user or organisation in the address of a repository.
func ownerOf(address string) string {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil {
		return ""
	}
	owner, _, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
	return strings.ToLower(owner)
}

// githubIssuer gets installation access tokens:
// https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-as-a-github-app-installation
type githubIssuer struct {
	app   GitHubApp
	owner string
	wide  bool // with all rights of the installation, not only that to read contents
}

func (g githubIssuer) identity() []string {
	owner := g.owner
	if g.app.InstallationID != "" {
		owner = ""
	}
	return append(g.app.parts(), "github", owner, strconv.FormatBool(g.wide))
}

func (g githubIssuer) address() string {
	if g.app.BaseURL == "" {
		return githubAPI
	}
	return g.app.BaseURL
}

func (g githubIssuer) issue(ctx context.Context, d desk) (token, error) {
	now := d.clock.Now()
	// A minute before now, because clocks differ, and less than the ten minutes that GitHub allows.
	proof, err := signJWT(g.app.PrivateKey, "", map[string]any{"iat": now.Add(-time.Minute).Unix(), "exp": now.Add(9 * time.Minute).Unix(), "iss": g.app.ID})
	if err != nil {
		return token{}, &UnreachableError{Problem: ProblemAuth, Detail: "the private key of GitHub App " + g.app.ID + " cannot be used: " + err.Error()}
	}
	installation := g.app.InstallationID
	if installation == "" {
		if installation, err = g.lookUp(ctx, d, proof); err != nil {
			return token{}, err
		}
	}
	return g.token(ctx, d, proof, installation)
}

// lookUp finds where the app is installed for the owner, who is an organisation or a user.
func (g githubIssuer) lookUp(ctx context.Context, d desk, proof string) (string, error) {
	for _, kind := range []string{"/orgs/", "/users/"} {
		req, got, err := g.ask(ctx, d, proof, http.MethodGet, kind+url.PathEscape(g.owner)+"/installation", "")
		if err != nil {
			return "", err
		}
		var answer struct {
			ID      int64  `json:"id"`
			Message string `json:"message"`
		}
		bad := json.Unmarshal(got.body, &answer) != nil
		switch {
		case got.status == http.StatusNotFound:
			continue
		case got.status != http.StatusOK || bad || answer.ID <= 0:
			return "", d.refusal(req.URL, got, "looking for the installation of GitHub App "+g.app.ID+" for "+g.owner, answer.Message, proof)
		}
		return strconv.FormatInt(answer.ID, 10), nil
	}
	return "", &UnreachableError{Problem: ProblemAuth, Detail: fmt.Sprintf("GitHub App %s is not installed for %s: install it there, and let it read the contents of the repository", g.app.ID, g.owner)}
}

func (g githubIssuer) token(ctx context.Context, d desk, proof, installation string) (token, error) {
	rights := `{"permissions":{"contents":"read"}}`
	if g.wide {
		rights = "{}"
	}
	req, got, err := g.ask(ctx, d, proof, http.MethodPost, "/app/installations/"+installation+"/access_tokens", rights)
	if err != nil {
		return token{}, err
	}
	var answer struct {
		Token     string    `json:"token"`
		ExpiresAt time.Time `json:"expires_at"`
		Message   string    `json:"message"`
	}
	bad := json.Unmarshal(got.body, &answer) != nil
	what := fmt.Sprintf("a token of installation %s of GitHub App %s", installation, g.app.ID)
	switch {
	case got.status == http.StatusNotFound:
		return token{}, d.refusal(req.URL, got, what+", which has no such installation", answer.Message, proof)
	case got.status == http.StatusUnprocessableEntity && !g.wide:
		return token{}, d.refusal(req.URL, got, what+", which may not read contents: give the app that permission", answer.Message, proof)
	case got.status != http.StatusCreated || bad || answer.Token == "" || newline.MatchString(answer.Token):
		return token{}, d.refusal(req.URL, got, what, answer.Message, proof)
	}
	expires := answer.ExpiresAt
	if now := d.clock.Now(); !expires.After(now) { // it does not say, or by a clock that is not ours
		expires = now.Add(unknownLife)
	}
	return token{login{username: "x-access-token", password: fault.NewSecret(answer.Token)}, expires}, nil
}

func (g githubIssuer) ask(ctx context.Context, d desk, proof, method, path, body string) (*http.Request, reply, error) {
	req, err := http.NewRequestWithContext(ctx, method, g.address()+path, strings.NewReader(body))
	if err != nil {
		return nil, reply{}, err
	}
	req.Header.Set("Authorization", "Bearer "+proof)
	req.Header.Set("Accept", "application/vnd.github+json")
	req.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	got, err := d.exchange(d.client, req)
	return req, got, err
}
