// SPDX-License-Identifier: Apache-2.0

package stories

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// canary is what every secret value of a story begins or ends with that plants them.
const canary = "canary-that-nobody-may-see"

// traces are the texts by which a canary is known, in any letter case: as it is, in hex, turned around, and in base64 wherever it
// begins within a group of three bytes, and in base64 of that, as the last applied configuration of a Secret has it.
var traces = func() map[string]string {
	out := map[string]string{"raw": canary, "hex": hex.EncodeToString([]byte(canary)), "escaped": url.QueryEscape("=" + canary)}
	for i, once := range inBase64(canary) {
		out[fmt.Sprintf("base64 at %d", i)] = once
		for j, twice := range inBase64(once) {
			out[fmt.Sprintf("base64 of base64 at %d, %d", i, j)] = twice
		}
	}
	return out
}()

// inBase64 returns the part of a text's base64 that does not depend on what is around the text, for each place where it can begin.
func inBase64(text string) []string {
	var out []string
	for before := range 3 {
		whole := base64.RawStdEncoding.EncodeToString(append(make([]byte, before), text...))
		from := (before*8 + 5) / 6
		out = append(out, whole[from:(before+len(text))*8/6])
	}
	return out
}

// leak says in what form a text has a canary, and what is around it; "" if it has none.
func leak(text []byte) string {
	low := bytes.ToLower(text)
	for _, form := range slices.Sorted(maps.Keys(traces)) {
		in, trace := text, traces[form]
		if form == "raw" || form == "hex" || form == "escaped" {
			in, trace = low, strings.ToLower(trace)
		}
		if i := bytes.Index(in, []byte(trace)); i >= 0 {
			return fmt.Sprintf("%s: …%s…", form, text[max(0, i-120):min(len(text), i+120)])
		}
	}
	return ""
}

// canaries asks the API for everything it has, in every way, and for much that it refuses, and looks for canaries in what is
// answered, in the log, in the metrics, in Events, Applications and projects. Nothing may have any.
// canaries [@name] token=VARIABLE FILE; FILE has a line of NAME=VALUE for each thing that can be asked for.
func canaries(ts *testscript.TestScript, _ bool, args []string) {
	s := of(ts)
	p, args := s.addressed(ts, args)
	opts, args := options(args, "token")
	if len(args) != 1 {
		ts.Fatalf("usage: canaries [@name] token=VARIABLE FILE")
	}
	c, found := newCrawler(ts, p, ts.Getenv(opts["token"]), args[0]), map[string]string{}
	c.see = func(what string, _ int, text []byte) {
		if trace := leak(text); trace != "" {
			found[what] = trace
		}
	}
	c.reads()
	ts.Check(c.grpc(false))
	ts.Logf("%d questions, %d answers of what was asked for", c.asked, c.opened)
	if c.opened < len(c.routes)/3 {
		ts.Fatalf("only %d of %d questions were answered: what was to be looked at was not seen", c.opened, c.asked)
	}
	c.mistakes()
	c.strangers()
	text, err := p.text()
	ts.Check(err)
	for line := range bytes.Lines(text) {
		c.see("the log", 0, line)
	}
	_, metrics, err := s.ask(http.MethodGet, "http://"+p.metrics+"/metrics", nil, nil)
	ts.Check(err)
	c.see("the metrics", 0, metrics)
	for _, kind := range []string{"application", "appproject", "event"} {
		c.see(kind+"s", 0, s.all(ts, kind))
	}
	for _, what := range slices.Sorted(maps.Keys(found)) {
		ts.Logf("%s has a canary, %s", what, found[what])
	}
	if len(found) > 0 {
		ts.Fatalf("%d answers have a canary", len(found))
	}
}

// all returns all objects of a kind in the control namespace.
func (s *story) all(ts *testscript.TestScript, kind string) []byte {
	ctx, cancel := bounded()
	defer cancel()
	client, err := s.client(s.target(ts, kind, ts.Getenv("CD")+"/any"))
	ts.Check(err)
	list, err := client.List(ctx, metav1.ListOptions{})
	ts.Check(err)
	text, err := list.MarshalJSON()
	ts.Check(err)
	return text
}

var secretFields = regexp.MustCompile(`(?i)password|privatekey|certkey|keydata|token$|secret$|serviceaccountkey`)

// mistakes sends secret values where they belong, in bodies that cannot be read for some reason: an error must not quote them.
// Nothing is changed: the things that are named are not there.
func (c *crawler) mistakes() {
	type attempt struct{ what, verb, path, body string }
	var all []attempt
	for _, r := range c.routes {
		nothing := map[string]string{}
		for _, p := range r.parameters {
			nothing[p.Name] = "nothing"
		}
		path, _ := r.address(nothing)
		path, _, _ = strings.Cut(path, "?")
		if r.verb == http.MethodGet || r.body == nil {
			continue
		}
		for _, value := range []any{canary, []any{canary}, map[string]any{canary: canary}, map[string]any{"a": map[string]any{"b": canary}}} {
			body, err := json.Marshal(secretly(r.body, value))
			if err != nil {
				continue
			}
			for form, text := range map[string]string{"whole": string(body), "cut": string(body[:len(body)-1]), "and more": string(body) + canary} {
				all = append(all, attempt{r.verb + " " + r.path + " " + form + " " + text, r.verb, path, text})
			}
		}
		all = append(all, attempt{r.verb + " " + r.path + " a text", r.verb, path, `"` + canary}, attempt{r.verb + " " + r.path + " a word", r.verb, path, canary})
	}
	each(all, func(a attempt) { c.ask(a.what, a.verb, a.path, nil, []byte(a.body)) })
}

// secretly makes a body that has a value in all of its secret fields, and nothing in the others.
func secretly(schema map[string]any, value any) map[string]any {
	out := map[string]any{}
	properties, _ := schema["properties"].(map[string]any)
	for name, of := range properties {
		property, _ := of.(map[string]any)
		inner := secretly(property, value)
		switch {
		case property["type"] == "object" && len(inner) > 0:
			out[name] = inner
		case secretFields.MatchString(name):
			out[name] = value
		}
	}
	return out
}

// strangers shows what is no token wherever tokens are shown, and tells secrets to pages that are open to everybody.
func (c *crawler) strangers() {
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("somebody:"+canary))
	forged := "Bearer eyJhbGciOiJub25lIn0." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"`+canary+`"}`)) + "."
	for _, header := range []http.Header{
		{"Authorization": {"Bearer " + canary}}, {"Authorization": {basic}}, {"Authorization": {forged}}, {"Authorization": {canary}},
		{"Authorization": {"x"}, "Token": {canary}}, {"Authorization": {"x"}, "Cookie": {"argocd.token=" + canary}},
	} {
		c.ask(fmt.Sprint("a stranger with ", header), http.MethodGet, "/api/v1/applications", header, nil)
		header.Set("Content-Type", "application/grpc-web+proto")
		c.ask(fmt.Sprint("a stranger on gRPC with ", header), http.MethodPost, "/application.ApplicationService/List", header, []byte{0, 0, 0, 0, 0})
	}
	for _, path := range []string{
		"/auth/callback?code=" + canary + "&state=" + canary, "/api/dex/callback?code=" + canary, "/api/dex/token?client_secret=" + canary,
		"/api/v1/applications?token=" + canary, "/auth/login?id_token=" + canary, "/terminal?token=" + canary,
	} {
		c.ask("GET "+path, http.MethodGet, path, nil, nil)
	}
	for name, value := range map[string]string{"X-Gitlab-Token": canary, "X-Hub-Signature-256": "sha256=" + canary, "Authorization": basic} {
		header := http.Header{"Content-Type": {"application/json"}, "X-Github-Event": {"push"}, name: {value}}
		if name == "X-Gitlab-Token" {
			header = http.Header{"Content-Type": {"application/json"}, "X-Gitlab-Event": {"Push Hook"}, name: {value}}
		}
		c.ask("a webhook with "+name, http.MethodPost, "/api/webhook", header, []byte(`{"ref":"refs/heads/main"}`))
	}
	form := url.Values{"grant_type": {"authorization_code"}, "code": {canary}, "client_secret": {canary}, "password": {canary}, "login": {"x"}}.Encode()
	for _, path := range []string{"/api/dex/token", "/api/dex/auth/ldap/login", "/api/dex/callback"} {
		c.ask("POST "+path, http.MethodPost, path, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, []byte(form))
	}
}

// openRoutes are what somebody who is not signed in may ask for: how to sign in, and whether the server lives. Everything else is one
// answer, the same for what is there and for what is not.
var openRoutes = map[string]bool{
	"GET /api/version": true, "GET /api/v1/settings": true, "GET /api/v1/session/userinfo": true, "POST /api/v1/session": true,
	"GET /api/badge": true, "POST /api/webhook": true, "GET /healthz": true, "GET /readyz": true,
	"gRPC version.VersionService/Version": true, "gRPC cluster.SettingsService/Get": true, "gRPC session.SessionService/GetUserInfo": true,
	"gRPC session.SessionService/Create": true,
	// Without a session there is none to end, and the cookies of one that has ended are taken back.
	"DELETE /api/v1/session": true, "gRPC session.SessionService/Delete": true,
	// What the API looks like is in its documentation anyway.
	"GET /swagger.json": true, "GET /api/bowline/v1/openapi.json": true,
}

// nobody asks for everything without a token: all but what is open is refused, in one and the same way.
// nobody [@name] FILE
func nobody(ts *testscript.TestScript, _ bool, args []string) {
	p, args := of(ts).addressed(ts, args)
	if len(args) != 1 {
		ts.Fatalf("usage: nobody [@name] FILE")
	}
	c := newCrawler(ts, p, "", args[0])
	answers, opened := map[string]string{}, map[string]string{}
	c.see = func(what string, status int, text []byte) {
		body, headers, _ := strings.Cut(string(text), "\n")
		switch {
		case openRoutes[what]:
			return
		case strings.HasPrefix(what, "gRPC ") && strings.Contains(headers, "Grpc-Status:[16]"):
			body = "gRPC " + regexp.MustCompile(`Grpc-Message:\[[^]]*\]`).FindString(headers)
		case strings.HasPrefix(what, "gRPC ") || status != http.StatusUnauthorized:
			opened[what] = fmt.Sprint(status, " ", body)
			return
		}
		answers[body] = what
	}
	type attempt struct{ what, verb, path string }
	var all []attempt
	for _, r := range c.routes {
		for _, thing := range c.things {
			if path, ok := r.address(thing); ok {
				all = append(all, attempt{r.verb + " " + r.path, r.verb, path})
			}
		}
	}
	each(all, func(a attempt) { c.ask(a.what, a.verb, a.path, nil, []byte("{}")) })
	ts.Check(c.grpc(true))
	for _, path := range []string{
		"/terminal", "/terminal?pod=web&container=main&appName=web&appNamespace=" + ts.Getenv("CD") + "&projectName=default&namespace=" + ts.Getenv("NS"),
		"/api/v1/applications/web/pods/web/logs?download=true", "/swagger.json", "/api/bowline/v1/openapi.json",
	} {
		c.ask("GET "+path, http.MethodGet, path, nil, nil)
	}
	for _, what := range slices.Sorted(maps.Keys(opened)) {
		ts.Logf("%s is open to everybody: %s", what, opened[what])
	}
	if len(opened) > 0 || len(answers) != 2 {
		ts.Fatalf("%d routes are open; those who are not known are answered %q, want one answer on each transport", len(opened), answers)
	}
}

// A search that finds nothing proves something only if it finds what is there.
func TestCanariesAreFoundInEveryForm(t *testing.T) {
	forms := map[string]string{
		"raw": canary, "in capitals": strings.ToUpper(canary), "in hex": hex.EncodeToString([]byte("x=" + canary)), "in a query": url.Values{"a": {"=" + canary}}.Encode(),
	}
	for before := range 5 {
		once := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("{", before) + canary + "!"))
		forms[fmt.Sprintf("base64 behind %d bytes", before)] = once
		forms[fmt.Sprintf("base64 for addresses behind %d bytes", before)] = base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("{", before) + canary))
		for between := range 3 {
			forms[fmt.Sprintf("base64 behind %d bytes in base64 behind %d", before, between)] = base64.StdEncoding.EncodeToString([]byte(strings.Repeat(":", between) + once))
		}
	}
	for form, text := range forms {
		if leak([]byte(`{"a":"`+text+`"}`)) == "" {
			t.Errorf("%s is not found: %s", form, text)
		}
	}
	if trace := leak([]byte(`{"a":"canary","b":"Y2FuYXJ5"}`)); trace != "" {
		t.Errorf("found where there is none: %s", trace)
	}
}
