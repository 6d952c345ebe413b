// SPDX-License-Identifier: Apache-2.0

package source

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/internal/fault"
)

const gitHubPush = `{"ref":"refs/heads/main","before":"aaa","after":"bbb","repository":{"html_url":"https://github.com/company/infra","clone_url":"https://github.com/company/infra.git","ssh_url":"git@github.com:company/infra.git"}}`

const gitLabPush = `{"object_kind":"tag_push","ref":"refs/tags/v1","before":"aaa","after":"bbb","project":{"web_url":"https://gitlab.com/company/infra","git_http_url":"https://gitlab.com/company/infra.git","git_ssh_url":"git@gitlab.com:company/infra.git"}}`

func sign(secret, body string) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(body))
	return "sha256=" + hex.EncodeToString(h.Sum(nil))
}

func headers(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

func TestParseWebhook(t *testing.T) {
	secrets := WebhookSecrets{GitHub: fault.NewSecret("hub"), GitLab: fault.NewSecret("lab")}
	form := "payload=" + url.QueryEscape(gitHubPush)
	for name, test := range map[string]struct {
		header  http.Header
		body    string
		secrets WebhookSecrets
		want    string // of Push, "" if an error is wanted
		kind    fault.Kind
	}{
		"github":                  {headers("X-GitHub-Event", "push", "X-Hub-Signature-256", sign("hub", gitHubPush)), gitHubPush, secrets, "main  aaa bbb https://github.com/company/infra,https://github.com/company/infra.git,git@github.com:company/infra.git", 0},
		"github form":             {headers("X-GitHub-Event", "push", "Content-Type", "application/x-www-form-urlencoded", "X-Hub-Signature-256", sign("hub", form)), form, secrets, "main  aaa bbb https://github.com/company/infra,https://github.com/company/infra.git,git@github.com:company/infra.git", 0},
		"github without secret":   {headers("X-GitHub-Event", "push"), gitHubPush, WebhookSecrets{}, "main  aaa bbb https://github.com/company/infra,https://github.com/company/infra.git,git@github.com:company/infra.git", 0},
		"github unsigned":         {headers("X-GitHub-Event", "push"), gitHubPush, secrets, "", fault.Forbidden},
		"github wrong signature":  {headers("X-GitHub-Event", "push", "X-Hub-Signature-256", sign("other", gitHubPush)), gitHubPush, secrets, "", fault.Forbidden},
		"github other body":       {headers("X-GitHub-Event", "push", "X-Hub-Signature-256", sign("hub", gitHubPush)), gitHubPush + " ", secrets, "", fault.Forbidden},
		"github no hex":           {headers("X-GitHub-Event", "push", "X-Hub-Signature-256", "sha256=xyz"), gitHubPush, secrets, "", fault.Forbidden},
		"github unsigned ping":    {headers("X-GitHub-Event", "ping"), "{}", secrets, "", fault.Forbidden},
		"github no JSON":          {headers("X-GitHub-Event", "push"), "[]", WebhookSecrets{}, "", fault.Mistake},
		"github other types":      {headers("X-GitHub-Event", "push"), `{"ref":7,"repository":null}`, WebhookSecrets{}, "", fault.Mistake},
		"github no repository":    {headers("X-GitHub-Event", "push"), `{"ref":"refs/heads/main"}`, WebhookSecrets{}, "", fault.Mistake},
		"gitlab":                  {headers("X-Gitlab-Event", "Tag Push Hook", "X-Gitlab-Token", "lab"), gitLabPush, secrets, " v1 aaa bbb https://gitlab.com/company/infra,https://gitlab.com/company/infra.git,git@gitlab.com:company/infra.git", 0},
		"gitlab wrong token":      {headers("X-Gitlab-Event", "Push Hook", "X-Gitlab-Token", "la"), gitLabPush, secrets, "", fault.Forbidden},
		"gitlab no token":         {headers("X-Gitlab-Event", "Push Hook"), gitLabPush, secrets, "", fault.Forbidden},
		"nobody":                  {headers(), gitHubPush, secrets, "", fault.Mistake},
		"both, gitlab's is wrong": {headers("X-Gitlab-Event", "Push Hook", "X-GitHub-Event", "push", "X-Hub-Signature-256", sign("hub", gitHubPush)), gitHubPush, secrets, "", fault.Forbidden},
	} {
		push, err := ParseWebhook(test.header, []byte(test.body), test.secrets)
		if test.want == "" {
			if err == nil || fault.KindOf(err) != test.kind {
				t.Errorf("%s: %+v, %v (%s); want %s", name, push, err, fault.KindOf(err), test.kind)
			}
			continue
		}
		if got := push.Branch + " " + push.Tag + " " + push.Before + " " + push.After + " " + strings.Join(push.URLs, ","); err != nil || got != test.want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for _, h := range []http.Header{headers("X-GitHub-Event", "ping"), headers("X-Gitlab-Event", "Note Hook")} {
		if _, err := ParseWebhook(h, []byte(`{"object_kind":"note"}`), WebhookSecrets{}); !errors.Is(err, ErrNotAPush) {
			t.Errorf("%v: %v", h, err)
		}
	}
}

func FuzzParseWebhook(f *testing.F) {
	f.Add(true, "application/json", []byte(gitHubPush))
	f.Add(true, "application/x-www-form-urlencoded", []byte("payload="+url.QueryEscape(gitHubPush)))
	f.Add(false, "", []byte(gitLabPush))
	f.Fuzz(func(t *testing.T, gitHub bool, contentType string, body []byte) {
		header := headers("X-Gitlab-Event", "Push Hook", "Content-Type", contentType)
		if gitHub {
			header = headers("X-GitHub-Event", "push", "Content-Type", contentType)
		}
		push, err := ParseWebhook(header, body, WebhookSecrets{})
		if err == nil && len(push.URLs) == 0 {
			t.Errorf("a push without repository: %+v", push)
		}
		if _, err := ParseWebhook(header, body, WebhookSecrets{GitHub: fault.NewSecret("s"), GitLab: fault.NewSecret("s")}); !fault.Is(err, fault.Forbidden) {
			t.Errorf("without signature: %v", err)
		}
	})
}
