// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Store writes what argocd-secret holds of accounts.
type Store struct {
	Reader    client.Reader // reads from the API server
	Writer    client.Client
	Namespace string
	// Reload has what was written read before an answer is given, so that a token counts once its owner has it.
	Reload func(context.Context) error
	// Cost is what hashing a password costs; 0 is what bcrypt thinks right.
	Cost int
}

const (
	// initialSecret holds the first password of admin, under initialKey, until somebody deletes it.
	initialSecret = "argocd-initial-admin-secret"
	initialKey    = "password"
	// signingKey is the key of argocd-secret that tokens are signed with.
	signingKey = "server.secretkey"
)

// Change has an account changed, and writes it. An error of change ends it and is returned.
func (s *Store) Change(ctx context.Context, name string, change func(*Account) error) error {
	err := s.update(ctx, func(cm map[string]string, secret map[string][]byte) error {
		accounts, _ := ParseAccounts(cm, secret)
		a := accounts[name]
		if a == nil {
			return &fault.Error{Kind: fault.Mistake, Code: fault.NotFound, Op: "find", Thing: "account " + name, Err: errors.New("there is none"), Fix: "see `bowline account list`"}
		}
		if err := change(a); err != nil {
			return err
		}
		return a.write(secret)
	})
	if err != nil {
		return err
	}
	return s.Reload(ctx)
}

// write puts the account into the data of argocd-secret.
func (a *Account) write(secret map[string][]byte) error {
	tokens, err := json.Marshal(a.Tokens)
	if err != nil {
		return err
	}
	put := func(suffix, value string) {
		if value == "" {
			delete(secret, key(a.Name, suffix))
			return
		}
		secret[key(a.Name, suffix)] = []byte(value)
	}
	changed := ""
	if !a.Changed.IsZero() {
		changed = a.Changed.UTC().Format(time.RFC3339)
	}
	if len(a.Tokens) == 0 {
		tokens = nil
	}
	put("password", a.Hash.Reveal())
	put("passwordMtime", changed)
	put("tokens", string(tokens))
	return nil
}

// SetPassword gives the account a new password: what was issued before does not count any more. The time is the next whole
// second, for tokens and argocd-secret know no parts of one.
func (a *Account) SetPassword(hash fault.Secret, now time.Time) {
	a.Hash = hash
	a.Changed = now.Add(time.Second - 1).Truncate(time.Second)
}

// update changes the data of argocd-secret, for as long as somebody else writes it at the same time.
func (s *Store) update(ctx context.Context, change func(cm map[string]string, secret map[string][]byte) error) error {
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		cm, secret := &corev1.ConfigMap{}, &corev1.Secret{}
		err := s.Reader.Get(ctx, client.ObjectKey{Namespace: s.Namespace, Name: v1alpha1.ConfigMapName}, cm)
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
		if err := s.Reader.Get(ctx, client.ObjectKey{Namespace: s.Namespace, Name: v1alpha1.SecretName}, secret); err != nil {
			return err
		}
		next := secret.DeepCopy()
		if next.Data == nil {
			next.Data = map[string][]byte{}
		}
		if err := change(cm.Data, next.Data); err != nil {
			return err
		}
		if maps.EqualFunc(secret.Data, next.Data, bytes.Equal) {
			return nil
		}
		return s.Writer.Patch(ctx, next, client.MergeFromWithOptions(secret, client.MergeFromWithOptimisticLock{}))
	})
	if known := (*fault.Error)(nil); err == nil || errors.As(err, &known) {
		return err
	}
	return fault.Wrap(fault.Retry, "write", "Secret "+s.Namespace+"/"+v1alpha1.SecretName, redacted(err), "try again")
}

// redacted keeps values out of the text: the API server quotes what it does not like.
func redacted(err error) error { return errors.New(fault.RedactValues(err.Error())) }

// Begin makes what an installation has to begin with, where it is missing: the key that tokens are signed with, and the first
// password of admin, which is also put where people look for it. It reports whether it made a password.
func (s *Store) Begin(ctx context.Context, now time.Time) (made bool, err error) {
	var hash fault.Secret
	err = s.update(ctx, func(cm map[string]string, secret map[string][]byte) error {
		made = false
		if len(secret[signingKey]) == 0 {
			raw := make([]byte, 32)
			_, _ = rand.Read(raw)
			secret[signingKey] = []byte(base64.StdEncoding.EncodeToString(raw))
		}
		accounts, _ := ParseAccounts(cm, secret)
		admin := accounts[Admin]
		if !admin.Hash.Empty() || !admin.Enabled {
			return nil
		}
		if hash.Empty() { // once, however often this is tried
			password, err := s.firstPassword(ctx)
			if err != nil {
				return err
			}
			if hash, err = s.Hash(password); err != nil {
				return err
			}
		}
		admin.SetPassword(hash, now)
		made = true
		return admin.write(secret)
	})
	if err == nil {
		err = s.Reload(ctx)
	}
	return made, err
}

// firstPassword makes the first password and keeps it, or returns the one that another replica made.
func (s *Store) firstPassword(ctx context.Context) (string, error) {
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: initialSecret},
		Type:       corev1.SecretTypeOpaque, Data: map[string][]byte{initialKey: []byte(NewPassword())},
	}
	err := s.Writer.Create(ctx, secret)
	if apierrors.IsAlreadyExists(err) {
		err = s.Reader.Get(ctx, client.ObjectKeyFromObject(secret), secret)
	}
	if err != nil {
		return "", fault.Wrap(fault.Stalled, "keep", "the first password of admin", redacted(err), "let Bowline create Secrets in its namespace")
	}
	password := string(secret.Data[initialKey])
	if password == "" {
		return "", fault.New(fault.Stalled, "use", "Secret "+initialSecret, "key "+initialKey, "it is empty", "delete the Secret")
	}
	return password, nil
}
