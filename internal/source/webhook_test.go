// SPDX-License-Identifier: Apache-2.0

package source

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
)

// webhookSample is a push as one provider sends it.
type webhookSample struct {
	header http.Header
	query  url.Values
	body   string
	secret map[string]string // as argocd-secret has it
	// sign puts into the call what shows that it knows the secret; wrong says something else.
	sign  func(c *webhookCall, wrong bool)
	hints []string // addresses, as users write them, that have to be asked
	want  string   // branch, tag, before, after
	// silent is an event of the same provider that is no push.
	silent webhookCall
}

// hmacIn signs the body.
func hmacIn(header, prefix, secret string) func(*webhookCall, bool) {
	return func(c *webhookCall, wrong bool) {
		h := hmac.New(sha256.New, []byte(secret+strings.Repeat("x", asInt(wrong))))
		h.Write(c.body)
		c.header.Set(header, prefix+hex.EncodeToString(h.Sum(nil)))
	}
}

func headerIs(name, value string) func(*webhookCall, bool) {
	return func(c *webhookCall, wrong bool) { c.header.Set(name, value+strings.Repeat("x", asInt(wrong))) }
}

func queryIs(value string) func(*webhookCall, bool) {
	return func(c *webhookCall, wrong bool) { c.query.Set("secret", value+strings.Repeat("x", asInt(wrong))) }
}

func asInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func headers(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

const gitHubBody = `{"ref":"refs/heads/main","before":"aaa","after":"bbb","repository":{"html_url":"https://github.com/company/infra","clone_url":"https://github.com/company/infra.git","ssh_url":"git@github.com:company/infra.git"}}`

var webhookSamples = map[string]webhookSample{
	"GitHub": {
		header: headers("X-GitHub-Event", "push"), body: gitHubBody,
		secret: map[string]string{"webhook.github.secret": "hub"}, sign: hmacIn("X-Hub-Signature-256", "sha256=", "hub"),
		hints:  []string{"https://github.com/company/infra", "https://github.com/Company/infra.git", "git@github.com:company/infra.git", "ssh://git@github.com/company/infra"},
		want:   "main  aaa bbb",
		silent: webhookCall{header: headers("X-GitHub-Event", "ping"), body: []byte(`{"zen":"..."}`)},
	},
	"GitHub, as a form": {
		header: headers("X-GitHub-Event", "push", "Content-Type", "application/x-www-form-urlencoded"), body: "payload=" + url.QueryEscape(gitHubBody),
		secret: map[string]string{"webhook.github.secret": "hub"}, sign: hmacIn("X-Hub-Signature-256", "sha256=", "hub"),
		hints:  []string{"https://github.com/company/infra"},
		want:   "main  aaa bbb",
		silent: webhookCall{header: headers("X-GitHub-Event", "issues"), body: []byte(`payload=%7B%7D`)},
	},
	"GitHub's registry": {
		header: headers("X-GitHub-Event", "package"),
		body: `{"action":"published","package":{"name":"charts/shop","package_type":"CONTAINER","owner":{"login":"Company"},
			"package_version":{"package_url":"ghcr.io/company/charts/shop:1.2.3","container_metadata":{"tag":{"name":"1.2.3","digest":"sha256:ab"}}}}}`,
		secret: map[string]string{"webhook.github.secret": "hub"}, sign: hmacIn("X-Hub-Signature-256", "sha256=", "hub"),
		hints:  []string{"oci://ghcr.io/company/charts/shop", "ghcr.io/company/charts", "oci://ghcr.io/company"},
		want:   " 1.2.3  ",
		silent: webhookCall{header: headers("X-GitHub-Event", "package"), body: []byte(`{"action":"published","package":{"name":"x","package_type":"npm"}}`)},
	},
	"GitLab": {
		header: headers("X-Gitlab-Event", "Tag Push Hook"),
		body:   `{"object_kind":"tag_push","ref":"refs/tags/v1","before":"aaa","after":"bbb","project":{"web_url":"https://gitlab.com/company/infra","git_http_url":"https://gitlab.com/company/infra.git","git_ssh_url":"git@gitlab.com:company/infra.git"}}`,
		secret: map[string]string{"webhook.gitlab.secret": "lab"}, sign: headerIs("X-Gitlab-Token", "lab"),
		hints:  []string{"https://gitlab.com/company/infra", "git@gitlab.com:company/infra.git"},
		want:   " v1 aaa bbb",
		silent: webhookCall{header: headers("X-Gitlab-Event", "Note Hook"), body: []byte(`{"object_kind":"note"}`)},
	},
	"GitLab's system hook": {
		header: headers("X-Gitlab-Event", "System Hook"),
		body:   `{"event_name":"repository_update","project":{"git_http_url":"https://gitlab.example.com/company/infra.git"},"changes":[],"refs":["refs/heads/main"]}`,
		secret: map[string]string{"webhook.gitlab.secret": "lab"}, sign: headerIs("X-Gitlab-Token", "lab"),
		hints:  []string{"https://gitlab.example.com/company/infra.git"},
		want:   "   ",
		silent: webhookCall{header: headers("X-Gitlab-Event", "System Hook"), body: []byte(`{"event_name":"project_create"}`)},
	},
	"Bitbucket": {
		header: headers("X-Event-Key", "repo:push", "X-Hook-UUID", ""),
		body: `{"push":{"changes":[{"new":{"type":"branch","name":"main","target":{"hash":"bbb"}},"old":{"type":"branch","name":"main","target":{"hash":"aaa"}}},{"new":null,"old":null}]},
			"repository":{"full_name":"company/infra","links":{"html":{"href":"https://bitbucket.org/company/infra"}}}}`,
		secret: map[string]string{"webhook.bitbucket.uuid": "{9E4D-12}"}, sign: headerIs("X-Hook-UUID", "9e4d-12"),
		hints:  []string{"https://bitbucket.org/company/infra.git", "git@bitbucket.org:company/infra.git"},
		want:   "main  aaa bbb",
		silent: webhookCall{header: headers("X-Event-Key", "issue:created", "X-Hook-UUID", "9e4d-12"), body: []byte(`{}`)},
	},
	"Bitbucket Server": {
		header: headers("X-Event-Key", "repo:refs_changed"),
		body: `{"eventKey":"repo:refs_changed","repository":{"slug":"infra","links":{"clone":[{"href":"ssh://git@bitbucket.example.com:7999/company/infra.git","name":"ssh"},{"href":"https://bitbucket.example.com/scm/company/infra.git","name":"http"}],"self":[null]}},
			"changes":[{"ref":{"id":"refs/heads/main","displayId":"main","type":"BRANCH"},"fromHash":"aaa","toHash":"bbb"}]}`,
		secret: map[string]string{"webhook.bitbucketserver.secret": "bucket"}, sign: hmacIn("X-Hub-Signature", "sha256=", "bucket"),
		hints:  []string{"ssh://git@bitbucket.example.com:7999/company/infra.git", "https://bitbucket.example.com/scm/company/infra"},
		want:   "main  aaa bbb",
		silent: webhookCall{header: headers("X-Event-Key", "diagnostics:ping"), body: []byte(`{"test":true}`)},
	},
	"Gogs": {
		header: headers("X-Gogs-Event", "push", "X-GitHub-Event", "push"), body: strings.ReplaceAll(gitHubBody, "github.com", "gogs.example.com:3000"),
		secret: map[string]string{"webhook.gogs.secret": "gogs"}, sign: hmacIn("X-Gogs-Signature", "", "gogs"),
		hints:  []string{"https://gogs.example.com:3000/company/infra.git"},
		want:   "main  aaa bbb",
		silent: webhookCall{header: headers("X-Gogs-Event", "issues"), body: []byte(`{}`)},
	},
	"Forgejo": {
		header: headers("X-Forgejo-Event", "create", "X-Gitea-Event", "create", "X-Gogs-Event", "create", "X-GitHub-Event", "create"),
		body:   `{"ref":"v2","ref_type":"tag","repository":{"clone_url":"https://forgejo.example.com/company/infra.git"}}`,
		secret: map[string]string{"webhook.gogs.secret": "gogs"}, sign: hmacIn("X-Forgejo-Signature", "", "gogs"),
		hints:  []string{"https://forgejo.example.com/company/infra"},
		want:   "   ",
		silent: webhookCall{header: headers("X-Gitea-Event", "pull_request"), body: []byte(`{}`)},
	},
	"Azure DevOps": {
		header: headers("X-Vss-Activityid", "8fd412f1"),
		body: `{"eventType":"git.push","resource":{"refUpdates":[{"name":"refs/heads/main","oldObjectId":"aaa","newObjectId":"bbb"}],
			"repository":{"name":"infra","defaultBranch":"refs/heads/main","remoteUrl":"https://company@dev.azure.com/company/My%20Shop/_git/infra"}}}`,
		secret: map[string]string{"webhook.azuredevops.username": "u", "webhook.azuredevops.password": "p"},
		sign: func(c *webhookCall, wrong bool) {
			c.header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("u:p"+strings.Repeat("x", asInt(wrong)))))
		},
		hints: []string{"https://dev.azure.com/company/My%20Shop/_git/infra", "git@ssh.dev.azure.com:v3/company/My%20Shop/infra", "https://company.visualstudio.com/My%20Shop/_git/infra",
			"https://company.visualstudio.com/DefaultCollection/My%20Shop/_git/infra", "company@vs-ssh.visualstudio.com:v3/company/My%20Shop/infra"},
		want:   "main  aaa bbb",
		silent: webhookCall{header: headers("X-Vss-Activityid", "8fd412f1"), body: []byte(`{"eventType":"build.complete"}`)},
	},
	"Azure DevOps, old address": {
		header: headers("X-Vss-Activityid", "8fd412f1"),
		body:   `{"eventType":"git.push","resource":{"refUpdates":[],"repository":{"remoteUrl":"https://company.visualstudio.com/DefaultCollection/_git/shop"}}}`,
		secret: map[string]string{"webhook.azuredevops.password": "p"},
		sign: func(c *webhookCall, wrong bool) {
			c.header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(":p"+strings.Repeat("x", asInt(wrong)))))
		},
		hints:  []string{"https://company.visualstudio.com/_git/shop", "https://dev.azure.com/company/shop/_git/shop", "https://dev.azure.com/company/_git/shop", "git@ssh.dev.azure.com:v3/company/shop/shop"},
		want:   "   ",
		silent: webhookCall{header: headers("X-Vss-Activityid", "8fd412f1"), body: []byte(`{}`)},
	},
	"Docker Hub": {
		query: url.Values{"type": {"dockerhub"}}, body: `{"push_data":{"tag":"1.0"},"repository":{"repo_name":"company/shop","name":"shop","namespace":"company"}}`,
		secret: map[string]string{"webhook.dockerhub.secret": "docker"}, sign: queryIs("docker"),
		hints:  []string{"oci://registry-1.docker.io/company/shop", "docker.io/company", "registry-1.docker.io/company"},
		want:   " 1.0  ",
		silent: webhookCall{query: url.Values{"type": {"dockerhub"}}, body: []byte(`{}`)},
	},
	"Quay": {
		query: url.Values{"type": {"quay"}}, body: `{"name":"shop","repository":"company/shop","docker_url":"quay.io/company/shop","updated_tags":["1.0"]}`,
		secret: map[string]string{"webhook.quay.secret": "quay"}, sign: queryIs("quay"),
		hints:  []string{"oci://quay.io/company/shop", "quay.io/company"},
		want:   "   ",
		silent: webhookCall{query: url.Values{"type": {"quay"}}, body: []byte(`{"docker_url":"quay.io/company/shop","build_id":"1"}`)},
	},
	"Harbor": {
		query:  url.Values{"type": {"harbor"}},
		body:   `{"type":"PUSH_ARTIFACT","event_data":{"resources":[{"digest":"sha256:ab","tag":"1.0","resource_url":"harbor.example.com:8443/company/shop:1.0"}],"repository":{"repo_full_name":"company/shop"}}}`,
		secret: map[string]string{"webhook.harbor.secret": "Basic aGFyYm9y"}, sign: headerIs("Authorization", "Basic aGFyYm9y"),
		hints:  []string{"oci://harbor.example.com:8443/company/shop", "harbor.example.com:8443/company"},
		want:   " 1.0  ",
		silent: webhookCall{query: url.Values{"type": {"harbor"}}, body: []byte(`{"type":"PULL_ARTIFACT"}`)},
	},
	"Harbor, as a CloudEvent": {
		body:   `{"specversion":"1.0","type":"harbor.artifact.pushed","data":{"resources":[{"resource_url":"harbor.example.com/company/shop@sha256:ab"}]}}`,
		header: headers("Authorization", "harbor"),
		secret: map[string]string{"webhook.harbor.secret": "harbor"}, sign: headerIs("Authorization", "harbor"),
		hints:  []string{"oci://harbor.example.com/company/shop"},
		want:   "   ",
		silent: webhookCall{header: headers("Authorization", "harbor"), body: []byte(`{"type":"harbor.scan.completed"}`)},
	},
}

func (s webhookSample) call() *webhookCall {
	c := &webhookCall{header: s.header.Clone(), query: url.Values{}, body: []byte(s.body)}
	if c.header == nil {
		c.header = http.Header{}
	}
	for k, v := range s.query {
		c.query[k] = v
	}
	return c
}

func (s webhookSample) secrets() WebhookSecrets {
	out := WebhookSecrets{}
	for key, value := range s.secret {
		out[key] = fault.NewSecret(value)
	}
	return out
}

func (c *webhookCall) parse(secrets WebhookSecrets) (Push, error) {
	return ParseWebhook(c.header, c.query, c.body, secrets)
}

func TestWebhookOfEachProvider(t *testing.T) {
	for name, s := range webhookSamples {
		t.Run(name, func(t *testing.T) {
			c := s.call()
			s.sign(c, false)
			push, err := c.parse(s.secrets())
			if got := fmt.Sprintf("%s %s %s %s", push.Branch, push.Tag, push.Before, push.After); err != nil || got != s.want {
				t.Fatalf("%q, %v", got, err)
			}
			for _, hint := range s.hints {
				if !slices.ContainsFunc(push.URLs, func(u string) bool { return object.SameRepo(u, hint) }) {
					t.Errorf("%s is not asked, only %q", hint, push.URLs)
				}
			}
			for _, u := range push.URLs {
				if !slices.ContainsFunc(s.hints, func(hint string) bool { return object.SameRepo(u, hint) }) && !strings.Contains(u, "docker.io") {
					t.Logf("%s is asked as well", u)
				}
			}
			silent := &webhookCall{header: s.silent.header.Clone(), query: s.silent.query, body: s.silent.body}
			if silent.header == nil {
				silent.header = http.Header{}
			}
			if _, err := silent.parse(nil); !errors.Is(err, ErrNotAPush) {
				t.Errorf("an event that is no push: %v", err)
			}
		})
	}
}

// The secret comes before everything: no body, of whatever event, is looked at without it.
func TestWebhookSecretsAreCheckedFirst(t *testing.T) {
	for name, s := range webhookSamples {
		t.Run(name, func(t *testing.T) {
			refused := func(what string, c *webhookCall) {
				t.Helper()
				push, err := c.parse(s.secrets())
				if !fault.Is(err, fault.Forbidden) || len(push.URLs) > 0 {
					t.Errorf("%s: %v, %v", what, push.URLs, err)
					return
				}
				for key, value := range s.secret {
					if strings.Contains(err.Error(), value) && !strings.Contains(key, value) && len(value) > 1 {
						t.Errorf("the error has the secret: %v", err)
					}
				}
			}
			bare := s.call()
			if name == "Bitbucket" {
				bare.header.Set("X-Hook-UUID", "another") // the header is both the mark of the provider and its secret
			}
			if name == "Harbor, as a CloudEvent" {
				bare.header.Set("Authorization", "another")
			}
			refused("nothing", bare)
			wrong := s.call()
			s.sign(wrong, true)
			refused("a wrong one", wrong)
			for _, body := range []string{"", "[]", "{", `{"object_kind":"note"}`} {
				empty := *wrong
				empty.body = []byte(body)
				refused(fmt.Sprintf("a wrong one, body %q", body), &empty)
			}
			changed := s.call()
			s.sign(changed, false)
			if changed.header.Get("X-Hub-Signature-256")+changed.header.Get("X-Hub-Signature")+changed.header.Get("X-Gogs-Signature")+changed.header.Get("X-Forgejo-Signature") != "" {
				changed.body = append(changed.body, ' ')
				refused("another body", changed)
			}
			if name != "Bitbucket" { // without a secret set, anybody may ask for a poll
				if _, err := s.call().parse(WebhookSecrets{"webhook.unrelated.secret": fault.NewSecret("x")}); err != nil {
					t.Errorf("without a secret: %v", err)
				}
			}
		})
	}
}

func TestWebhookOfNobody(t *testing.T) {
	for name, c := range map[string]*webhookCall{
		"no mark":      {header: headers(), body: []byte(gitHubBody)},
		"unknown type": {header: headers(), query: url.Values{"type": {"other"}}, body: []byte(gitHubBody)},
	} {
		if _, err := c.parse(nil); !fault.Is(err, fault.Mistake) || !strings.Contains(err.Error(), "no provider") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// One provider's mark beside another's does not spare its secret.
	both := &webhookCall{header: headers("X-Gitlab-Event", "Push Hook", "X-GitHub-Event", "push"), body: []byte(gitHubBody)}
	if _, err := both.parse(WebhookSecrets{"webhook.github.secret": fault.NewSecret("hub")}); !fault.Is(err, fault.Forbidden) {
		t.Errorf("%v", err)
	}
}

// strangeBodies are what somebody sends who wants to upset a parser.
var strangeBodies = []string{
	"", "null", "true", "7", `"x"`, "[]", "{}", "{", "\xff", "[null]", `{"ref":7,"repository":null}`, `{"ref":"refs/heads/main"}`,
	`{"repository":[],"project":[],"push":[],"resource":[],"event_data":[],"package":[]}`,
	`{"repository":{"links":null},"changes":null,"push":null}`, `{"repository":{"links":{"clone":{},"html":[]}}}`,
	`{"repository":{"links":{"clone":[null,7]}},"changes":[null]}`, `{"push":{"changes":[null]},"repository":{"links":{"html":null}}}`,
	`{"push":{"changes":[{"new":null,"old":null}]},"repository":{"full_name":7}}`,
	`{"eventType":"git.push","resource":{"refUpdates":null,"repository":null}}`, `{"eventType":"git.push","resource":{"refUpdates":[null],"repository":{"remoteUrl":"://"}}}`,
	`{"eventType":"git.push","resource":{"repository":{"remoteUrl":"https://dev.azure.com"}}}`, `{"eventType":"git.push","resource":{"repository":{"remoteUrl":"https://.visualstudio.com/DefaultCollection"}}}`,
	`{"type":"PUSH_ARTIFACT","event_data":{"resources":[null,{}]}}`, `{"docker_url":"/:@","updated_tags":null}`,
	strings.Repeat("[", 100_000), strings.Repeat(`{"repository":`, 100_000),
	`{"type":"PUSH_ARTIFACT","event_data":{"resources":[{"resource_url":"` + strings.Repeat("a/", 100_000) + `"}]}}`,
	`{"repository":{"links":{"clone":[` + strings.TrimSuffix(strings.Repeat(`{"href":"https://x/y"},`, 10_000), ",") + `]}}}`,
}

func TestHostileWebhookBodies(t *testing.T) {
	for name, s := range webhookSamples {
		for _, body := range strangeBodies {
			c := s.call()
			if name == "Bitbucket" {
				s.sign(c, false)
			}
			c.body = []byte(body)
			push, err := c.parse(nil)
			expectBounded(t, push, err)
		}
	}
}

// expectBounded checks what holds for every body: a push has some addresses, but few, and anything else is a known error.
func expectBounded(t *testing.T, push Push, err error) {
	t.Helper()
	if err != nil {
		if !errors.Is(err, ErrNotAPush) && !fault.Is(err, fault.Mistake) || len(push.URLs) > 0 {
			t.Errorf("%v %v", push.URLs, err)
		}
		return
	}
	if len(push.URLs) == 0 || len(push.URLs) > mostPushURLs {
		t.Errorf("%d addresses", len(push.URLs))
	}
	for _, u := range push.URLs {
		if u == "" || len(u) > longestURL {
			t.Errorf("an address of %d bytes", len(u))
		}
	}
}

// fuzzProvider fuzzes the body of one provider's calls, with and without its secret.
func fuzzProvider(f *testing.F, names ...string) {
	f.Helper()
	for i, name := range names {
		f.Add(i, "application/json", []byte(webhookSamples[name].body))
	}
	for _, body := range strangeBodies[:24] {
		f.Add(0, "application/x-www-form-urlencoded", []byte("payload="+url.QueryEscape(body)))
		f.Add(0, "", []byte(body))
	}
	f.Fuzz(func(t *testing.T, which int, contentType string, body []byte) {
		s := webhookSamples[names[uint(which)%uint(len(names))]]
		c := s.call()
		s.sign(c, true)
		c.body = body
		c.header.Set("Content-Type", contentType)
		push, err := c.parse(nil)
		expectBounded(t, push, err)
		if push, err := c.parse(s.secrets()); !fault.Is(err, fault.Forbidden) || len(push.URLs) > 0 {
			t.Errorf("with a wrong secret: %v %v", push.URLs, err)
		}
	})
}

func FuzzWebhookGitHub(f *testing.F)    { fuzzProvider(f, "GitHub", "GitHub's registry") }
func FuzzWebhookGitLab(f *testing.F)    { fuzzProvider(f, "GitLab", "GitLab's system hook") }
func FuzzWebhookBitbucket(f *testing.F) { fuzzProvider(f, "Bitbucket", "Bitbucket Server") }
func FuzzWebhookGitea(f *testing.F)     { fuzzProvider(f, "Gogs", "Forgejo") }
func FuzzWebhookAzure(f *testing.F)     { fuzzProvider(f, "Azure DevOps", "Azure DevOps, old address") }
func FuzzWebhookDockerHub(f *testing.F) { fuzzProvider(f, "Docker Hub") }
func FuzzWebhookQuay(f *testing.F)      { fuzzProvider(f, "Quay") }
func FuzzWebhookHarbor(f *testing.F)    { fuzzProvider(f, "Harbor", "Harbor, as a CloudEvent") }
