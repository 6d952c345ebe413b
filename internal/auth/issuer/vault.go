// SPDX-License-Identifier: Apache-2.0

package issuer

import (
	"bytes"
	"context"
	"maps"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/internal/fault"
)

// SecretVault keeps the Vault in a Secret: the keys that tokens are signed with are in it.
type SecretVault struct {
	Reader          client.Reader // reads from the API server
	Writer          client.Writer
	Namespace, Name string
}

var (
	_ Vault = (*SecretVault)(nil)
	_ Vault = (*MemoryVault)(nil)
)

// retries are what is waited when another replica wrote.
var retries = wait.Backoff{Duration: 5 * time.Millisecond, Factor: 1.5, Jitter: 1, Steps: 25, Cap: 300 * time.Millisecond}

// Read implements Vault.
func (v *SecretVault) Read(ctx context.Context) (map[string][]byte, error) {
	secret := v.secret()
	err := v.Reader.Get(ctx, client.ObjectKeyFromObject(secret), secret)
	if err != nil && !apierrors.IsNotFound(err) {
		return nil, v.broken("read", err)
	}
	return secret.Data, nil
}

// Change implements Vault.
func (v *SecretVault) Change(ctx context.Context, edit func(map[string][]byte) error) error {
	var refused, last error
	err := wait.ExponentialBackoffWithContext(ctx, retries, func(ctx context.Context) (bool, error) {
		refused, last = v.once(ctx, edit)
		if apierrors.IsConflict(last) || apierrors.IsAlreadyExists(last) {
			return false, nil
		}
		return true, last
	})
	switch {
	case refused != nil:
		return refused
	case last != nil:
		return v.broken("write", last)
	case err != nil:
		return v.broken("write", err)
	}
	return nil
}

func (v *SecretVault) once(ctx context.Context, edit func(map[string][]byte) error) (refused, failed error) {
	secret := v.secret()
	err := v.Reader.Get(ctx, client.ObjectKeyFromObject(secret), secret)
	missing := apierrors.IsNotFound(err)
	if err != nil && !missing {
		return nil, err
	}
	before := secret.Data
	secret.Data = maps.Clone(before)
	if secret.Data == nil {
		secret.Data = map[string][]byte{}
	}
	if err := edit(secret.Data); err != nil {
		return err, nil
	}
	switch {
	case missing:
		return nil, v.Writer.Create(ctx, secret)
	case maps.EqualFunc(before, secret.Data, bytes.Equal):
		return nil, nil
	}
	return nil, v.Writer.Update(ctx, secret) // with its resource version
}

func (v *SecretVault) secret() *corev1.Secret {
	s := &corev1.Secret{Type: corev1.SecretTypeOpaque}
	s.Namespace, s.Name = v.Namespace, v.Name
	return s
}

func (v *SecretVault) broken(op string, err error) error {
	return fault.Wrap(fault.Retry, op, "Secret "+v.Namespace+"/"+v.Name, err, "check that Bowline's service account may read and write it")
}

// MemoryVault is a Vault of this process alone, for one that must not write.
type MemoryVault struct {
	mu      sync.Mutex
	records map[string][]byte
}

// Read implements Vault.
func (v *MemoryVault) Read(context.Context) (map[string][]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return maps.Clone(v.records), nil
}

// Change implements Vault.
func (v *MemoryVault) Change(_ context.Context, edit func(map[string][]byte) error) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	next := maps.Clone(v.records)
	if next == nil {
		next = map[string][]byte{}
	}
	if err := edit(next); err != nil {
		return err
	}
	v.records = next
	return nil
}
