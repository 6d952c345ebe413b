// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"

	"github.com/bowline-cd/bowline/internal/fault"
)

const (
	// GPGKeysConfigMap is the ConfigMap of the control namespace with the keys that signatures are checked with.
	GPGKeysConfigMap = "argocd-gpg-keys-cm"
	// AllowedSignersKey is its key for those who sign with SSH, in the format of ssh-keygen(1), ALLOWED SIGNERS.
	AllowedSignersKey = "ssh_allowed_signers"
)

// Keyring are the keys that signatures are checked with. That a key is in it says nothing about what it may sign: a
// Policy does.
type Keyring struct {
	keys    openpgp.EntityList
	signers []allowedSigner
	digest  string
}

// ParseKeyring reads the data of argocd-gpg-keys-cm: public keys in armor by key id, and allowed SSH signers. An entry
// that cannot be read is left out and named in the errors; it costs no other anything.
func ParseKeyring(data map[string]string) (Keyring, []error) {
	var k Keyring
	var problems []error
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(data)) {
		_, _ = fmt.Fprintf(sum, "%d:%s%d:%s", len(name), name, len(data[name]), data[name])
		if name == AllowedSignersKey {
			signers, wrong := parseAllowedSigners(data[name])
			k.signers, problems = signers, append(problems, wrong...)
			continue
		}
		entity, err := readPGPKey(name, data[name])
		if err != nil {
			problems = append(problems, fault.New(fault.Mistake, "read", "key "+name, "ConfigMap "+GPGKeysConfigMap, err.Error(),
				"put a public key in armor there, under its key id of 16 digits (gpg --armor --export)"))
			continue
		}
		k.keys = append(k.keys, entity)
	}
	k.digest = hex.EncodeToString(sum.Sum(nil))
	return k, problems
}

// readPGPKey reads the public key of an id. The block may hold others; they are not taken, since nobody who looks at the
// ConfigMap would see them.
func readPGPKey(id, armored string) (key *openpgp.Entity, err error) {
	defer func() {
		// As for signatures: packets of strangers must not end the process.
		if p := recover(); p != nil {
			key, err = nil, errors.New("it cannot be read")
		}
	}()
	wanted := pgpName(id)
	if wanted == "" {
		return nil, errors.New("its name is not a key id")
	}
	entities, err := openpgp.ReadArmoredKeyRing(strings.NewReader(armored))
	if err != nil {
		return nil, fmt.Errorf("it is not a public key in armor: %w", err)
	}
	for _, e := range entities {
		if e.PrivateKey != nil {
			return nil, errors.New("it is a private key: revoke it, and put its public key there")
		}
		names := pgpNames(e.PrimaryKey)
		for _, sub := range e.Subkeys {
			names = append(names, pgpNames(sub.PublicKey)...)
		}
		if slices.Contains(names, wanted) {
			return e, nil
		}
	}
	return nil, errors.New("it holds no key of this id")
}

// check checks the signature of an object at a time.
func (k Keyring) check(o signedObject, now time.Time) (signer, *flaw) {
	switch {
	case len(o.signature) == 0:
		return signer{}, &flaw{state: SignatureAbsent}
	case o.several:
		return signer{}, bad("", "there is more than one signature")
	case bytes.HasPrefix(o.signature, []byte(sshBegin)):
		return k.checkSSH(o)
	case bytes.HasPrefix(o.signature, []byte("-----BEGIN PGP ")):
		return k.checkPGP(o, now)
	}
	return signer{}, bad("", "it is signed neither with OpenPGP nor with SSH")
}
