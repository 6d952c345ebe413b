// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	rpccluster "github.com/bowline-cd/bowline/api/argoproj/rpc/cluster"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/gate"
	"github.com/bowline-cd/bowline/internal/server/hub"
	"github.com/bowline-cd/bowline/internal/settings"
	"github.com/bowline-cd/bowline/internal/settings/declared"
)

// rights grants what it lists: "action object".
type rights []string

func (r rights) Rule(_ auth.Caller, right access.Right) access.Ruling {
	return access.Ruling{Allowed: slices.Contains(r, "all") || slices.Contains(r, right.Action+" "+right.Object)}
}
func (rights) Changed() <-chan struct{}  { return nil }
func (rights) Valid(_ auth.Caller) error { return nil }

// connections has a connection to each server that it lists, over which nothing was sent yet.
type connections []string

func (c connections) Find(d v1alpha1.ApplicationDestination) (*cluster.Cluster, error) {
	if !slices.Contains(c, d.Server) {
		return nil, errors.New("no such cluster")
	}
	return cluster.Open(cluster.Config{Server: d.Server, Name: d.Server, REST: &rest.Config{Host: d.Server}}, cluster.Options{})
}

type world struct {
	*Service
	now     settings.Settings
	asked   []*rest.Config
	refuses error
}

func newWorld(t *testing.T, may rights, objects ...client.Object) *world {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	c := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()
	w := &world{now: settings.Defaults()}
	w.Service = New(Deps{
		Gate: &gate.Gate{Roles: may}, Hub: &hub.Hub{Client: c, Fresh: c, Home: "argocd", Clock: clock.RealClock{}},
		Connections: connections{"https://a.example"}, Settings: func() *settings.Settings { return &w.now },
		Version: func(_ context.Context, config *rest.Config) (string, error) {
			w.asked = append(w.asked, config)
			return "v1.36.2", w.refuses
		},
	})
	return w
}

func signedIn(t *testing.T) context.Context {
	t.Helper()
	return auth.With(t.Context(), auth.Caller{Kind: auth.Login, Subject: "ann"})
}

func described(server, name string) *v1alpha1.Cluster {
	return &v1alpha1.Cluster{Server: server, Name: name, Config: v1alpha1.ClusterConfig{BearerToken: "canary-token"}}
}

func stored(t *testing.T, c *v1alpha1.Cluster) *corev1.Secret {
	t.Helper()
	s, err := declared.NewCluster(c)
	if err != nil {
		t.Fatal(err)
	}
	s.Namespace = "argocd"
	return s
}

func names(list *v1alpha1.ClusterList) string {
	var out []string
	for _, c := range list.Items {
		out = append(out, c.Name)
	}
	return strings.Join(out, " ")
}

func TestListShowsWhatTheCallerMaySee(t *testing.T) {
	scoped := described("https://b.example", "b")
	scoped.Project = "shop"
	app := &v1alpha1.Application{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "argocd"}, Spec: v1alpha1.ApplicationSpec{Destination: v1alpha1.ApplicationDestination{Server: "https://a.example"}}}
	w := newWorld(t, rights{"get https://a.example", "get shop/https://b.example"}, app,
		stored(t, described("https://a.example", "a")), stored(t, scoped), stored(t, described("https://c.example", "c")))
	got, err := w.List(signedIn(t), &rpccluster.ClusterQuery{})
	if err != nil || names(got) != "a b" {
		t.Fatalf("got %+v, %v", got, err)
	}
	a, b := got.Items[0], got.Items[1]
	if a.Info.ApplicationsCount != 1 || a.ConnectionState != a.Info.ConnectionState || a.Info.ConnectionState.Status == "" {
		t.Errorf("got %+v", a)
	}
	if b.Info.ConnectionState.Status != "Failed" || !strings.Contains(b.Info.ConnectionState.Message, "no such cluster") {
		t.Errorf("got %+v", b)
	}
	w.Gate.Roles = rights{"all"}
	for _, tt := range []struct {
		reason string
		query  rpccluster.ClusterQuery
		want   string
	}{
		{"all, with the hub's own", rpccluster.ClusterQuery{}, "a b c in-cluster"},
		{"by server", rpccluster.ClusterQuery{Server: "https://b.example/"}, "b"},
		{"by name", rpccluster.ClusterQuery{Name: "c"}, "c"},
		{"by id", rpccluster.ClusterQuery{ID: &rpccluster.ClusterID{Value: "https://a.example"}}, "a"},
		{"by an id that is a name", rpccluster.ClusterQuery{ID: &rpccluster.ClusterID{Type: "name", Value: "in-cluster"}}, "in-cluster"},
		{"by an escaped name", rpccluster.ClusterQuery{ID: &rpccluster.ClusterID{Type: "name_escaped", Value: "in%2Dcluster"}}, "in-cluster"},
		{"by an id that cannot be read", rpccluster.ClusterQuery{ID: &rpccluster.ClusterID{Type: "name_escaped", Value: "%zz"}}, ""},
	} {
		if got, err := w.List(signedIn(t), &tt.query); err != nil || names(got) != tt.want {
			t.Errorf("%s: got %q, %v, want %q", tt.reason, names(got), err, tt.want)
		}
	}
	w.now.InCluster = false
	if got, err := w.List(signedIn(t), &rpccluster.ClusterQuery{}); err != nil || names(got) != "a b c" {
		t.Errorf("without the hub's own: got %q, %v", names(got), err)
	}
}

func TestMissingAndForbiddenLookTheSame(t *testing.T) {
	w := newWorld(t, rights{}, stored(t, described("https://a.example", "a")))
	for name, call := range map[string]func(*rpccluster.ClusterQuery) error{
		"get":    func(q *rpccluster.ClusterQuery) error { _, err := w.Get(signedIn(t), q); return err },
		"delete": func(q *rpccluster.ClusterQuery) error { _, err := w.Delete(signedIn(t), q); return err },
		"rotate": func(q *rpccluster.ClusterQuery) error { _, err := w.RotateAuth(signedIn(t), q); return err },
		"sweep":  func(q *rpccluster.ClusterQuery) error { _, err := w.InvalidateCache(signedIn(t), q); return err },
		"update": func(q *rpccluster.ClusterQuery) error {
			_, err := w.Update(signedIn(t), &rpccluster.ClusterUpdateRequest{Cluster: &v1alpha1.Cluster{Server: q.Server}})
			return err
		},
	} {
		there, missing, none := call(&rpccluster.ClusterQuery{Server: "https://a.example"}), call(&rpccluster.ClusterQuery{Server: "https://z.example"}), call(&rpccluster.ClusterQuery{})
		if !fault.Is(there, fault.Forbidden) || there.Error() != missing.Error() || none == nil {
			t.Errorf("%s: one that exists: %v; one that does not: %v; none: %v", name, there, missing, none)
		}
	}
}

func TestCreate(t *testing.T) {
	w := newWorld(t, rights{"create https://a.example"})
	w.refuses = errors.New("connection refused")
	if _, err := w.Create(signedIn(t), &rpccluster.ClusterCreateRequest{Cluster: described("https://a.example", "a")}); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("one that does not answer: got %v", err)
	}
	w.refuses = nil
	got, err := w.Create(signedIn(t), &rpccluster.ClusterCreateRequest{Cluster: described("https://a.example/", "a")})
	if err != nil || got.Server != "https://a.example" || got.Config.BearerToken != "" {
		t.Fatalf("got %+v, %v", got, err)
	}
	if w.asked[0].BearerToken != "canary-token" {
		t.Errorf("asked with %+v", w.asked[0])
	}
	if _, err := w.Create(signedIn(t), &rpccluster.ClusterCreateRequest{Cluster: described("https://a.example", "a")}); err != nil {
		t.Errorf("the same again: %v", err)
	}
	other := described("https://a.example", "b")
	other.Config.BearerToken = "canary-other"
	if _, err := w.Create(signedIn(t), &rpccluster.ClusterCreateRequest{Cluster: other}); err == nil || !strings.Contains(err.Error(), "name, config") || strings.Contains(err.Error(), "canary") {
		t.Errorf("another without upsert: got %v, want the names of the fields", err)
	}
	if _, err := w.Create(signedIn(t), &rpccluster.ClusterCreateRequest{Cluster: other, Upsert: true}); !fault.Is(err, fault.Forbidden) {
		t.Errorf("upsert without the right to update: got %v", err)
	}
	w.Gate.Roles = rights{"all"}
	if got, err := w.Create(signedIn(t), &rpccluster.ClusterCreateRequest{Cluster: other, Upsert: true}); err != nil || got.Name != "b" {
		t.Errorf("upsert: got %+v, %v", got, err)
	}
	exec := described("https://x.example", "x")
	exec.Config = v1alpha1.ClusterConfig{ExecProviderConfig: &v1alpha1.ExecProviderConfig{Command: "/bin/sh"}}
	if _, err := w.Create(signedIn(t), &rpccluster.ClusterCreateRequest{Cluster: exec}); !fault.Is(err, fault.Stalled) {
		t.Errorf("a command that is not allowed: got %v", err)
	}
}

func TestUpdate(t *testing.T) {
	w := newWorld(t, rights{"update https://a.example", "get https://a.example"}, stored(t, described("https://a.example", "a")))
	update := func(c *v1alpha1.Cluster, fields ...string) (*v1alpha1.Cluster, error) {
		return w.Update(signedIn(t), &rpccluster.ClusterUpdateRequest{Cluster: c, UpdatedFields: fields, ID: &rpccluster.ClusterID{Value: "https://a.example"}})
	}
	got, err := update(&v1alpha1.Cluster{Name: "new", Labels: map[string]string{"env": "prod"}, Project: "shop"}, "labels", "name")
	if err != nil || got.Name != "new" || got.Labels["env"] != "prod" || got.Project != "" {
		t.Fatalf("got %+v, %v", got, err)
	}
	secret := &corev1.Secret{}
	if err := w.Hub.Fresh.Get(t.Context(), w.Hub.Key(stored(t, described("https://a.example", "a")).Name), secret); err != nil || !strings.Contains(string(secret.Data["config"]), "canary-token") {
		t.Errorf("got %v, %v, want the token kept", secret.Data, err)
	}
	if _, err := update(&v1alpha1.Cluster{Project: "shop"}, "project"); !fault.Is(err, fault.Forbidden) {
		t.Errorf("into a project without its right: got %v", err)
	}
	if _, err := update(&v1alpha1.Cluster{}, "server"); !fault.Is(err, fault.Mistake) {
		t.Errorf("a field that cannot be updated: got %v", err)
	}
	w.Gate.Roles = rights{"all"}
	if got, err := update(&v1alpha1.Cluster{Project: "shop"}, "project"); err != nil || got.Project != "shop" {
		t.Errorf("got %+v, %v", got, err)
	}
	annotated := &v1alpha1.Cluster{Annotations: map[string]string{v1alpha1.AnnotationKubectlLastApplied: "{}"}}
	if _, err := update(annotated, "annotations"); !fault.Is(err, fault.Mistake) {
		t.Errorf("last-applied was taken: %v", err)
	}
}

func TestDelete(t *testing.T) {
	w := newWorld(t, rights{"all"}, stored(t, described("https://a.example", "same")), stored(t, described("https://b.example", "same")), stored(t, described("https://c.example", "c")))
	if _, err := w.Delete(signedIn(t), &rpccluster.ClusterQuery{Name: "same"}); err != nil {
		t.Fatal(err)
	}
	if got, err := w.List(signedIn(t), &rpccluster.ClusterQuery{}); err != nil || names(got) != "c in-cluster" {
		t.Errorf("got %q, %v", names(got), err)
	}
	if _, err := w.Delete(signedIn(t), &rpccluster.ClusterQuery{Name: "in-cluster"}); !fault.Is(err, fault.Mistake) {
		t.Errorf("the hub's own: got %v", err)
	}
}

// api is an API server that knows the Secrets and the account that a rotation needs.
type api struct {
	*httptest.Server
	deleted []string
	account corev1.ServiceAccount
}

func newAPI(t *testing.T) *api {
	t.Helper()
	a := &api{account: corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "argocd-manager", Namespace: "kube-system"}, Secrets: []corev1.ObjectReference{{Name: "argocd-manager-token-old"}}}}
	made := corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "argocd-manager-token-new", Namespace: "kube-system"}}
	mux := http.NewServeMux()
	const secrets = "/api/v1/namespaces/kube-system/secrets"
	answer := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
	mux.HandleFunc("GET "+secrets+"/argocd-manager-token-old", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "argocd-manager-token-old", Annotations: map[string]string{"kubernetes.io/service-account.name": "argocd-manager"}}})
	})
	mux.HandleFunc("POST "+secrets, func(w http.ResponseWriter, r *http.Request) {
		var got corev1.Secret
		if err := decode(r, &got); err != nil || got.GenerateName != "argocd-manager-token-" || got.Annotations["kubernetes.io/service-account.name"] != "argocd-manager" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		answer(w, made)
	})
	mux.HandleFunc("GET "+secrets+"/argocd-manager-token-new", func(w http.ResponseWriter, _ *http.Request) {
		filled := made
		filled.Data = map[string][]byte{"token": []byte("canary-new")}
		answer(w, filled)
	})
	mux.HandleFunc("DELETE "+secrets+"/{name}", func(w http.ResponseWriter, r *http.Request) {
		a.deleted = append(a.deleted, r.PathValue("name")+" by "+r.Header.Get("Authorization"))
		answer(w, metav1.Status{Status: "Success"})
	})
	mux.HandleFunc("/api/v1/namespaces/kube-system/serviceaccounts/argocd-manager", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			_ = decode(r, &a.account)
		}
		answer(w, a.account)
	})
	a.Server = httptest.NewServer(mux)
	t.Cleanup(a.Close)
	return a
}

// decode reads what a client sent, in whichever form.
func decode(r *http.Request, into runtime.Object) error {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	_, _, err = clientgoscheme.Codecs.UniversalDeserializer().Decode(text, nil, into)
	return err
}

func token(claims string) string {
	return "h." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".s"
}

func TestRotateAuth(t *testing.T) {
	server := newAPI(t)
	c := described(server.URL, "far")
	c.Config.BearerToken = token(`{"kubernetes.io/serviceaccount/namespace":"kube-system","kubernetes.io/serviceaccount/secret.name":"argocd-manager-token-old","kubernetes.io/serviceaccount/service-account.name":"argocd-manager"}`)
	w := newWorld(t, rights{"all"}, stored(t, c))
	ctx, cancel := context.WithTimeout(signedIn(t), 30*time.Second)
	defer cancel()
	if _, err := w.RotateAuth(ctx, &rpccluster.ClusterQuery{Name: "far"}); err != nil {
		t.Fatal(err)
	}
	if len(w.asked) != 1 || w.asked[0].BearerToken != "canary-new" {
		t.Errorf("proved %+v, want the new token", w.asked)
	}
	if !slices.Equal(server.deleted, []string{"argocd-manager-token-old by Bearer canary-new"}) {
		t.Errorf("deleted %v, want the old one, with the new token", server.deleted)
	}
	if len(server.account.Secrets) != 1 || server.account.Secrets[0].Name != "argocd-manager-token-new" {
		t.Errorf("the account names %+v", server.account.Secrets)
	}
	got, err := w.exact(ctx, server.URL)
	if err != nil || got.Config.BearerToken != "canary-new" {
		t.Errorf("stored %+v, %v", got, err)
	}
}

func TestTokensThatCannotBeRotated(t *testing.T) {
	for _, text := range []string{"", "opaque", token(`{"kubernetes.io":{"namespace":"x"}}`), "a.%%%.c"} {
		c := described("https://a.example", "a")
		c.Config.BearerToken = text
		w := newWorld(t, rights{"all"}, stored(t, c))
		if _, err := w.RotateAuth(signedIn(t), &rpccluster.ClusterQuery{Name: "a"}); !fault.Is(err, fault.Mistake) || text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

func FuzzAccountOf(f *testing.F) {
	f.Add(token(`{"kubernetes.io/serviceaccount/namespace":"a"}`))
	f.Add("..")
	f.Fuzz(func(t *testing.T, text string) {
		if a, err := accountOf(text); err == nil && (a.Namespace == "" || a.Secret == "" || a.Name == "") {
			t.Errorf("%q gives %+v", text, a)
		}
	})
}
