// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/bowline-cd/bowline/internal/auth/connector"
)

// There is no GitHub or GitLab to start on loopback: what they answer is written down here, as their API documents it.
// https://docs.github.com/rest, https://docs.gitlab.com/integration/openid_connect_provider/

const callback = "https://bowline.example.com/api/dex/callback"

func block(kind string, fields map[string]any) connector.Block {
	all := map[string]any{"clientID": "us", "clientSecret": "a secret"}
	for name, value := range fields {
		all[name] = value
	}
	data, _ := json.Marshal(all)
	return connector.Block{Type: kind, ID: kind, Config: data}
}

// site answers with what is written down for each path, to those who show the token.
func site(t *testing.T, answers map[string]string) (*httptest.Server, *url.Values) {
	t.Helper()
	asked := &url.Values{}
	var s *httptest.Server
	s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/token") || strings.HasSuffix(r.URL.Path, "/access_token") {
			_ = r.ParseForm()
			*asked = r.PostForm
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprint(w, `{"access_token":"good","token_type":"bearer"}`)
			return
		}
		if r.Header.Get("Authorization") != "Bearer good" {
			http.Error(w, "who?", http.StatusUnauthorized)
			return
		}
		answer, ok := answers[r.URL.RequestURI()]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if next, body, paged := strings.Cut(answer, " | "); paged {
			w.Header().Set("Link", "<"+s.URL+next+`>; rel="next", <`+s.URL+`/last>; rel="last"`)
			answer = body
		}
		if answer == "204" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		_, _ = fmt.Fprint(w, answer)
	}))
	t.Cleanup(s.Close)
	return s, asked
}

// arrive goes through a sign-in.
func arrive(t *testing.T, c connector.Redirect, asked *url.Values) (connector.Identity, error) {
	t.Helper()
	d, err := c.Begin(t.Context(), "a state")
	if err != nil {
		t.Fatal(err)
	}
	to, err := url.Parse(d.URL)
	if err != nil {
		t.Fatal(err)
	}
	who, err := c.Finish(httptest.NewRequest(http.MethodGet, callback+"?code=a-code&state=a+state", nil), d.Memo)
	q := to.Query()
	if q.Get("state") != "a state" || q.Get("redirect_uri") != callback || q.Get("code_challenge") != oauth2.S256ChallengeFromVerifier(asked.Get("code_verifier")) {
		t.Errorf("the browser is sent to %s, the code is fetched with %v", to, asked)
	}
	return who, err
}

func openGitHub(t *testing.T, fields map[string]any, answers map[string]string) (connector.Redirect, *url.Values) {
	t.Helper()
	s, asked := site(t, answers)
	c, err := OpenGitHub(block("github", fields), callback)
	if err != nil {
		t.Fatal(err)
	}
	f := c.(*flow)
	f.config.Endpoint = oauth2.Endpoint{AuthURL: s.URL + "/authorize", TokenURL: s.URL + "/access_token"}
	g := &github{api: s.URL}
	if err := block("github", fields).Decode(&g.block); err != nil {
		t.Fatal(err)
	}
	f.ask = g.identity
	return c, asked
}

var githubAnswers = map[string]string{
	"/user":                   `{"id":583231,"login":"octo","name":"Octo Cat","email":null}`,
	"/user/emails":            `[{"email":"x@example.org","primary":false,"verified":true},{"email":"octo@example.com","primary":true,"verified":true},{"email":"evil@work.example","verified":false}]`,
	"/user/teams":             `/user/teams?page=2 | [{"name":"Site Team","slug":"site-team","organization":{"login":"acme"}}]`,
	"/user/teams?page=2":      `[{"name":"Admins","slug":"admins","organization":{"login":"acme"}},{"name":"Admins","slug":"admins","organization":{"login":"other"}}]`,
	"/user/orgs":              `[{"login":"acme"},{"login":"other"}]`,
	"/orgs/acme/members/octo": "204",
}

func TestGitHubSaysWhoItIsAndInWhichTeams(t *testing.T) {
	for name, test := range map[string]struct {
		fields map[string]any
		groups []string
	}{
		"no groups":      {nil, nil},
		"one org":        {map[string]any{"orgs": []any{map[string]any{"name": "acme"}}}, []string{"acme:Site Team", "acme:Admins"}},
		"by slug":        {map[string]any{"teamNameField": "slug", "orgs": []any{map[string]any{"name": "acme"}}}, []string{"acme:site-team", "acme:admins"}},
		"certain teams":  {map[string]any{"orgs": []any{map[string]any{"name": "acme", "teams": []string{"Admins"}}}}, []string{"acme:Admins"}},
		"all groups":     {map[string]any{"loadAllGroups": true}, []string{"acme", "acme:Site Team", "acme:Admins", "other", "other:Admins"}},
		"the older form": {map[string]any{"org": "acme"}, []string{"Site Team", "Admins"}},
	} {
		t.Run(name, func(t *testing.T) {
			c, asked := openGitHub(t, test.fields, githubAnswers)
			who, err := arrive(t, c, asked)
			if err != nil {
				t.Fatal(err)
			}
			if who.UserID != "583231" || who.PreferredUsername != "octo" || who.Name != "Octo Cat" || who.Email != "octo@example.com" || !slices.Equal(who.Groups, test.groups) {
				t.Errorf("it is %+v, want the groups %v", who, test.groups)
			}
			again, err := c.(connector.Refresher).Refresh(t.Context(), connector.Identity{UserID: who.UserID, Memory: who.Memory})
			if err != nil || !slices.Equal(again.Groups, test.groups) {
				t.Errorf("asked again it is %+v, %v", again, err)
			}
		})
	}
}

func TestGitHubKeepsOthersOut(t *testing.T) {
	for name, orgs := range map[string]any{
		"of no organisation": []any{map[string]any{"name": "elsewhere"}},
		// In the team's organisation, but the team of that name is of another one.
		"of no team": []any{map[string]any{"name": "acme", "teams": []string{"Owners"}}, map[string]any{"name": "other", "teams": []string{"Admins"}}},
	} {
		c, asked := openGitHub(t, map[string]any{"orgs": orgs}, githubAnswers)
		if who, err := arrive(t, c, asked); err == nil {
			t.Errorf("one %s is let in as %+v", name, who)
		}
	}
	c, asked := openGitHub(t, nil, map[string]string{"/user": `{}`})
	if who, err := arrive(t, c, asked); err == nil {
		t.Errorf("nobody is let in as %+v", who)
	}
}

func TestGitLabSaysWhoItIsAndInWhichGroups(t *testing.T) {
	answers := map[string]string{
		"/api/v4/user": `{"id":7,"username":"tanuki","name":"Tanuki","email":"tanuki@example.org"}`,
		"/oauth/userinfo": `{"sub":"7","groups":["ops","ops/oncall","web"],"https://gitlab.org/claims/groups/owner":["ops"],` +
			`"https://gitlab.org/claims/groups/maintainer":["web"]}`,
	}
	for name, test := range map[string]struct {
		fields map[string]any
		groups []string
		id     string
	}{
		"all":         {nil, []string{"ops", "ops/oncall", "web"}, "7"},
		"permissions": {map[string]any{"getGroupsPermission": true}, []string{"ops", "ops/oncall", "web", "ops:owner", "ops/oncall:owner", "web:maintainer"}, "7"},
		"certain":     {map[string]any{"groups": []string{"web"}, "useLoginAsID": true}, []string{"web"}, "tanuki"},
		"none":        {map[string]any{"groups": []string{"elsewhere"}}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, asked := site(t, answers)
			fields := map[string]any{"baseURL": s.URL + "/"}
			for k, v := range test.fields {
				fields[k] = v
			}
			c, err := OpenGitLab(block("gitlab", fields), callback)
			if err != nil {
				t.Fatal(err)
			}
			who, err := arrive(t, c, asked)
			if test.id == "" {
				if err == nil {
					t.Errorf("one of no group is let in as %+v", who)
				}
				return
			}
			if err != nil || who.UserID != test.id || who.Email != "tanuki@example.org" || !slices.Equal(who.Groups, test.groups) {
				t.Errorf("it is %+v, %v; want the groups %v", who, err, test.groups)
			}
		})
	}
}

func TestMistakesInTheSettingsAreNamed(t *testing.T) {
	for field, value := range map[string]any{"clientID": "", "clientSecret": "", "hostName": "https://x/", "teamNameField": "colour", "rootCA": "/not/there"} {
		if _, err := OpenGitHub(block("github", map[string]any{field: value}), callback); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s = %q: %v, want an error that names it", field, value, err)
		}
	}
	if _, err := OpenGitHub(block("github", map[string]any{"org": "a", "orgs": []any{map[string]any{"name": "b"}}}), callback); err == nil {
		t.Error("org and orgs together are accepted")
	}
}
