// SPDX-License-Identifier: Apache-2.0

package certificate

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"golang.org/x/crypto/ssh"

	rpccertificate "github.com/bowline-cd/bowline/api/argoproj/rpc/certificate"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/access"
	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/gate"
	"github.com/bowline-cd/bowline/internal/server/hub"
)

type rights []string

func (r rights) Rule(_ auth.Caller, right access.Right) access.Ruling {
	return access.Ruling{Allowed: right.Resource == access.Certificates && slices.Contains(r, right.Action)}
}
func (rights) Changed() <-chan struct{}  { return nil }
func (rights) Valid(_ auth.Caller) error { return nil }

func newService(t *testing.T, may rights, objects ...client.Object) *Service {
	t.Helper()
	c := fake.NewClientBuilder().WithObjects(objects...).Build()
	return &Service{Gate: &gate.Gate{Roles: may}, Hub: &hub.Hub{Client: c, Fresh: c, Home: "argocd", Clock: clock.RealClock{}}}
}

func signedIn(t *testing.T) context.Context {
	t.Helper()
	return auth.With(t.Context(), auth.Caller{Kind: auth.Login, Subject: "ann"})
}

// hostKeyData returns a new key as a known_hosts file has it, without the type.
func hostKeyData(t *testing.T) string {
	t.Helper()
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(ssh.MarshalAuthorizedKey(key)))[1]
}

func certificatePEM(t *testing.T, name string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func sshCertificate(host, data string) v1alpha1.RepositoryCertificate {
	return v1alpha1.RepositoryCertificate{ServerName: host, CertType: "ssh", CertSubType: "ssh-ed25519", CertData: []byte(data)}
}

func create(t *testing.T, s *Service, upsert bool, items ...v1alpha1.RepositoryCertificate) (int, error) {
	t.Helper()
	got, err := s.CreateCertificate(signedIn(t), &rpccertificate.RepositoryCertificateCreateRequest{Certificates: &v1alpha1.RepositoryCertificateList{Items: items}, Upsert: upsert})
	if err != nil {
		return 0, err
	}
	return len(got.Items), nil
}

func list(t *testing.T, s *Service, query rpccertificate.RepositoryCertificateQuery) []string {
	t.Helper()
	got, err := s.ListCertificates(signedIn(t), &query)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, c := range got.Items {
		out = append(out, c.CertType+" "+c.ServerName+" "+c.CertSubType)
		if len(c.CertData) > 0 || c.CertInfo == "" {
			t.Errorf("%s is listed with %+v", c.ServerName, c)
		}
	}
	return out
}

func TestCertificates(t *testing.T) {
	s := newService(t, rights{"get", "create", "delete"})
	data, cert := hostKeyData(t), certificatePEM(t, "one")
	tls := v1alpha1.RepositoryCertificate{ServerName: "git.example", CertType: "https", CertData: []byte(cert + certificatePEM(t, "two"))}
	if n, err := create(t, s, false, sshCertificate("git.example", data), sshCertificate("[git.example]:2222", data), tls); err != nil || n != 4 {
		t.Fatalf("got %d, %v, want two host keys and two certificates", n, err)
	}
	if n, err := create(t, s, false, sshCertificate("git.example", data), tls); err != nil || n != 0 {
		t.Errorf("the same again: got %d, %v", n, err)
	}
	for reason, c := range map[string]v1alpha1.RepositoryCertificate{
		"another host key":    sshCertificate("git.example", hostKeyData(t)),
		"another certificate": {ServerName: "git.example", CertType: "https", CertData: []byte(certificatePEM(t, "three"))},
	} {
		if _, err := create(t, s, false, c); fault.CodeOf(err) != fault.AlreadyExists {
			t.Errorf("%s without upsert: got %v", reason, err)
		}
		if n, err := create(t, s, true, c); err != nil || n != 1 {
			t.Errorf("%s with upsert: got %d, %v", reason, n, err)
		}
	}
	for _, tt := range []struct {
		query rpccertificate.RepositoryCertificateQuery
		want  string
	}{
		{rpccertificate.RepositoryCertificateQuery{}, "ssh [git.example]:2222 ssh-ed25519,ssh git.example ssh-ed25519,https git.example ecdsa"},
		{rpccertificate.RepositoryCertificateQuery{CertType: "ssh", HostNamePattern: "[git.example]:*"}, "ssh [git.example]:2222 ssh-ed25519"},
		{rpccertificate.RepositoryCertificateQuery{CertType: "ssh", CertSubType: "ssh-rsa"}, ""},
		{rpccertificate.RepositoryCertificateQuery{CertType: "tls", HostNamePattern: "*.example"}, "https git.example ecdsa"},
		{rpccertificate.RepositoryCertificateQuery{HostNamePattern: "other"}, ""},
	} {
		if got := strings.Join(list(t, s, tt.query), ","); got != tt.want {
			t.Errorf("%+v: got %q, want %q", tt.query, got, tt.want)
		}
	}
	gone, err := s.DeleteCertificate(signedIn(t), &rpccertificate.RepositoryCertificateQuery{HostNamePattern: "git.example"})
	if err != nil || len(gone.Items) != 2 {
		t.Errorf("got %+v, %v", gone, err)
	}
	if got := list(t, s, rpccertificate.RepositoryCertificateQuery{}); len(got) != 1 {
		t.Errorf("left: %v", got)
	}
}

func TestOtherLinesStay(t *testing.T) {
	before := "# ours\n|1|abc=|def= ssh-ed25519 " + hostKeyData(t) + "\n"
	s := newService(t, rights{"create", "delete"}, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "argocd-ssh-known-hosts-cm", Namespace: "argocd"}, Data: map[string]string{"ssh_known_hosts": before}})
	if _, err := create(t, s, false, sshCertificate("git.example", hostKeyData(t))); err != nil {
		t.Fatal(err)
	}
	if _, err := s.DeleteCertificate(signedIn(t), &rpccertificate.RepositoryCertificateQuery{HostNamePattern: "git.example"}); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Hub.Data(t.Context(), "argocd-ssh-known-hosts-cm"); err != nil || got["ssh_known_hosts"] != before {
		t.Errorf("got %q, %v, want %q", got["ssh_known_hosts"], err, before)
	}
}

func TestWhatIsNoCertificate(t *testing.T) {
	s := newService(t, rights{"create"})
	for reason, c := range map[string]v1alpha1.RepositoryCertificate{
		"a type":             {ServerName: "a", CertType: "gpg"},
		"no key":             sshCertificate("a", "AAAA"),
		"another subtype":    {ServerName: "a", CertType: "ssh", CertSubType: "ssh-rsa", CertData: []byte(hostKeyData(t))},
		"a line more":        sshCertificate("a", hostKeyData(t)+"\nb ssh-ed25519 "+hostKeyData(t)),
		"a host with a path": {ServerName: "a/b", CertType: "https", CertData: []byte(certificatePEM(t, "x"))},
		"no PEM":             {ServerName: "a", CertType: "https", CertData: []byte("x")},
		"PEM of nothing":     {ServerName: "a", CertType: "https", CertData: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})},
	} {
		if _, err := create(t, s, true, c); !fault.Is(err, fault.Mistake) {
			t.Errorf("%s: got %v", reason, err)
		}
	}
}

func TestAPrivateKeyIsNotKept(t *testing.T) {
	s := newService(t, rights{"create"})
	text := certificatePEM(t, "x") + string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("canary")}))
	if _, err := create(t, s, false, v1alpha1.RepositoryCertificate{ServerName: "a", CertType: "https", CertData: []byte(text)}); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Hub.Data(t.Context(), "argocd-tls-certs-cm"); err != nil || strings.Contains(got["a"], "PRIVATE") {
		t.Errorf("got %q, %v", got["a"], err)
	}
}

func TestRights(t *testing.T) {
	s := newService(t, rights{})
	_, listed := s.ListCertificates(signedIn(t), &rpccertificate.RepositoryCertificateQuery{})
	_, created := create(t, s, false)
	_, deleted := s.DeleteCertificate(signedIn(t), &rpccertificate.RepositoryCertificateQuery{})
	for _, err := range []error{listed, created, deleted} {
		if !fault.Is(err, fault.Forbidden) {
			t.Errorf("got %v", err)
		}
	}
}

func FuzzReadHostKey(f *testing.F) {
	f.Add("git.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl\n")
	f.Add("a b c\nd e f")
	f.Fuzz(func(t *testing.T, line string) {
		if key, ok := readHostKey(line); ok && (key.host == "" || strings.ContainsAny(key.host+key.subtype+key.data, "\n")) {
			t.Errorf("%q gives %+v", line, key)
		}
	})
}
