// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/account"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/cluster"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/project"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/repository"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/fault"
)

// seen is what a server was sent.
type seen struct{ Method, URI, Authorization, Body string }

// serve starts a server that answers everything alike, and returns services that call it.
func serve(t *testing.T, status int, answer string) (*client.Services, *seen) {
	t.Helper()
	got := &seen{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*got = seen{r.Method, r.RequestURI, r.Header.Get("Authorization"), strings.TrimSpace(string(body))}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	return dial(t, &client.Server{Address: server.URL}), got
}

func dial(t *testing.T, server *client.Server) *client.Services {
	t.Helper()
	caller, err := client.NewCaller(server, func(context.Context) (string, error) { return "t0ken", nil })
	if err != nil {
		t.Fatal(err)
	}
	return client.NewServices(caller)
}

// Each call goes to the path that Argo CD's description of its API gives it.
func TestRequestsAreDividedAmongPathQueryAndBody(t *testing.T) {
	no := false
	for name, tt := range map[string]struct {
		call func(context.Context, *client.Services) error
		want seen
	}{
		"a list": {func(ctx context.Context, s *client.Services) error {
			_, err := s.Applications.List(ctx, &application.ApplicationQuery{Projects: []string{"a", "b"}, Selector: "x=y"})
			return err
		}, seen{Method: "GET", URI: "/api/v1/applications?projects=a&projects=b&selector=x%3Dy"}},
		"false that was said": {func(ctx context.Context, s *client.Services) error {
			_, err := s.Applications.Delete(ctx, &application.ApplicationDeleteRequest{Name: "web", Cascade: &no})
			return err
		}, seen{Method: "DELETE", URI: "/api/v1/applications/web?cascade=false"}},
		"a URL in the path": {func(ctx context.Context, s *client.Services) error {
			_, err := s.Repositories.Get(ctx, &repository.RepoQuery{Repo: "https://git.example.com/a b", ForceRefresh: true})
			return err
		}, seen{Method: "GET", URI: "/api/v1/repositories/https:%2F%2Fgit.example.com%2Fa%20b?forceRefresh=true"}},
		"a field of a field in the path": {func(ctx context.Context, s *client.Services) error {
			_, err := s.Clusters.Get(ctx, &cluster.ClusterQuery{Name: "east", ID: &cluster.ClusterID{Type: "name", Value: "east"}})
			return err
		}, seen{Method: "GET", URI: "/api/v1/clusters/east?id.type=name&name=east"}},
		"a path with slashes": {func(ctx context.Context, s *client.Services) error {
			_, err := s.Accounts.CanI(ctx, &account.CanIRequest{Resource: "applications", Action: "get", Subresource: "shop/*"})
			return err
		}, seen{Method: "GET", URI: "/api/v1/account/can-i/applications/get/shop/%2A"}},
		"a body of all": {func(ctx context.Context, s *client.Services) error {
			_, err := s.Projects.CreateToken(ctx, &project.ProjectTokenCreateRequest{Project: "shop", Role: "ci", ExpiresIn: 60})
			return err
		}, seen{Method: "POST", URI: "/api/v1/projects/shop/roles/ci/token", Body: `{"expiresIn":60,"project":"shop","role":"ci"}`}},
		"a body of one field": {func(ctx context.Context, s *client.Services) error {
			_, err := s.Applications.UpdateSpec(ctx, &application.ApplicationUpdateSpecRequest{Name: "web", Spec: &v1alpha1.ApplicationSpec{Project: "shop"}})
			return err
		}, seen{Method: "PUT", URI: "/api/v1/applications/web/spec", Body: `{"destination":{},"project":"shop"}`}},
	} {
		t.Run(name, func(t *testing.T) {
			services, got := serve(t, http.StatusOK, "{}")
			if err := tt.call(t.Context(), services); err != nil {
				t.Fatal(err)
			}
			tt.want.Authorization = "Bearer t0ken"
			if diff := cmp.Diff(tt.want, *got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEmptyVariablesOfPathsAreMistakes(t *testing.T) {
	services, got := serve(t, http.StatusOK, "{}")
	_, err := services.Projects.Get(t.Context(), &project.ProjectQuery{})
	if !fault.Is(err, fault.Mistake) || got.Method != "" {
		t.Errorf("got %v, and the server saw %v", err, got)
	}
}

// The kind of a refusal decides the exit code, so it has to survive the way over the wire.
func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		status int
		body   string
		kind   fault.Kind
		code   fault.Code
		says   string
	}{
		{403, `{"error":"permission denied","code":7,"message":"permission denied: projects, get, shop"}`, fault.Forbidden, "", "permission denied: projects, get, shop"},
		{401, `{"error":"no session","code":16,"message":"no session"}`, fault.Forbidden, fault.Unauthenticated, "bowline login"},
		{404, `{"code":5,"message":"no such project"}`, fault.Mistake, fault.NotFound, "no such project"},
		{409, `{"code":6,"message":"it exists"}`, fault.Mistake, fault.AlreadyExists, "it exists"},
		{409, `{"code":9,"message":"another operation"}`, fault.Wait, "", "another operation"},
		{413, `{"code":8,"message":"too long"}`, fault.Mistake, fault.TooLarge, "too long"},
		{429, `{"code":8,"message":"slow down"}`, fault.Retry, fault.TooManyRequests, "slow down"},
		{501, `{"code":12,"message":"not here"}`, fault.Mistake, fault.Unsupported, "not here"},
		{500, `{"code":13,"message":"oops"}`, fault.Bug, "", "oops"},
		{502, `<html>bad gateway</html>`, fault.Retry, "", "not in JSON"},
	} {
		services, _ := serve(t, tt.status, tt.body)
		_, err := services.Projects.Get(t.Context(), &project.ProjectQuery{Name: "shop"})
		if !fault.Is(err, tt.kind) || fault.CodeOf(err) != tt.code || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%d %s: got %v (%s, %s)", tt.status, tt.body, err, fault.KindOf(err), fault.CodeOf(err))
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the token went elsewhere") }))
	t.Cleanup(other.Close)
	server := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	t.Cleanup(server.Close)
	_, err := dial(t, &client.Server{Address: server.URL}).Projects.Get(t.Context(), &project.ProjectQuery{Name: "shop"})
	if !fault.Is(err, fault.Mistake) || !strings.Contains(err.Error(), "it sends to") {
		t.Errorf("got %v", err)
	}
}

func TestStreams(t *testing.T) {
	services, _ := serve(t, http.StatusOK, `{"result":{"type":"ADDED","application":{"metadata":{"name":"a"}}}}
{"result":{"type":"MODIFIED","application":{"metadata":{"name":"b"}}}}
{"error":{"code":7,"message":"permission denied"}}
`)
	var names []string
	err := services.Applications.Watch(t.Context(), &application.ApplicationQuery{}, func(e *v1alpha1.ApplicationWatchEvent) error {
		names = append(names, e.Type+" "+e.Application.Name)
		return nil
	})
	if diff := cmp.Diff([]string{"ADDED a", "MODIFIED b"}, names); diff != "" || !fault.Is(err, fault.Forbidden) {
		t.Error(err, diff)
	}
	enough := errors.New("enough")
	if err := services.Applications.Watch(t.Context(), &application.ApplicationQuery{}, func(*v1alpha1.ApplicationWatchEvent) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("got %v", err)
	}
}

func TestStreamsOfRequests(t *testing.T) {
	services, got := serve(t, http.StatusOK, `{"manifests":["x"]}`)
	left := []*application.ApplicationManifestQueryWithFilesWrapper{{}, {}}
	answer, err := services.Applications.GetManifestsWithFiles(t.Context(), func() (*application.ApplicationManifestQueryWithFilesWrapper, error) {
		if len(left) == 0 {
			return nil, io.EOF
		}
		next := left[0]
		left = left[1:]
		return next, nil
	})
	if err != nil || len(answer.Manifests) != 1 || got.Body != "{}\n{}" {
		t.Errorf("got %v, %v, sent %q", answer, err, got.Body)
	}
}

func TestServersOfUnknownCertificatesAreNotTrusted(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }))
	server.Config.ErrorLog = nil
	t.Cleanup(server.Close)
	ask := func(s client.Server) error {
		s.Address = strings.TrimPrefix(server.URL, "https://")
		_, err := dial(t, &s).Projects.Get(t.Context(), &project.ProjectQuery{Name: "shop"})
		return err
	}
	if err := ask(client.Server{}); err == nil || !strings.Contains(err.Error(), "--insecure") {
		t.Errorf("got %v", err)
	}
	if err := ask(client.Server{Insecure: true}); err != nil {
		t.Error(err)
	}
	if _, err := client.NewCaller(&client.Server{CA: []byte("no PEM")}, nil); !fault.Is(err, fault.Mistake) {
		t.Errorf("got %v", err)
	}
}
