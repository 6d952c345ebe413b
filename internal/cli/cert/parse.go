// SPDX-License-Identifier: Apache-2.0

package cert

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

// certificates returns the certificates of a PEM text, each once.
func certificates(text []byte) ([][]byte, error) {
	var out [][]byte
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			break
		}
		text = rest
		if block.Type != "CERTIFICATE" {
			continue
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return nil, fault.Wrap(fault.Mistake, "read", "the certificates", err, "give certificates as PEM")
		}
		encoded := pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes})
		if !slices.ContainsFunc(out, func(have []byte) bool { return bytes.Equal(have, encoded) }) {
			out = append(out, encoded)
		}
	}
	if len(out) == 0 {
		return nil, fault.New(fault.Mistake, "read", "the certificates", "", "there is none", "give certificates as PEM")
	}
	return out, nil
}

func join(certs [][]byte) []byte { return bytes.TrimSpace(bytes.Join(certs, nil)) }

// hostKeys returns the keys of a text in the form of known_hosts, one for each name. Lines with a marker, such as @revoked, and
// names that are hashed cannot be kept.
func hostKeys(text []byte) ([]v1alpha1.RepositoryCertificate, error) {
	const thing, fix = "the host keys", "give them in the form of a known_hosts file, such as ssh-keyscan prints"
	var out []v1alpha1.RepositoryCertificate
	for {
		marker, hosts, key, _, rest, err := ssh.ParseKnownHosts(text)
		switch {
		case errors.Is(err, io.EOF) && len(out) == 0:
			return nil, fault.New(fault.Mistake, "read", thing, "", "there is none", fix)
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, fault.Wrap(fault.Mistake, "read", thing, err, fix)
		case marker != "":
			return nil, fault.New(fault.Mistake, "take", thing, "", "a line is marked @"+marker, "leave that line out")
		}
		text = rest
		for _, host := range hosts {
			if strings.HasPrefix(host, "|") {
				return nil, fault.New(fault.Mistake, "take", thing, "", "a name is hashed, so nobody knows which server it is", "make them anew with `ssh-keyscan`")
			}
			out = append(out, v1alpha1.RepositoryCertificate{
				ServerName: host, CertType: "ssh", CertSubType: key.Type(), CertData: []byte(base64.StdEncoding.EncodeToString(key.Marshal())),
			})
		}
	}
}
