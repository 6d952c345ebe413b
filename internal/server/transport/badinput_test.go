// SPDX-License-Identifier: Apache-2.0

package transport_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/bowline-cd/bowline/internal/server/transport"
)

// operation is what the document says of a verb on a path.
type operation struct {
	Verb, Path string
	Parameters []struct {
		Name, In string
		Schema   struct{ Type any }
	}
	RequestBody *struct {
		Content map[string]struct {
			Schema struct {
				Ref  string `json:"$ref"`
				Type any
			}
		}
	}
	Security *[]any
}

// form is what the document says of the fields of a body.
type form struct {
	Properties           map[string]struct{ Type any }
	AdditionalProperties any
}

// operations reads the document that the server serves.
func operations(t testing.TB, s *httptest.Server) ([]operation, map[string]form) {
	t.Helper()
	var document struct {
		Paths      map[string]map[string]operation
		Components struct{ Schemas map[string]form }
	}
	if err := json.Unmarshal([]byte(do(t, s, "GET", "/swagger.json", "").body), &document); err != nil {
		t.Fatal(err)
	}
	var out []operation
	for _, path := range slices.Sorted(maps.Keys(document.Paths)) {
		for _, verb := range slices.Sorted(maps.Keys(document.Paths[path])) {
			o := document.Paths[path][verb]
			o.Verb, o.Path = strings.ToUpper(verb), path
			if strings.HasPrefix(path, "/api/v") || strings.HasPrefix(path, "/api/bowline/") {
				out = append(out, o)
			}
		}
	}
	if len(out) < 90 {
		t.Fatalf("the document has %d operations only", len(out))
	}
	return out, document.Components.Schemas
}

func (o operation) changes() bool { return o.Verb != http.MethodGet }

// variables replaces each variable of a path by a text.
func (o operation) variables(text string) string {
	path := o.Path
	for _, p := range o.Parameters {
		if p.In == "path" {
			path = strings.Replace(path, "{"+p.Name+"}", text, 1)
		}
	}
	return path
}

// wantRefused checks that bad input was answered with a status of the fours and the documented form.
func wantRefused(t testing.TB, what string, got answered, statuses ...int) {
	t.Helper()
	if got.status < 400 || got.status > 499 || len(statuses) > 0 && !slices.Contains(statuses, got.status) {
		t.Errorf("%s: %d %.300s, want %v", what, got.status, got.body, statuses)
		return
	}
	wantShape(t, what, got)
	if strings.Contains(got.body, "goroutine ") || strings.Contains(got.body, ".go:") || strings.Contains(got.body, "canary") {
		t.Errorf("%s tells what it must not: %s", what, got.body)
	}
}

func TestBadInputOnEveryRoute(t *testing.T) {
	s := open(t, &everything{}, func(o *transport.Options) { o.Limits.Body = 256 << 10 })
	all, schemas := operations(t, s)
	large := `"` + strings.Repeat("x", 300<<10) + `"`
	for _, o := range all {
		name, path := o.Verb+" "+o.Path, o.variables("7")
		if o.Security == nil {
			for _, token := range []string{"", "Bearer x", "Bearer eyJhbGciOiJub25lIn0.e30.", "Bearer " + strings.Repeat("a.", 2000), "Basic YTpi"} {
				wantRefused(t, name+" with a foreign token", do(t, s, o.Verb, path, "", "Authorization", token), 401)
			}
		}
		for _, verb := range []string{"TRACE", "OPTIONS", "PROPFIND", "X"} {
			wantRefused(t, verb+" "+o.Path, do(t, s, verb, path, ""), 405)
		}
		for _, bad := range []string{"a%0d%0ab", "a%00b", "%e2%80%a8%00", "%ff%0a"} {
			if o.variables(bad) != o.Path {
				wantRefused(t, name+" with "+bad, do(t, s, o.Verb, o.variables(bad), ""), 400)
			}
		}
		o.badQuery(t, s, name, path)
		if !o.changes() {
			continue
		}
		for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonx"} {
			wantRefused(t, name+" as "+kind, do(t, s, o.Verb, path, "{}", "Content-Type", kind), 415)
		}
		if o.RequestBody == nil || strings.HasSuffix(o.Path, "manifestsWithFiles") {
			continue
		}
		wantRefused(t, name+" that is large", do(t, s, o.Verb, path, large), 413)
		wantRefused(t, name+" that is nested", do(t, s, o.Verb, path, strings.Repeat(`[`, 10_000)), 400)
		wantRefused(t, name+" that is nested in fields", do(t, s, o.Verb, path, strings.Repeat(`{"metadata":`, 1000)+"1"+strings.Repeat("}", 1000)), 400)
		for _, body := range []string{"{", "[]", "7", `{"a":1}}`, "nul", "\x00", "\xff\xfe", `{"a":`, "<xml/>"} {
			if fits(o, body) {
				continue
			}
			wantRefused(t, name+" with the body "+body, do(t, s, o.Verb, path, body), 400)
		}
		o.badFields(t, s, name, path, schemas)
	}
}

// fits reports whether a body is of the type that the operation takes after all.
func fits(o operation, body string) bool {
	return fmt.Sprint(o.RequestBody.Content["application/json"].Schema.Type) == "string" && strings.HasPrefix(body, `"`)
}

// badQuery sends parameters of the wrong type, and for our own routes unknown ones.
func (o operation) badQuery(t *testing.T, s *httptest.Server, name, path string) {
	t.Helper()
	for _, p := range o.Parameters {
		if kind := fmt.Sprint(p.Schema.Type); p.In == "query" && (kind == "integer" || kind == "boolean") {
			for _, value := range []string{"canary", "", "1e99", "99999999999999999999", "%00"} {
				wantRefused(t, name+" with "+p.Name+"="+value, do(t, s, o.Verb, path+"?"+p.Name+"="+value, ""), 400)
			}
		}
	}
	if got := do(t, s, o.Verb, path+"?nothingOfThisName=1", ""); strings.HasPrefix(o.Path, "/api/bowline/") && o.RequestBody == nil {
		wantRefused(t, name+" with an unknown parameter", got, 400)
	} else if !strings.HasSuffix(o.Path, "manifestsWithFiles") && got.status != http.StatusOK {
		t.Errorf("%s with a parameter that only other servers know: %d %s", name, got.status, got.body)
	}
}

// badFields sends every field of the body with values of other types.
func (o operation) badFields(t *testing.T, s *httptest.Server, name, path string, schemas map[string]form) {
	t.Helper()
	body := schemas[strings.TrimPrefix(o.RequestBody.Content["application/json"].Schema.Ref, "#/components/schemas/")]
	for field, is := range body.Properties {
		for kind, value := range map[string]string{"string": `"canary"`, "integer": "7", "boolean": "true", "array": `["canary"]`, "object": `{"canary":"canary"}`} {
			own := fmt.Sprint(is.Type)
			if is.Type == nil || strings.Contains(own, kind) {
				continue // a field that has fields of its own ignores those it does not know
			}
			wantRefused(t, name+" with a "+kind+" as "+field, do(t, s, o.Verb, path, fmt.Sprintf(`{%q:%s}`, field, value)), 400)
		}
	}
	if body.AdditionalProperties == false {
		wantRefused(t, name+" with an unknown field", do(t, s, o.Verb, path, `{"nothingOfThisName":"canary"}`), 400)
	}
}

// The limits that there are by default hold for what the issue of large bodies names.
func TestFiftyMegabytes(t *testing.T) {
	s := open(t, &everything{}, nil)
	body := `{"metadata":{"name":"` + strings.Repeat("x", 50<<20) + `"}}`
	for _, path := range []string{"/api/v1/applications", "/api/v1/session"} {
		wantRefused(t, path, do(t, s, "POST", path, body), 413)
	}
	wantRefused(t, "without a token", do(t, s, "POST", "/api/v1/applications", body, "Authorization", ""), 401)
	wantRefused(t, "where there is nothing", do(t, s, "POST", "/api/v1/nothing", body), 404)
}

// Whatever is sent, the answer is no panic, and what is refused has the documented form.
func FuzzREST(f *testing.F) {
	s := open(f, &everything{}, nil)
	all, _ := operations(f, s)
	for i, o := range all {
		f.Add(i, o.variables("a"), "x=1", `{"metadata":{"name":"a"}}`)
	}
	f.Add(0, "/api/v1/applications/%2e%2e", "refresh=%zz", "[")
	f.Fuzz(func(t *testing.T, which int, path, query, body string) {
		if which < 0 || which >= len(all) || !strings.HasPrefix(path, "/") {
			return
		}
		request := httptest.NewRequest(all[which].Verb, "/", strings.NewReader(body))
		request.URL.Path, request.URL.RawPath, request.URL.RawQuery = path, "", query
		request.Header.Set("Authorization", "Bearer good")
		request.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		s.Config.Handler.ServeHTTP(w, request)
		if w.Code >= 500 && w.Code != http.StatusNotImplemented {
			t.Fatalf("%s %s?%s %s: %d %s", all[which].Verb, path, query, body, w.Code, w.Body)
		}
		if w.Code >= 400 {
			wantShape(t, path, answered{w.Code, w.Header(), w.Body.String()})
		}
	})
}
