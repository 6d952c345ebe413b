// SPDX-License-Identifier: Apache-2.0

package declared

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

// fill sets every field of a struct that has none, so that a field which a table forgets is missed.
func fill(t *testing.T, v reflect.Value, canary string, skip ...string) {
	t.Helper()
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		if strings.Contains(" "+strings.Join(skip, " ")+" ", " "+name+" ") {
			continue
		}
		switch f := v.Field(i); f.Kind() {
		case reflect.String:
			f.SetString(canary + name)
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Int64:
			f.SetInt(7)
		default:
			t.Fatalf("%s.%s is of a kind that nobody declared before: %s", v.Type(), name, f.Kind())
		}
	}
}

func TestEveryFieldOfARepositoryIsInItsSecret(t *testing.T) {
	want := &v1alpha1.Repository{}
	fill(t, reflect.ValueOf(want).Elem(), "", "ConnectionState", "InheritedCreds") // those two are found out
	got, err := ReadRepository(NewRepository(want, false))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

func TestEveryFieldOfCredentialsIsInTheirSecret(t *testing.T) {
	want := &v1alpha1.RepoCreds{}
	fill(t, reflect.ValueOf(want).Elem(), "")
	got, err := ReadCreds(NewCreds(want, false))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

// The names are those that Argo CD gives.
func TestNames(t *testing.T) {
	for _, tt := range []struct{ reason, got, want string }{
		{"a repository", NewRepository(&v1alpha1.Repository{Repo: "git://git@github.com:argoproj/ARGO-cd.git"}, false).Name, "repo-83273445"},
		{"the same in a project", NewRepository(&v1alpha1.Repository{Repo: "git://git@github.com:argoproj/ARGO-cd.git", Project: "foobar"}, false).Name, "repo-2733415816"},
		{"a cluster", name(t, "http://foo"), "cluster-foo-752281925"},
		{"a cluster with a port", name(t, "http://thelongestdomainnameintheworld.argocd-project.com:3000"), "cluster-thelongestdomainnameintheworld.argocd-project.com-2721640553"},
		{"a cluster by IPv6 address", name(t, "http://[fe80::1ff:fe23:4567:890a]:8000"), "cluster-fe80--1ff-fe23-4567-890a-664858999"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.reason, tt.got, tt.want)
		}
	}
	if _, err := ClusterName("kubernetes.default.svc"); !fault.Is(err, fault.Mistake) {
		t.Errorf("an address without a scheme: got %v, want a mistake", err)
	}
}

func name(t *testing.T, server string) string {
	t.Helper()
	got, err := ClusterName(server)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestTypesOfSecrets(t *testing.T) {
	kinds := map[string]*corev1.Secret{
		"repository":       NewRepository(&v1alpha1.Repository{Repo: "https://a.example/b"}, false),
		"repository-write": NewRepository(&v1alpha1.Repository{Repo: "https://a.example/b"}, true),
		"repo-creds":       NewCreds(&v1alpha1.RepoCreds{URL: "https://a.example"}, false),
		"repo-write-creds": NewCreds(&v1alpha1.RepoCreds{URL: "https://a.example"}, true),
	}
	names := map[string]bool{}
	for kind, secret := range kinds {
		if secret.Labels["argocd.argoproj.io/secret-type"] != kind || !Ours(secret) {
			t.Errorf("%s: got labels %v and annotations %v", kind, secret.Labels, secret.Annotations)
		}
		names[secret.Name] = true
	}
	if len(names) != len(kinds) {
		t.Errorf("a twin has the name of another Secret: %v", names)
	}
}

func TestAnUpdateClearsWhatWasThere(t *testing.T) {
	secret := NewRepository(&v1alpha1.Repository{Repo: "https://a.example/b", Username: "u", Password: "p"}, false)
	WriteRepository(secret, &v1alpha1.Repository{Repo: "https://a.example/b", BearerToken: "t"})
	if string(secret.Data["password"]) != "" || string(secret.Data["bearerToken"]) != "t" {
		t.Errorf("got %v, want only the token", secret.Data)
	}
}

func TestWhatCannotBeReadIsNamedAndNotQuoted(t *testing.T) {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "s", Namespace: "argocd"}, Data: map[string][]byte{
		"url": []byte("https://a.example/b"), "insecure": []byte("hunter2"), "depth": []byte("3"),
	}}
	r, err := ReadRepository(secret)
	if err == nil || !strings.Contains(err.Error(), "data.insecure") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v, want the key and not its value", err)
	}
	if r.Repo != "https://a.example/b" || r.Depth != 3 {
		t.Errorf("got %+v, want the rest of it", r)
	}
	secret.Data = map[string][]byte{"server": []byte("https://c.example"), "config": []byte(`{"bearerToken": hunter2}`)}
	c, err := ReadCluster(secret)
	if err == nil || !strings.Contains(err.Error(), "data.config") || strings.Contains(err.Error(), "hunter2") || c.Server != "https://c.example" {
		t.Errorf("got %+v, %v, want the key and not its value", c, err)
	}
}

func cluster() *v1alpha1.Cluster {
	shard := int64(2)
	return &v1alpha1.Cluster{
		Server: "https://c.example:6443", Name: "far", Project: "shop", Namespaces: []string{"a", "b"}, ClusterResources: true, Shard: &shard,
		Labels: map[string]string{"env": "prod"}, Annotations: map[string]string{"note": "x"},
		RefreshRequestedAt: &metav1.Time{Time: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)},
		Config: v1alpha1.ClusterConfig{
			Username: "canary-user", Password: "canary-password", BearerToken: "canary-token", ProxyURL: "http://u:canary-proxy@p.example",
			TLSClientConfig:    v1alpha1.TLSClientConfig{ServerName: "c", CertData: []byte("canary-cert"), KeyData: []byte("canary-key"), CAData: []byte("canary-ca")},
			ExecProviderConfig: &v1alpha1.ExecProviderConfig{Command: "aws", Args: []string{"canary-arg"}, Env: map[string]string{"A": "canary-env"}},
		},
	}
}

func TestAClusterIsReadAsItWasWritten(t *testing.T) {
	want := cluster()
	secret, err := NewCluster(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadCluster(secret)
	if err != nil {
		t.Fatal(err)
	}
	want.Annotations[v1alpha1.AnnotationKeyRefresh] = "2026-11-22T12:00:00Z"
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	got.RefreshRequestedAt = nil
	if err := WriteCluster(secret, got); err != nil {
		t.Fatal(err)
	}
	if secret.Annotations[v1alpha1.AnnotationKeyRefresh] != "" || !Ours(secret) {
		t.Errorf("got annotations %v, want no request and the mark", secret.Annotations)
	}
	got.Annotations[v1alpha1.AnnotationKubectlLastApplied] = "{}"
	if err := WriteCluster(secret, got); !fault.Is(err, fault.Mistake) {
		t.Errorf("last-applied was taken: %v", err)
	}
}

// Nothing shown holds a value that was given as a credential: each is a canary here, and fields that nobody thought of are too.
func TestNothingShownGivesAccess(t *testing.T) {
	r, c := &v1alpha1.Repository{}, &v1alpha1.RepoCreds{}
	open := "Repo URL Type Name Project Proxy NoProxy Username GithubAppEnterpriseBaseURL AzureActiveDirectoryEndpoint AzureServicePrincipalClientID AzureServicePrincipalTenantID ConnectionState"
	fill(t, reflect.ValueOf(r).Elem(), "canary-", strings.Fields(open)...)
	fill(t, reflect.ValueOf(c).Elem(), "canary-", strings.Fields(open)...)
	r.Username, r.Repo, r.Proxy = "canary-user", "https://u:canary-url@a.example/b", "http://u:canary-proxy@p.example"
	c.URL = "https://u:canary-url@a.example"
	last := cluster()
	last.Annotations[v1alpha1.AnnotationKubectlLastApplied] = "canary-last"
	for _, shown := range []any{ShownRepository(r), ShownCreds(c), ShownCluster(last)} {
		text, err := json.Marshal(shown)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "canary") || strings.Contains(string(text), "Y2FuYXJ5") {
			t.Errorf("%T shows %s", shown, text)
		}
	}
}

func FuzzReadCluster(f *testing.F) {
	f.Add("https://a.example", `{"bearerToken":"x","tlsClientConfig":{"insecure":true}}`, "1", "a,b")
	f.Add("", `{`, "x", ",")
	f.Fuzz(func(t *testing.T, server, config, shard, namespaces string) {
		secret := &corev1.Secret{Data: map[string][]byte{"server": []byte(server), "config": []byte(config), "shard": []byte(shard), "namespaces": []byte(namespaces)}}
		c, err := ReadCluster(secret)
		if err != nil {
			return
		}
		again, err := NewCluster(c)
		if err != nil {
			return
		}
		if back, err := ReadCluster(again); err != nil || back.Server != c.Server || !reflect.DeepEqual(back.Namespaces, c.Namespaces) {
			t.Errorf("got %+v, %v, want %+v", back, err, c)
		}
	})
}
