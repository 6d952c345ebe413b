// SPDX-License-Identifier: Apache-2.0

// Package seal makes texts that only we can read and only we can have written, for what travels through browsers and command
// lines and comes back: a request to sign in, where a person wanted to go, a refresh token.
//
// The words of this room:
//
//   - Box: a key.
//   - Purpose: what a text is for. A text sealed for one purpose cannot be opened for another.
package seal

import (
	"bytes"
	"compress/flate"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"time"
)

// ErrForeign is a text that was not sealed with this key for this purpose.
var ErrForeign = errors.New("it was not issued here, or for something else")

// ErrLate is a text that was sealed here and is not valid any more.
var ErrLate = errors.New("it has expired")

// maxOpened bounds what a text may unpack to.
const maxOpened = 1 << 20

// Box seals and opens.
type Box struct{ aead cipher.AEAD }

// New returns a Box with a key derived from a secret, which has to have at least 32 bytes of randomness.
func New(secret []byte) (*Box, error) {
	if len(secret) < 32 {
		return nil, errors.New("the key to seal with has fewer than 32 bytes")
	}
	key, err := hkdf.Key(sha256.New, secret, nil, "bowline sign-in", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &Box{aead: aead}, nil
}

// Seal returns v, as JSON, as a text of the letters of URLs that can be opened until then.
func (b *Box) Seal(purpose string, v any, until time.Time) (string, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	var packed bytes.Buffer
	var head [8]byte
	binary.BigEndian.PutUint64(head[:], uint64(until.Unix())) //nolint:gosec // read back the same way
	packed.Write(head[:])
	w, err := flate.NewWriter(&packed, flate.BestSpeed)
	if err != nil {
		return "", err
	}
	if _, err := w.Write(data); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(b.aead.Seal(nil, nil, packed.Bytes(), []byte(purpose))), nil
}

// Open reads a text into v. It returns ErrForeign or ErrLate.
func (b *Box) Open(purpose, text string, now time.Time, v any) error {
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return ErrForeign
	}
	packed, err := b.aead.Open(nil, nil, data, []byte(purpose))
	if err != nil || len(packed) < 8 {
		return ErrForeign
	}
	if now.Unix() >= int64(binary.BigEndian.Uint64(packed)) { //nolint:gosec // written the same way
		return ErrLate
	}
	plain, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed[8:])), maxOpened))
	if err != nil || json.Unmarshal(plain, v) != nil {
		return ErrForeign
	}
	return nil
}

// Random returns a text of 32 random bytes that nobody can guess.
func Random() string {
	var data [32]byte
	_, _ = rand.Read(data[:]) // crypto/rand never fails
	return base64.RawURLEncoding.EncodeToString(data[:])
}
