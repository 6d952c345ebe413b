// SPDX-License-Identifier: Apache-2.0

package certificate

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"regexp"
	"strings"

	"golang.org/x/crypto/ssh"

	rpccertificate "github.com/bowline-cd/bowline/api/argoproj/rpc/certificate"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/source"
)

var hostName = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)*$`)

// check refuses what is no certificate of a type that there is.
func check(i int, c v1alpha1.RepositoryCertificate) error {
	field := fmt.Sprintf("certificates.items[%d]", i)
	host := c.ServerName
	switch c.CertType {
	case sshType:
		if name, port, err := net.SplitHostPort(host); err == nil && strings.HasPrefix(host, "[") && port != "" {
			host = name
		}
		if key, ok := readHostKey(c.ServerName + " " + c.CertSubType + " " + string(c.CertData)); !ok || key.host != c.ServerName {
			return mistaken(field+".certdata", "it is no host key of type "+fmt.Sprintf("%q", c.CertSubType), "give the line as ssh-keyscan prints it")
		}
	case tlsType:
		all := readCertificates(string(c.CertData))
		if len(all) == 0 {
			return mistaken(field+".certdata", "no certificate in PEM is in it", "give certificates in PEM")
		}
		for _, one := range all {
			if one.subtype == invalid {
				return mistaken(field+".certdata", "it is no certificate: "+one.info, "give certificates in PEM")
			}
		}
	default:
		return mistaken(field+".certtype", fmt.Sprintf("there is no type %q", c.CertType), "write ssh or https")
	}
	if !hostName.MatchString(host) && net.ParseIP(host) == nil {
		return mistaken(field+".servername", fmt.Sprintf("%q is not the name of a host", c.ServerName), "name the host without scheme and path")
	}
	return nil
}

// hostKey is a line of a known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).
type hostKey struct {
	host, subtype, data string
	key                 ssh.PublicKey
}

// readHostKey reads a line; ok is false for comments, blank lines and what is no host key.
func readHostKey(line string) (hostKey, bool) {
	parts := strings.SplitN(strings.TrimSpace(line), " ", 3)
	if len(parts) != 3 || strings.HasPrefix(parts[0], "#") || strings.ContainsAny(line[:len(strings.TrimRight(line, "\r\n"))], "\r\n") {
		return hostKey{}, false
	}
	_, _, key, _, _, err := ssh.ParseKnownHosts([]byte(line))
	if err != nil || key.Type() != parts[1] {
		return hostKey{}, false
	}
	return hostKey{parts[0], parts[1], parts[2], key}, true
}

func (k hostKey) fingerprint() string { return ssh.FingerprintSHA256(k.key) }

// addHostKey adds a line, or replaces the one of the same host and subtype. Other lines stay as they are.
func addHostKey(data map[string]string, c v1alpha1.RepositoryCertificate, upsert bool) ([]v1alpha1.RepositoryCertificate, error) {
	line := c.ServerName + " " + c.CertSubType + " " + strings.TrimSpace(string(c.CertData)) + "\n"
	added, _ := readHostKey(line)
	c.CertInfo = added.fingerprint()
	var out strings.Builder
	for old := range strings.Lines(data[source.KnownHostsKey]) {
		known, ok := readHostKey(old)
		if !ok || known.host != c.ServerName || known.subtype != c.CertSubType {
			out.WriteString(strings.TrimRight(old, "\r\n") + "\n")
			continue
		}
		if known.fingerprint() == c.CertInfo {
			return nil, nil
		}
		if !upsert {
			return nil, exists(c)
		}
	}
	data[source.KnownHostsKey] = out.String() + line
	return []v1alpha1.RepositoryCertificate{c}, nil
}

func takeHostKeys(data map[string]string, q *rpccertificate.RepositoryCertificateQuery) []v1alpha1.RepositoryCertificate {
	var taken []v1alpha1.RepositoryCertificate
	var left strings.Builder
	for line := range strings.Lines(data[source.KnownHostsKey]) {
		if key, ok := readHostKey(line); ok && selects(q, sshType, key.subtype, key.host) {
			taken = append(taken, v1alpha1.RepositoryCertificate{ServerName: key.host, CertType: sshType, CertSubType: key.subtype, CertData: []byte(key.data)})
			continue
		}
		left.WriteString(line)
	}
	if len(taken) > 0 {
		data[source.KnownHostsKey] = left.String()
	}
	return taken
}

// oneCertificate is what is shown of a TLS certificate.
type oneCertificate struct {
	subtype, info string
	text          []byte // in PEM
}

const invalid = "invalid"

// readCertificates reads the certificates of a text in PEM. One that cannot be read is of subtype invalid.
func readCertificates(text string) []oneCertificate {
	var out []oneCertificate
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return out
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		one := oneCertificate{subtype: invalid, text: pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes})}
		if c, err := x509.ParseCertificate(block.Bytes); err != nil {
			one.info = err.Error()
		} else {
			one.subtype, one.info = strings.ToLower(c.PublicKeyAlgorithm.String()), c.Subject.String()
		}
		out = append(out, one)
	}
}

// addCertificates adds the certificates of a host, or replaces them.
func addCertificates(data map[string]string, c v1alpha1.RepositoryCertificate, upsert bool) ([]v1alpha1.RepositoryCertificate, error) {
	old, there := data[c.ServerName]
	if there && old == string(c.CertData) {
		return nil, nil
	}
	if there && !upsert {
		return nil, exists(c)
	}
	var out []v1alpha1.RepositoryCertificate
	var kept strings.Builder
	for _, one := range readCertificates(string(c.CertData)) {
		kept.Write(one.text) // what else is in the text, such as a key, is not for a ConfigMap
		out = append(out, v1alpha1.RepositoryCertificate{ServerName: c.ServerName, CertType: tlsType, CertSubType: one.subtype, CertInfo: one.info, CertData: one.text})
	}
	if there && old == kept.String() {
		return nil, nil
	}
	data[c.ServerName] = kept.String()
	return out, nil
}

func takeCertificates(data map[string]string, q *rpccertificate.RepositoryCertificateQuery) []v1alpha1.RepositoryCertificate {
	var taken []v1alpha1.RepositoryCertificate
	for host, text := range data {
		if !selects(q, tlsType, "", host) {
			continue
		}
		for _, one := range readCertificates(text) {
			taken = append(taken, v1alpha1.RepositoryCertificate{ServerName: host, CertType: tlsType, CertSubType: one.subtype, CertData: one.text})
		}
		if len(readCertificates(text)) == 0 { // damaged: it goes all the same
			taken = append(taken, v1alpha1.RepositoryCertificate{ServerName: host, CertType: tlsType, CertSubType: invalid})
		}
		delete(data, host)
	}
	return taken
}
