// SPDX-License-Identifier: Apache-2.0

package transport_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/account"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/cluster"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/project"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/repository"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/gate"
	"github.com/bowline-cd/bowline/internal/server/transport"
)

func TestRequestsAreReadFromPathQueryAndBody(t *testing.T) {
	e := &everything{}
	s := open(t, e, nil)
	yes, no := true, false
	lines := int64(5)
	at := time.Unix(1700000000, 0)
	for _, c := range []struct {
		verb, path, body string
		want             any
	}{
		{"GET", "/api/v1/applications/web?refresh=hard&projects=a&projects=b&appNamespace=x", "",
			&application.ApplicationQuery{Name: "web", Refresh: "hard", Projects: []string{"a", "b"}, AppNamespace: "x"}},
		{"GET", "/api/v1/applications/web?_dc=1", "", &application.ApplicationQuery{Name: "web"}},
		{"POST", "/api/v1/applications?upsert=true&validate=false", `{"metadata":{"name":"web"},"later":1}`,
			&application.ApplicationCreateRequest{Upsert: true, Validate: &no, Application: &v1alpha1.Application{ObjectMeta: app("web").ObjectMeta}}},
		{"DELETE", "/api/v1/applications/web?cascade=true", "", &application.ApplicationDeleteRequest{Name: "web", Cascade: &yes}},
		{"POST", "/api/v1/applications/web/sync", `{"name":"other","prune":true,"revision":"v1"}`,
			&application.ApplicationSyncRequest{Name: "web", Prune: true, Revision: "v1"}},
		{"POST", "/api/v1/applications/web/resource?namespace=n&kind=Pod", `"{\"a\":1}"`,
			&application.ApplicationResourcePatchRequest{Name: "web", Namespace: "n", Kind: "Pod", Patch: `{"a":1}`}},
		{"GET", "/api/v1/clusters/https%3A%2F%2Fkubernetes.default.svc?id.type=server", "",
			&cluster.ClusterQuery{ID: &cluster.ClusterID{Type: "server", Value: "https://kubernetes.default.svc"}}},
		{"GET", "/api/v1/repositories/git%40example.org%3Aa%2Fb?forceRefresh=true", "",
			&repository.RepoQuery{Repo: "git@example.org:a/b", ForceRefresh: true}},
		{"POST", "/api/v1/repositories/https%3A%2F%2Fexample.org%2Fa/validate?username=ann", `"https://other"`,
			&repository.RepoAccessQuery{Repo: "https://example.org/a", Username: "ann"}},
		{"POST", "/api/v1/repositories/https%3A%2F%2Fexample.org%2Fa/validate", `{"repo":"https://other","username":"ann","password":"secret","insecureOciForceHttp":true}`,
			&repository.RepoAccessQuery{Repo: "https://example.org/a", Username: "ann", Password: "secret", InsecureOCIForceHTTP: true}},
		{"GET", "/api/v1/account/can-i/applications/sync/default/web/x", "",
			&account.CanIRequest{Resource: "applications", Action: "sync", Subresource: "default/web/x"}},
		{"PUT", "/api/v1/projects/team", `{"project":{"metadata":{"name":"other"}}}`,
			&project.ProjectUpdateRequest{Project: &v1alpha1.AppProject{ObjectMeta: metaNamed("team")}}},
		{"DELETE", "/api/v1/projects/team/roles/ci/token/1700000000?id=x", "",
			&project.ProjectTokenDeleteRequest{Project: "team", Role: "ci", IAT: 1700000000, ID: "x"}},
		{"GET", "/api/bowline/v1/clusters/https%3A%2F%2Fa.example/state", "", &bowline.ClusterStateQuery{Cluster: "https://a.example"}},
		{"GET", "/api/bowline/v1/applications?sync=OutOfSync&sync=Unknown&limit=5", "",
			&bowline.ApplicationsQuery{Sync: []string{"OutOfSync", "Unknown"}, Limit: 5}},
		{"GET", "/api/bowline/v1/stream/applications?labels=team%3Dweb&attention=broken&sort=attention&group=label%3Ateam&folded=&folded=web&offset=40", "",
			&bowline.ApplicationsQuery{Labels: []string{"team=web"}, Attention: []string{"broken"}, Sort: "attention", Group: "label:team", Folded: []string{"", "web"}, Offset: 40}},
		{"GET", "/api/v1/applications/web/pods/p/logs?tailLines=5&follow=true&sinceTime=2023-11-14T22:13:20Z", "",
			&application.ApplicationPodLogsQuery{Name: "web", PodName: "p", TailLines: &lines, Follow: true, SinceTime: timeAt(at)}},
	} {
		if got := do(t, s, c.verb, c.path, c.body); got.status != http.StatusOK {
			t.Errorf("%s %s: %d %s", c.verb, c.path, got.status, got.body)
			continue
		}
		if create, ok := c.want.(*application.ApplicationCreateRequest); ok {
			create.Application.ObjectMeta = metaNamed("web")
		}
		if got := e.request(); asJSON(got) != asJSON(c.want) || reflect.TypeOf(got) != reflect.TypeOf(c.want) {
			t.Errorf("%s %s:\n got %T %s\nwant %T %s", c.verb, c.path, got, asJSON(got), c.want, asJSON(c.want))
		}
	}
}

func TestWhatCannotBeReadIsRefused(t *testing.T) {
	s := open(t, &everything{}, func(o *transport.Options) { o.Limits.Body = 1 << 20 })
	for _, c := range []struct {
		reason, verb, path, body string
		headers                  []string
		status                   int
		says                     string
	}{
		{"nothing there", "GET", "/api/v1/nothing", "", nil, 404, "nothing at this path"},
		{"another verb", "PUT", "/api/v1/applications", "{}", nil, 405, "GET or POST"},
		{"a form", "POST", "/api/v1/applications", "a=b", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "application/json"},
		{"no type", "DELETE", "/api/v1/applications/web", "", []string{"Content-Type", ""}, 415, "Content-Type"},
		{"no JSON", "POST", "/api/v1/applications/web/sync", "{a", nil, 400, "from byte 2"},
		{"two documents", "POST", "/api/v1/applications/web/sync", "{}{}", nil, 400, "behind the JSON"},
		{"a wrong type", "POST", "/api/v1/applications/web/sync", `{"prune":"secret"}`, nil, 400, "the body, prune"},
		{"a wrong type deep inside", "POST", "/api/v1/applications", `{"spec":{"project":7}}`, nil, 400, "the body, spec.project"},
		{"a list", "POST", "/api/v1/applications", `[]`, nil, 400, "cannot be of the type array"},
		{"deep nesting", "POST", "/api/v1/applications", strings.Repeat(`{"a":`, 500), nil, 400, "deeper than 128"},
		{"a large body", "POST", "/api/v1/applications", `"` + strings.Repeat("a", 2<<20) + `"`, nil, 413, "1024 KiB"},
		{"a large body of somebody", "POST", "/api/v1/session", `{"username":"` + strings.Repeat("a", 70<<10) + `"}`, nil, 413, "64 KiB"},
		{"an unknown field of ours", "POST", "/api/bowline/v1/applications/web/approve", `{"dgiest":"x"}`, nil, 400, `no field \"dgiest\"`},
		{"an unknown parameter of ours", "GET", "/api/bowline/v1/applications?project=a", "", nil, 400, `no parameter \"project\"`},
		{"an unknown parameter of a live view", "GET", "/api/bowline/v1/stream/applications?project=a", "", nil, 400, `no parameter \"project\"`},
		{"an offset that is none", "GET", "/api/bowline/v1/stream/applications?offset=x", "", nil, 400, "offset"},
		{"a number that is none", "GET", "/api/v1/projects/a/roles/b/token/c", "", nil, 405, "DELETE"},
		{"a number in the path that is none", "DELETE", "/api/v1/projects/a/roles/b/token/c", "", nil, 400, `the path, iat`},
		{"a flag that is none", "GET", "/api/v1/applications/web/manifests?noCache=maybe", "", nil, 400, "neither true nor false"},
		{"a broken query", "GET", "/api/v1/applications?a=%zz", "", nil, 400, "the query"},
		{"a line end in a name", "GET", "/api/v1/applications/a%0d%0ab", "", nil, 400, "cannot be in a name"},
		{"a stream of requests", "POST", "/api/v1/applications/manifestsWithFiles", "{}", nil, 501, "gRPC only"},
	} {
		got := do(t, s, c.verb, c.path, c.body, c.headers...)
		if got.status != c.status || !strings.Contains(got.body, c.says) || strings.Contains(got.body, "secret") {
			t.Errorf("%s: got %d %s, want %d that says %q", c.reason, got.status, got.body, c.status, c.says)
		}
		wantShape(t, c.reason, got)
		if c.status == 405 && got.header.Get("Allow") == "" {
			t.Errorf("%s: no verb is offered", c.reason)
		}
	}
}

// wantShape checks that an error has the form that is documented.
func wantShape(t testing.TB, reason string, got answered) {
	t.Helper()
	var f struct {
		Error, Message string
		Code           int
	}
	if err := json.Unmarshal([]byte(got.body), &f); err != nil || f.Error == "" || f.Message != f.Error || f.Code == 0 {
		t.Errorf("%s: %d %q is no error of the documented form", reason, got.status, got.body)
	}
	if got.header.Get("Content-Type") != "application/json" {
		t.Errorf("%s: an error of type %q", reason, got.header.Get("Content-Type"))
	}
}

func TestErrorsHaveTheirStatusAndCode(t *testing.T) {
	var err error
	s := open(t, &everything{answer: func(string, any) (any, error) { return nil, err }}, nil)
	for _, c := range []struct {
		err    error
		status int
		code   string
	}{
		{gate.Refusal(refusal), 403, `"code":7`},
		{gate.Hidden(), 403, `"code":7`},
		{&fault.Error{Kind: fault.Mistake, Code: fault.NotFound, Err: errors.New("x")}, 404, `"code":5`},
		{&fault.Error{Kind: fault.Mistake, Code: fault.AlreadyExists, Err: errors.New("x")}, 409, `"code":6`},
		{&fault.Error{Kind: fault.Mistake, Code: fault.Unsupported, Err: errors.New("x")}, 501, `"code":12`},
		{fault.New(fault.Mistake, "", "", "spec.project", "x", "y"), 400, `"where":"spec.project","fix":"y"`},
		{fault.New(fault.Stalled, "", "", "", "x", ""), 409, `"code":9`},
		{fault.New(fault.Bug, "", "", "", "x", ""), 500, `"code":13`},
		{errors.New("x"), 503, `"code":14`},
		{context.DeadlineExceeded, 504, `"code":4`},
		{apierrors.NewNotFound(schema.GroupResource{Resource: "secrets"}, "x"), 404, `"code":5`},
		{apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "x", errors.New("no")), 409, "service account"},
	} {
		err = c.err
		got := do(t, s, "GET", "/api/v1/applications", "")
		if got.status != c.status || !strings.Contains(got.body, c.code) {
			t.Errorf("%v: got %d %s, want %d with %s", c.err, got.status, got.body, c.status, c.code)
		}
		wantShape(t, c.err.Error(), got)
	}
}

func TestWhoIsNotKnownIsAnsweredTheSameEverywhere(t *testing.T) {
	s := open(t, &everything{}, nil)
	bodies := map[string]bool{}
	for _, token := range []string{"", "Bearer ", "Bearer bad", "Basic Z29vZA==", "Bearer " + strings.Repeat("x", 5000)} {
		for _, path := range []string{"/api/v1/applications", "/api/v1/projects", "/api/bowline/v1/applications", "/api/v1/stream/applications"} {
			got := do(t, s, "GET", path, "", "Authorization", token)
			bodies[got.body] = true
			if got.status != http.StatusUnauthorized {
				t.Errorf("%s with %.20q: %d", path, token, got.status)
			}
		}
	}
	if len(bodies) != 1 {
		t.Errorf("callers are told apart: %v", bodies)
	}
	for _, c := range [][2]string{{"GET", "/api/version"}, {"GET", "/api/v1/settings"}, {"GET", "/api/v1/session/userinfo"}, {"POST", "/api/v1/session"}} {
		if got := do(t, s, c[0], c[1], "", "Authorization", ""); got.status != http.StatusOK {
			t.Errorf("%s %s without a token: %d %s", c[0], c[1], got.status, got.body)
		}
	}
	if got := do(t, s, "GET", "/api/v1/applications", "", "Authorization", "Bearer late"); got.status != http.StatusServiceUnavailable {
		t.Errorf("accounts that cannot be read: %d %s, want 503: nothing says that the token is bad", got.status, got.body)
	}
	none := open(t, &everything{}, func(o *transport.Options) { o.Authenticate = nil })
	if got := do(t, none, "GET", "/api/v1/applications", ""); got.status != http.StatusUnauthorized {
		t.Errorf("without anybody who knows callers: %d", got.status)
	}
}

func TestToken(t *testing.T) {
	for _, c := range []struct {
		reason string
		set    func(http.Header)
		want   string
	}{
		{"none", func(http.Header) {}, ""},
		{"bearer", func(h http.Header) { h.Set("Authorization", "bearer a.b.c") }, "a.b.c"},
		{"metadata", func(h http.Header) { h.Set("token", "m"); h.Set("Authorization", "Bearer a") }, "m"},
		{"cookie", func(h http.Header) { h.Set("Cookie", "x=y; argocd.token=c") }, "c"},
		{"cookies", func(h http.Header) { h.Set("Cookie", "argocd.token-2=c; argocd.token=3:a; argocd.token-1=b") }, "abc"},
		{"a cookie is missing", func(h http.Header) { h.Set("Cookie", "argocd.token=3:a; argocd.token-1=b") }, ""},
		{"too many cookies", func(h http.Header) { h.Set("Cookie", "argocd.token=1000000:a") }, ""},
		{"basic", func(h http.Header) { h.Set("Authorization", "Basic abc") }, ""},
	} {
		r := &http.Request{Header: http.Header{}}
		c.set(r.Header)
		if got := transport.Token(r); got != c.want {
			t.Errorf("%s: got %q, want %q", c.reason, got, c.want)
		}
	}
}

func TestFields(t *testing.T) {
	e := &everything{answer: func(string, any) (any, error) {
		return &v1alpha1.ApplicationList{Items: []v1alpha1.Application{app("a"), app("b")}}, nil
	}}
	s := open(t, e, nil)
	for _, c := range []struct{ fields, want string }{
		{"items.metadata.name,items.spec", `{"items":[{"metadata":{"name":"a"},"spec":{"destination":{},"project":"default"}},{"metadata":{"name":"b"},"spec":{"destination":{},"project":"default"}}]}`},
		{"items.metadata.labels.team", `{"items":[{"metadata":{"labels":{"team":"a"}}},{"metadata":{"labels":{"team":"a"}}}]}`},
		{"metadata", `{"metadata":{}}`},
		{"-items.metadata,items.status,metadata", `{"items":[{"spec":{"destination":{},"project":"default"}},{"spec":{"destination":{},"project":"default"}}]}`},
	} {
		if got := do(t, s, "GET", "/api/v1/applications?fields="+c.fields, ""); got.body != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.fields, got.body, c.want)
		}
	}
}

func TestLargeAnswersAreCompressedForWhoReadsThat(t *testing.T) {
	list := &v1alpha1.ApplicationList{}
	for range 100 {
		list.Items = append(list.Items, app("web"))
	}
	s := open(t, &everything{answer: func(string, any) (any, error) { return list, nil }}, nil)
	plain := do(t, s, "GET", "/api/v1/applications", "")
	refused := do(t, s, "GET", "/api/v1/applications", "", "Accept-Encoding", "br, gzip;q=0")
	zipped := do(t, s, "GET", "/api/v1/applications", "", "Accept-Encoding", "br, gzip")
	z, err := gzip.NewReader(strings.NewReader(zipped.body))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil || string(text) != plain.body || refused.body != plain.body || plain.body != asJSON(list) {
		t.Errorf("compressed and plain answers differ: %v", err)
	}
	if zipped.header.Get("Content-Encoding") != "gzip" || len(zipped.body) > len(plain.body)/5 {
		t.Errorf("%d bytes of %d, %v", len(zipped.body), len(plain.body), zipped.header)
	}
}

func TestRequestsHaveAnID(t *testing.T) {
	e := &everything{}
	s := open(t, e, nil)
	if got := do(t, s, "GET", "/api/version", "", "X-Request-ID", "abc-1"); got.header.Get("X-Request-ID") != "abc-1" {
		t.Errorf("the id of a caller is not kept: %v", got.header)
	}
	for _, bad := range []string{"", "a b", strings.Repeat("a", 100), `a"b`} {
		if id := do(t, s, "GET", "/api/version", "", "X-Request-ID", bad).header.Get("X-Request-ID"); id == bad || len(id) < 20 {
			t.Errorf("%q became %q, want one of ours", bad, id)
		}
	}
}

func TestHandlersInsideFindTheCaller(t *testing.T) {
	inside := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			who, _ := auth.From(r.Context())
			w.Header().Set("X-Caller", who.Name())
			next.ServeHTTP(w, r)
		})
	}
	s := open(t, &everything{}, func(o *transport.Options) { o.Inside = []func(http.Handler) http.Handler{inside} })
	if got := do(t, s, "GET", "/api/v1/applications", ""); got.header.Get("X-Caller") != "alice@example.org" {
		t.Errorf("got %v", got.header)
	}
	if got := do(t, s, "GET", "/api/v1/applications", "", "Authorization", ""); got.header.Get("X-Caller") != "" {
		t.Error("it is asked before anybody signed in")
	}
}
