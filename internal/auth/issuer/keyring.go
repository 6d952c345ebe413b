// SPDX-License-Identifier: Apache-2.0

package issuer

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"k8s.io/utils/clock"

	"github.com/bowline-cd/bowline/internal/auth/seal"
)

// How long a key signs, how much longer its tokens are accepted, and how often the Vault is looked at for keys that another
// replica made.
const (
	keySigns   = 30 * 24 * time.Hour
	keyOutlast = 48 * time.Hour
	keyLook    = time.Minute
)

const keysRecord = "keys"

// Keys are what sign-in signs and seals with. All replicas share them through the Vault.
type Keys struct {
	vault  Vault
	clock  clock.PassiveClock
	box    *seal.Box
	access [32]byte // what access tokens are encrypted with

	mu     sync.Mutex
	keys   []signingKey // newest first
	looked time.Time
}

// kept is the record of the Vault.
type kept struct {
	Secret  []byte    `json:"secret"`
	Signing []keptKey `json:"signing"` // newest first
}

type keptKey struct {
	ID   string    `json:"id"`
	PKCS []byte    `json:"pkcs8"`
	Made time.Time `json:"made"`
}

// signingKey implements op.SigningKey.
type signingKey struct {
	id  string
	key *rsa.PrivateKey
}

// OpenKeys reads the keys, and makes them if there are none.
func OpenKeys(ctx context.Context, vault Vault, clk clock.PassiveClock) (*Keys, error) {
	k := &Keys{vault: vault, clock: clk}
	record, err := k.renew(ctx)
	if err != nil {
		return nil, err
	}
	if k.box, err = seal.New(record.Secret); err != nil {
		return nil, err
	}
	k.access = sha256.Sum256(append([]byte("access tokens "), record.Secret...))
	return k, nil
}

// Box seals what travels through browsers: its key is the same on all replicas and after restarts.
func (k *Keys) Box() *seal.Box { return k.box }

// SignatureAlgorithm implements op.SigningKey.
func (k signingKey) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.RS256 }

// Key implements op.SigningKey.
func (k signingKey) Key() any { return k.key }

// ID implements op.SigningKey.
func (k signingKey) ID() string { return k.id }

// current returns the keys, newest first, looking at the Vault now and then.
func (k *Keys) current(ctx context.Context) ([]signingKey, error) {
	k.mu.Lock()
	fresh := k.clock.Since(k.looked) < keyLook
	keys := k.keys
	k.mu.Unlock()
	if fresh {
		return keys, nil
	}
	if _, err := k.renew(ctx); err != nil {
		if len(keys) > 0 {
			return keys, nil // those that are known still sign
		}
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.keys, nil
}

// public returns what the signatures are verified with.
func (k *Keys) public(ctx context.Context) ([]jose.JSONWebKey, error) {
	keys, err := k.current(ctx)
	out := make([]jose.JSONWebKey, len(keys))
	for i, key := range keys {
		out[i] = jose.JSONWebKey{Key: &key.key.PublicKey, KeyID: key.id, Algorithm: string(jose.RS256), Use: "sig"}
	}
	return out, err
}

// renew reads the record of the Vault, and writes it if it is missing or its newest key has signed long enough.
func (k *Keys) renew(ctx context.Context) (*kept, error) {
	records, err := k.vault.Read(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the keys of sign-in: %w", err)
	}
	record, err := readKept(records[keysRecord])
	if err != nil {
		return nil, err
	}
	if now := k.clock.Now(); record.due(now) {
		err = k.vault.Change(ctx, func(records map[string][]byte) error {
			if record, err = readKept(records[keysRecord]); err != nil {
				return err
			}
			if !record.due(now) {
				return nil // another replica was faster
			}
			if err := record.grow(now); err != nil {
				return err
			}
			records[keysRecord], err = json.Marshal(record)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("write the keys of sign-in: %w", err)
		}
	}
	keys, err := record.signing()
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys, k.looked = keys, k.clock.Now()
	return record, nil
}

func readKept(data []byte) (*kept, error) {
	record := &kept{}
	if len(data) == 0 {
		return record, nil
	}
	if err := json.Unmarshal(data, record); err != nil {
		return nil, errors.New("the record of sign-in's keys cannot be read; delete it, and people sign in anew")
	}
	return record, nil
}

func (r *kept) due(now time.Time) bool {
	return len(r.Secret) < 32 || len(r.Signing) == 0 || now.Sub(r.Signing[0].Made) > keySigns
}

// grow adds a key and drops those whose tokens have all expired.
func (r *kept) grow(now time.Time) error {
	if len(r.Secret) < 32 {
		r.Secret = make([]byte, 32)
		_, _ = rand.Read(r.Secret) // crypto/rand never fails
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	data, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	id := sha256.Sum256(x509.MarshalPKCS1PublicKey(&key.PublicKey))
	keys := []keptKey{{ID: hex.EncodeToString(id[:10]), PKCS: data, Made: now}}
	for _, old := range r.Signing {
		if now.Sub(old.Made) < 2*keySigns+keyOutlast {
			keys = append(keys, old)
		}
	}
	r.Signing = keys
	return nil
}

func (r *kept) signing() ([]signingKey, error) {
	out := make([]signingKey, 0, len(r.Signing))
	for _, k := range r.Signing {
		key, err := x509.ParsePKCS8PrivateKey(k.PKCS)
		if err != nil {
			return nil, fmt.Errorf("read the signing key %s of sign-in: %w", k.ID, err)
		}
		private, ok := key.(*rsa.PrivateKey)
		if !ok {
			return nil, fmt.Errorf("the signing key %s of sign-in is no RSA key", k.ID)
		}
		out = append(out, signingKey{id: k.ID, key: private})
	}
	return out, nil
}
