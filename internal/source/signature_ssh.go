// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

const (
	sshMagic     = "SSHSIG"
	sshNamespace = "git" // what git signs for; a signature made for a file must not count for a commit
	sshBegin     = "-----BEGIN SSH SIGNATURE-----"
	sshEnd       = "-----END SSH SIGNATURE-----"
)

// sshSignature is the content of an armored signature (OpenSSH's PROTOCOL.sshsig).
type sshSignature struct {
	key       ssh.PublicKey
	namespace string
	reserved  string
	hash      string
	signature ssh.Signature
}

// readSSHSignature reads an armored signature.
func readSSHSignature(armored []byte) (sshSignature, error) {
	text, ok := strings.CutPrefix(string(armored), sshBegin)
	body, after, found := strings.Cut(text, sshEnd)
	if !ok || !found || strings.TrimSpace(after) != "" {
		return sshSignature{}, errors.New("the armor is not that of one signature")
	}
	raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(body), ""))
	if err != nil {
		return sshSignature{}, errors.New("the armor cannot be read")
	}
	raw, ok = bytes.CutPrefix(raw, []byte(sshMagic))
	if !ok {
		return sshSignature{}, errors.New("it holds no signature")
	}
	var blob struct {
		Version                                   uint32
		Key, Namespace, Reserved, Hash, Signature string
	}
	if err := ssh.Unmarshal(raw, &blob); err != nil || blob.Version != 1 {
		return sshSignature{}, errors.New("it is of an unknown form")
	}
	out := sshSignature{namespace: blob.Namespace, reserved: blob.Reserved, hash: blob.Hash}
	if out.key, err = ssh.ParsePublicKey([]byte(blob.Key)); err != nil {
		return sshSignature{}, errors.New("its key cannot be read")
	}
	if err := ssh.Unmarshal([]byte(blob.Signature), &out.signature); err != nil {
		return sshSignature{}, errors.New("it is of an unknown form")
	}
	return out, nil
}

// sshFormats are the ways in which a key of each type may sign. RSA with SHA-1 and DSA are not among them.
var sshFormats = map[string][]string{
	ssh.KeyAlgoED25519: {ssh.KeyAlgoED25519}, ssh.KeyAlgoSKED25519: {ssh.KeyAlgoSKED25519}, ssh.KeyAlgoSKECDSA256: {ssh.KeyAlgoSKECDSA256},
	ssh.KeyAlgoECDSA256: {ssh.KeyAlgoECDSA256}, ssh.KeyAlgoECDSA384: {ssh.KeyAlgoECDSA384}, ssh.KeyAlgoECDSA521: {ssh.KeyAlgoECDSA521},
	ssh.KeyAlgoRSA: {ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSASHA512},
}

// verify checks the signature of a payload, whoever made it.
func (s sshSignature) verify(payload []byte) error {
	plain := s.key
	if certificate, ok := s.key.(*ssh.Certificate); ok {
		plain = certificate.Key
	}
	if !slices.Contains(sshFormats[plain.Type()], s.signature.Format) {
		return errors.New("keys of type " + plain.Type() + " do not sign as " + s.signature.Format + " here")
	}
	if s.namespace != sshNamespace {
		return errors.New("it is a signature for something else than Git")
	}
	var sum string
	switch s.hash {
	case "sha256":
		h := sha256.Sum256(payload)
		sum = string(h[:])
	case "sha512":
		h := sha512.Sum512(payload)
		sum = string(h[:])
	default:
		return errors.New("it is made with an unknown hash")
	}
	signed := append([]byte(sshMagic), ssh.Marshal(struct{ Namespace, Reserved, Hash, Sum string }{s.namespace, s.reserved, s.hash, sum})...)
	if err := plain.Verify(signed, &s.signature); err != nil {
		return errors.New("the signature does not fit the content")
	}
	return nil
}

// checkSSH checks an SSH signature against the allowed signers. As git does, it asks who was allowed at the time that
// the commit or tag says it was made.
func (k Keyring) checkSSH(o signedObject) (signer, *flaw) {
	s, err := readSSHSignature(o.signature)
	if err != nil {
		return signer{}, bad("", "%v", err)
	}
	plain, certificate := s.key, (*ssh.Certificate)(nil)
	if c, ok := s.key.(*ssh.Certificate); ok {
		plain, certificate = c.Key, c
	}
	id := ssh.FingerprintSHA256(plain)
	if err := s.verify(o.payload); err != nil {
		return signer{}, bad(id, "%v", err)
	}
	var lines []allowedSigner
	problem := flaw{state: SignatureUnknown, key: id}
	for _, line := range k.signers {
		state, detail := line.admits(s.key, o.made)
		switch state {
		case "":
			lines = append(lines, line)
		case SignatureExpired:
			problem = flaw{SignatureExpired, id, detail}
		}
	}
	if len(lines) == 0 {
		return signer{}, &problem
	}
	return signer{key: id, named: func(entry string) bool {
		return entry == id || slices.ContainsFunc(lines, func(line allowedSigner) bool { return line.names(entry, certificate) })
	}}, nil
}
