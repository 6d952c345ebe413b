// SPDX-License-Identifier: Apache-2.0

package transport_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/rpc"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/account"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/applicationset"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/certificate"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/cluster"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/project"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/repocreds"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/repository"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/session"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/version"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/transport"
)

// everything answers every call of every service with an empty message, and remembers the last request.
type everything struct {
	mu   sync.Mutex
	last any
	who  auth.Caller
	// answer is answered instead, if there is one.
	answer func(method string, request any) (any, error)
	// stream sends the elements of streams.
	stream func(ctx context.Context, method string, request any, send func(any) error) error
}

// mounted is every service, each call of which ends at e.
func (e *everything) mounted() transport.Mounted {
	var out []*rpc.Method
	for _, methods := range [][]*rpc.Method{
		account.AccountServiceMethods, application.ApplicationServiceMethods, applicationset.ApplicationSetServiceMethods,
		certificate.CertificateServiceMethods, cluster.ClusterServiceMethods, cluster.SettingsServiceMethods, project.ProjectServiceMethods,
		repocreds.RepoCredsServiceMethods, repository.RepositoryServiceMethods, session.SessionServiceMethods, version.VersionServiceMethods,
		bowline.Methods,
	} {
		for _, m := range methods {
			out = append(out, e.method(m))
		}
	}
	return transport.Mounted{Methods: out, Service: e}
}

func (e *everything) method(m *rpc.Method) *rpc.Method {
	own := *m
	own.Call = func(ctx context.Context, _, request any) (any, error) {
		e.note(ctx, request)
		if e.answer != nil {
			if answer, err := e.answer(m.FullName(), request); answer != nil || err != nil {
				return answer, err
			}
		}
		return m.NewResponse(), nil
	}
	own.Serve = func(ctx context.Context, _, request any, send func(any) error) error {
		e.note(ctx, request)
		if e.stream == nil {
			return nil
		}
		return e.stream(ctx, m.FullName(), request, send)
	}
	own.Take = func(ctx context.Context, _ any, next func() (any, error)) (any, error) {
		var chunks []any
		for {
			chunk, err := next()
			if errors.Is(err, io.EOF) {
				e.note(ctx, chunks)
				return &repository.ManifestResponse{Manifests: []string{"a"}}, nil
			}
			if err != nil {
				return nil, err
			}
			chunks = append(chunks, chunk)
		}
	}
	return &own
}

func (e *everything) note(ctx context.Context, request any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.last = request
	e.who, _ = auth.From(ctx)
}

func (e *everything) request() any {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.last
}

// only lets in whoever shows the token "good".
func only(r *http.Request) (context.Context, error) {
	switch transport.Token(r) {
	case "good":
		return auth.With(r.Context(), auth.Caller{Kind: auth.Login, Subject: "alice", Username: "alice@example.org"}), nil
	case "late":
		return nil, fault.New(fault.Retry, "read", "accounts", "", "the cluster does not answer", "")
	}
	return nil, &fault.Error{Kind: fault.Forbidden, Code: fault.Unauthenticated, Err: errors.New("the signature of " + transport.Token(r) + " is wrong")}
}

// open starts a server of every service.
func open(t testing.TB, e *everything, change func(*transport.Options)) *httptest.Server {
	t.Helper()
	opts := transport.Options{
		Services: []transport.Mounted{e.mounted()}, Authenticate: only, ContentTypes: []string{"application/json"}, Gzip: true,
		Log: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&opts)
	}
	server := httptest.NewUnstartedServer(transport.New(t.Context(), opts))
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server.Config.Protocols = protocols
	server.Start()
	t.Cleanup(server.Close)
	return server
}

// answered is an answer that was read.
type answered struct {
	status int
	header http.Header
	body   string
}

// do calls with the token that is good; a header that is given replaces one that is set.
func do(t testing.TB, s *httptest.Server, verb, path, body string, headers ...string) answered {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), verb, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer good")
	if verb != http.MethodGet {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Del(headers[i])
		if headers[i+1] != "" {
			request.Header.Set(headers[i], headers[i+1])
		}
	}
	response, err := (&http.Transport{DisableCompression: true, DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answered{response.StatusCode, response.Header, string(text)}
}

func app(name string) v1alpha1.Application {
	return v1alpha1.Application{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "argocd", ResourceVersion: "7", Labels: map[string]string{"team": "a"}},
		Spec:       v1alpha1.ApplicationSpec{Project: "default"},
	}
}

var refusal = access.Right{Resource: access.Applications, Action: access.Sync, Object: "default/web"}
