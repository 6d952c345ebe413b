// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// readPGPSignature reads an armored signature. There has to be exactly one: of several, another one than is checked
// here could be what somebody else looks at.
func readPGPSignature(armored []byte) (raw []byte, sig *packet.Signature, err error) {
	if bytes.Count(armored, []byte("-----BEGIN ")) != 1 {
		return nil, nil, errors.New("there is more than one signature")
	}
	block, err := armor.Decode(bytes.NewReader(armored))
	if err != nil {
		return nil, nil, fmt.Errorf("the armor cannot be read: %w", err)
	}
	if block.Type != openpgp.SignatureType {
		return nil, nil, errors.New("it is a " + block.Type)
	}
	if raw, err = io.ReadAll(block.Body); err != nil {
		return nil, nil, fmt.Errorf("the armor cannot be read: %w", err)
	}
	packets := packet.NewReader(bytes.NewReader(raw))
	first, err := packets.Next()
	if err != nil {
		return nil, nil, err
	}
	sig, ok := first.(*packet.Signature)
	if !ok {
		return nil, nil, errors.New("it holds no signature")
	}
	if _, err := packets.Next(); !errors.Is(err, io.EOF) {
		return nil, nil, errors.New("there is more than one signature")
	}
	return raw, sig, nil
}

// checkPGP checks an OpenPGP signature as gpg does for git: the key counts as it is now, so a key that has expired or
// was revoked since makes the signature worthless.
func (k Keyring) checkPGP(o signedObject, now time.Time) (by signer, wrong *flaw) {
	defer func() {
		// The library has been made to panic by packets of strangers before; one commit must not end the process.
		if p := recover(); p != nil {
			by, wrong = signer{}, bad("", "the signature cannot be read")
		}
	}()
	raw, sig, err := readPGPSignature(o.signature)
	switch {
	case err != nil:
		return signer{}, bad("", "%v", err)
	case sig.IssuerKeyId == nil:
		return signer{}, bad("", "the signature does not say which key made it")
	}
	id := fmt.Sprintf("%016X", *sig.IssuerKeyId)
	switch {
	case sig.SigType != packet.SigTypeBinary && sig.SigType != packet.SigTypeText:
		return signer{}, bad(id, "it is not a signature of a document")
	case sig.Hash == crypto.MD5 || sig.Hash == crypto.RIPEMD160:
		return signer{}, bad(id, "the signature is made with a hash that can be forged")
	case len(k.keys.KeysById(*sig.IssuerKeyId)) == 0:
		return signer{}, &flaw{state: SignatureUnknown, key: id}
	}
	_, entity, err := openpgp.VerifyDetachedSignature(k.keys, bytes.NewReader(o.payload), bytes.NewReader(raw), &packet.Config{Time: func() time.Time { return now }})
	switch {
	case errors.Is(err, pgperrors.ErrKeyExpired):
		return signer{}, &flaw{SignatureExpired, id, "the key has expired"}
	case errors.Is(err, pgperrors.ErrSignatureExpired):
		return signer{}, &flaw{SignatureExpired, id, "the signature has expired"}
	case errors.Is(err, pgperrors.ErrKeyRevoked):
		return signer{}, &flaw{state: SignatureRevoked, key: id}
	case errors.Is(err, pgperrors.ErrUnknownIssuer):
		return signer{}, bad(id, "the key is not one for signing")
	case err != nil:
		return signer{}, bad(id, "the signature does not fit the content: %v", err)
	case entity == nil:
		return signer{}, bad(id, "the signature cannot be checked")
	}
	return pgpSigner(entity, sig), nil
}

// pgpSigner describes the key that made a good signature. A project may list the key itself or its primary key, by
// key id or by fingerprint.
func pgpSigner(e *openpgp.Entity, sig *packet.Signature) signer {
	primary, _ := e.PrimarySelfSignature()
	s := signer{key: fmt.Sprintf("%016X", *sig.IssuerKeyId), until: earliest(endOf(sig.CreationTime, sig.SigLifetimeSecs), endOf(e.PrimaryKey.CreationTime, primary.KeyLifetimeSecs))}
	ids := pgpNames(e.PrimaryKey)
	for _, sub := range e.Subkeys {
		if sub.PublicKey.KeyId == *sig.IssuerKeyId {
			ids = append(ids, pgpNames(sub.PublicKey)...)
			s.until = earliest(s.until, endOf(sub.PublicKey.CreationTime, sub.Sig.KeyLifetimeSecs))
		}
	}
	s.named = func(entry string) bool {
		entry = pgpName(entry)
		for _, id := range ids {
			if entry != "" && entry == id {
				return true
			}
		}
		return false
	}
	return s
}

func pgpNames(key *packet.PublicKey) []string {
	return []string{fmt.Sprintf("%016X", key.KeyId), fmt.Sprintf("%X", key.Fingerprint)}
}

// pgpName brings a key id of 16 digits or a fingerprint of 40 (64 for newer keys) into one form; "" if it is neither.
// Shorter ids are easily forged, so they name nothing.
func pgpName(entry string) string {
	entry = strings.ToUpper(strings.ReplaceAll(entry, " ", ""))
	entry = strings.TrimPrefix(entry, "0X")
	if n := len(entry); n != 16 && n != 40 && n != 64 || strings.Trim(entry, "0123456789ABCDEF") != "" {
		return ""
	}
	return entry
}

// endOf is when something with a lifetime ends; zero if never.
func endOf(start time.Time, seconds *uint32) time.Time {
	if seconds == nil || *seconds == 0 {
		return time.Time{}
	}
	return start.Add(time.Duration(*seconds) * time.Second)
}

// earliest returns the earlier of two times of which the zero one means never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
