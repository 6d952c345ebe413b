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

// WebhookSecrets are the keys webhook.* of argocd-secret. Without those of a provider its calls are not verified.
type WebhookSecrets map[string]fault.Secret

// Push is what a webhook says. It is a hint and nothing more: that a repository is worth being asked now.
type Push struct {
	URLs          []string // every address of the repository that the provider names; oci://host/path of a registry
	Ref           string   // refs/heads/main; "" from a registry
	Branch        string   // main; "" for a tag
	Tag           string
	Before, After string // commits
}

// ErrNotAPush says that a call is of a known provider and well signed, but not about a push.
var ErrNotAPush = errors.New("this event is not a push")

// webhookCall is what a provider sent.
type webhookCall struct {
	header http.Header
	query  url.Values
	body   []byte
}

// webhookProvider is one line of the table of providers.
type webhookProvider struct {
	name string
	// is reports whether a call is of this provider, by headers and query: the body is not looked at before verify.
	is func(webhookCall) bool
	// keys are its secrets in argocd-secret. If all are empty, calls are not verified, as in Argo CD: a call costs one
	// poll, and a repository is polled once a second at most.
	keys []string
	// verify reports whether a call knows the secrets, given in the order of keys.
	verify func(c webhookCall, secrets []string) bool
	// fix says where to set the secret.
	fix string
	// read reads the body.
	read func(webhookCall) (Push, error)
}

// webhookProviders are asked in this order: Gitea and its like send the headers of Gogs and of GitHub as well, and
// Bitbucket Cloud sends that of Bitbucket Server.
var webhookProviders = []webhookProvider{
	azureDevOps, gitea, gitHub, gitLab, bitbucketCloud, bitbucketServer, dockerHub, quay, harbor,
}

// ParseWebhook reads what a provider sent: a push to a Git repository or to a registry. The signature, token or password
// is checked before anything of the body is looked at, in constant time. A wrong one is fault.Forbidden; a body that is
// none a fault.Mistake; another event ErrNotAPush.
func ParseWebhook(header http.Header, query url.Values, body []byte, secrets WebhookSecrets) (Push, error) {
	c := webhookCall{header, query, body}
	at := slices.IndexFunc(webhookProviders, func(p webhookProvider) bool { return p.is(c) })
	if at < 0 {
		return Push{}, webhookMistake("the call is of no provider that is known here", "send push events of GitHub, GitLab, Bitbucket, Gitea, Azure DevOps or Harbor, or add ?type=dockerhub or ?type=quay to the address")
	}
	p := webhookProviders[at]
	given := make([]string, len(p.keys))
	secured := false
	for i, key := range p.keys {
		given[i] = secrets[key].Reveal()
		secured = secured || given[i] != ""
	}
	if secured && !p.verify(c, given) {
		return Push{}, fault.New(fault.Forbidden, "accept", p.name+" webhook", "", "its signature or secret is missing or wrong", p.fix)
	}
	push, err := p.read(c)
	if err != nil {
		return Push{}, err
	}
	return push.checked()
}

func webhookMistake(cause, fix string) error {
	return fault.New(fault.Mistake, "read", "webhook", "", cause, fix)
}

// hasHeader makes a condition of webhookProvider.is.
func hasHeader(names ...string) func(webhookCall) bool {
	return func(c webhookCall) bool {
		return slices.ContainsFunc(names, func(name string) bool { return c.header.Get(name) != "" })
	}
}

// signedBy makes a verify for providers that send the HMAC-SHA256 of the body, in hexadecimal, in one of these headers.
func signedBy(names ...string) func(webhookCall, []string) bool {
	return func(c webhookCall, secrets []string) bool {
		h := hmac.New(sha256.New, []byte(secrets[0]))
		h.Write(c.body)
		want := h.Sum(nil)
		return slices.ContainsFunc(names, func(name string) bool {
			given, err := hex.DecodeString(strings.TrimPrefix(c.header.Get(name), "sha256="))
			return err == nil && hmac.Equal(given, want)
		})
	}
}

// sameSecret compares in a time that depends on neither.
func sameSecret(given, secret string) bool {
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(secret))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// document reads the body's JSON into event; some providers can send it as a field of a form.
func (c webhookCall) document(event any) error {
	body := c.body
	if strings.HasPrefix(c.header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return webhookMistake("the form cannot be read", "use the content type application/json")
		}
		body = []byte(form.Get("payload"))
	}
	if err := json.Unmarshal(body, event); err != nil {
		return webhookMistake("the body is not the provider's JSON", "use the content type application/json")
	}
	return nil
}

// What a call may name: each address is compared with every repository that is followed.
const (
	mostPushURLs  = 16
	longestURL    = 2048
	branchPrefix  = "refs/heads/"
	tagRefsPrefix = "refs/tags/"
)

// gitPush makes a Push of what Git providers tell.
func gitPush(ref, before, after string, urls ...string) (Push, error) {
	p := Push{Ref: ref, Before: before, After: after, URLs: urls}
	if branch, ok := strings.CutPrefix(ref, branchPrefix); ok {
		p.Branch = branch
	}
	if tag, ok := strings.CutPrefix(ref, tagRefsPrefix); ok {
		p.Tag = tag
	}
	return p, nil
}

// checked drops what is no address, and bounds the rest.
func (p Push) checked() (Push, error) {
	var urls []string
	for _, u := range p.URLs {
		if u != "" && len(u) <= longestURL && len(urls) < mostPushURLs && !slices.Contains(urls, u) {
			urls = append(urls, u)
		}
	}
	if p.URLs = urls; len(urls) == 0 {
		return Push{}, webhookMistake("it names no repository", "send push events of a repository")
	}
	return p, nil
}
