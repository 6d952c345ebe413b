// SPDX-License-Identifier: Apache-2.0

package source

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/bowline-cd/bowline/internal/fault"
)

// WebhookSecrets are those of argocd-secret: webhook.github.secret and webhook.gitlab.secret. An empty one means
// that the provider's calls are not verified.
type WebhookSecrets struct {
	GitHub, GitLab fault.Secret
}

// Push is what a webhook says. It is a hint and nothing more: that a repository is worth being asked now.
type Push struct {
	URLs          []string // every address of the repository that the provider names
	Ref           string   // refs/heads/main
	Branch        string   // main; "" for a tag
	Tag           string
	Before, After string // commits
}

// ErrNotAPush says that a call is of a known provider and well signed, but not about a push.
var ErrNotAPush = errors.New("this event is not a push")

// ParseWebhook reads a push event of GitHub (also Gitea's and Forgejo's, which speak like GitHub) or GitLab. The signature
// or token is checked before anything of the body is looked at, in constant time. A wrong one is
// fault.Forbidden; a body that is none a fault.Mistake; another event ErrNotAPush.
func ParseWebhook(header http.Header, body []byte, secrets WebhookSecrets) (Push, error) {
	switch {
	case header.Get("X-Gitlab-Event") != "":
		return parseGitLab(header, body, secrets.GitLab)
	case header.Get("X-Github-Event") != "":
		return parseGitHub(header, body, secrets.GitHub)
	}
	return Push{}, webhookMistake("the call is of no provider that is known here", "send GitHub's or GitLab's push events")
}

func webhookMistake(cause, fix string) error {
	return fault.New(fault.Mistake, "read", "webhook", "", cause, fix)
}

func parseGitHub(header http.Header, body []byte, secret fault.Secret) (Push, error) {
	if !secret.Empty() {
		given, err := hex.DecodeString(strings.TrimPrefix(header.Get("X-Hub-Signature-256"), "sha256="))
		h := hmac.New(sha256.New, []byte(secret.Reveal()))
		h.Write(body)
		if err != nil || !hmac.Equal(given, h.Sum(nil)) {
			return Push{}, fault.New(fault.Forbidden, "accept", "GitHub webhook", "", "its signature is missing or wrong", "set the secret of webhook.github.secret in the webhook's settings")
		}
	}
	if header.Get("X-Github-Event") != "push" {
		return Push{}, ErrNotAPush
	}
	if strings.HasPrefix(header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return Push{}, webhookMistake("the form cannot be read", "use the content type application/json")
		}
		body = []byte(form.Get("payload"))
	}
	var event struct {
		Ref        string `json:"ref"`
		Before     string `json:"before"`
		After      string `json:"after"`
		Repository struct {
			HTMLURL  string `json:"html_url"`
			CloneURL string `json:"clone_url"`
			SSHURL   string `json:"ssh_url"`
			GitURL   string `json:"git_url"`
		} `json:"repository"`
	}
	if err := json.Unmarshal(body, &event); err != nil {
		return Push{}, webhookMistake("the body is not GitHub's JSON", "use the content type application/json")
	}
	r := event.Repository
	return newPush(event.Ref, event.Before, event.After, r.HTMLURL, r.CloneURL, r.SSHURL, r.GitURL)
}

func parseGitLab(header http.Header, body []byte, secret fault.Secret) (Push, error) {
	if !secret.Empty() && subtle.ConstantTimeCompare([]byte(header.Get("X-Gitlab-Token")), []byte(secret.Reveal())) != 1 {
		return Push{}, fault.New(fault.Forbidden, "accept", "GitLab webhook", "", "its token is missing or wrong", "set the token of webhook.gitlab.secret in the webhook's settings")
	}
	var event struct {
		Kind    string `json:"object_kind"`
		Ref     string `json:"ref"`
		Before  string `json:"before"`
		After   string `json:"after"`
		Project struct {
			WebURL     string `json:"web_url"`
			GitHTTPURL string `json:"git_http_url"`
			GitSSHURL  string `json:"git_ssh_url"`
		} `json:"project"`
	}
	if err := json.Unmarshal(body, &event); err != nil {
		return Push{}, webhookMistake("the body is not GitLab's JSON", "send GitLab's push events")
	}
	if event.Kind != "push" && event.Kind != "tag_push" {
		return Push{}, ErrNotAPush
	}
	p := event.Project
	return newPush(event.Ref, event.Before, event.After, p.WebURL, p.GitHTTPURL, p.GitSSHURL)
}

func newPush(ref, before, after string, urls ...string) (Push, error) {
	p := Push{Ref: ref, Before: before, After: after}
	p.Branch, _ = strings.CutPrefix(ref, "refs/heads/")
	if p.Branch == ref {
		p.Branch = ""
	}
	if tag, ok := strings.CutPrefix(ref, "refs/tags/"); ok {
		p.Tag = tag
	}
	for _, u := range urls {
		if u != "" && !slices.Contains(p.URLs, u) {
			p.URLs = append(p.URLs, u)
		}
	}
	if len(p.URLs) == 0 {
		return Push{}, webhookMistake("it names no repository", "send push events of a repository")
	}
	return p, nil
}
