// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"golang.org/x/crypto/bcrypt"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/bowline-cd/bowline/internal/fault"
)

func newStore(t *testing.T, cm map[string]string, data map[string][]byte) *Store {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	meta := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: "argocd", Name: name} }
	c := fake.NewClientBuilder().WithScheme(scheme).WithObjects(
		&corev1.ConfigMap{ObjectMeta: meta("argocd-cm"), Data: cm}, &corev1.Secret{ObjectMeta: meta("argocd-secret"), Data: data}).Build()
	return &Store{Reader: c, Writer: c, Namespace: "argocd", Reload: func(context.Context) error { return nil }, Cost: bcrypt.MinCost}
}

func (s *Store) secret(t *testing.T, name string) map[string][]byte {
	t.Helper()
	secret := &corev1.Secret{}
	if err := s.Reader.Get(t.Context(), client.ObjectKey{Namespace: "argocd", Name: name}, secret); err != nil {
		t.Fatal(err)
	}
	return secret.Data
}

// TestReplicasBeginTogether: they agree on one key and one password, and it is where people look for it.
func TestReplicasBeginTogether(t *testing.T) {
	s := newStore(t, nil, map[string][]byte{"webhook.github.secret": []byte("keep")})
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			if _, err := s.Begin(context.Background(), noon); err != nil {
				t.Errorf("begin: %v", err)
			}
		})
	}
	all.Wait()
	data := s.secret(t, "argocd-secret")
	first := s.secret(t, "argocd-initial-admin-secret")["password"]
	if len(first) < 16 || bcrypt.CompareHashAndPassword(data["admin.password"], first) != nil {
		t.Error("the password that people are told is not that of admin")
	}
	if len(data["server.secretkey"]) < 32 || string(data["webhook.github.secret"]) != "keep" || len(data["admin.passwordMtime"]) == 0 {
		t.Errorf("argocd-secret has the keys %v", keysOf(data))
	}
	s.Writer = nil // nothing is written any more
	if made, err := s.Begin(t.Context(), noon); made || err != nil {
		t.Errorf("a second start: made %v, %v", made, err)
	}
	if !slices.Equal(s.secret(t, "argocd-secret")["admin.password"], data["admin.password"]) {
		t.Error("a second start made another password")
	}
}

func keysOf(data map[string][]byte) []string {
	var out []string
	for k := range data {
		out = append(out, k)
	}
	return out
}

func TestNoPasswordForADisabledAdmin(t *testing.T) {
	s := newStore(t, map[string]string{"admin.enabled": "false"}, map[string][]byte{"server.secretkey": []byte("there is one already")})
	if made, err := s.Begin(t.Context(), noon); made || err != nil {
		t.Errorf("made %v, %v", made, err)
	}
	if data := s.secret(t, "argocd-secret"); len(data) != 1 || string(data["server.secretkey"]) != "there is one already" {
		t.Errorf("argocd-secret has the keys %v", keysOf(data))
	}
}

func TestChange(t *testing.T) {
	s := newStore(t, map[string]string{"accounts.ci": "apiKey"}, map[string][]byte{"accounts.ci.tokens": []byte(`[{"id":"a","iat":1}]`)})
	var all sync.WaitGroup
	for _, id := range []string{"b", "c", "d"} { // at the same time: none is lost
		all.Go(func() {
			err := s.Change(context.Background(), "ci", func(a *Account) error { a.Tokens = append(a.Tokens, Token{ID: id, IssuedAt: 2}); return nil })
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	accounts, problems := ParseAccounts(map[string]string{"accounts.ci": "apiKey"}, s.secret(t, "argocd-secret"))
	if len(problems) > 0 || len(accounts["ci"].Tokens) != 4 {
		t.Errorf("got %v, %v", accounts["ci"].Tokens, problems)
	}
	if err := s.Change(t.Context(), "nobody", func(*Account) error { return nil }); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("an account that is not there: %v", err)
	}
	refused := fault.New(fault.Mistake, "", "", "", "no", "")
	if err := s.Change(t.Context(), "ci", func(a *Account) error { a.Tokens = nil; return refused }); !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
	if len(s.secret(t, "argocd-secret")["accounts.ci.tokens"]) == 0 {
		t.Error("what was refused was written")
	}
}
