// SPDX-License-Identifier: Apache-2.0

package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"time"
)

// TLS says how the listener speaks TLS.
type TLS struct {
	// Certificate returns the certificate of the moment, so that a new one needs no restart.
	Certificate func() (*tls.Certificate, error)
	// Min and Max are versions of TLS; 0 is 1.2 and 1.3. Ciphers are suites of the versions before 1.3; none is Go's choice.
	Min, Max uint16
	Ciphers  []uint16
}

func (t *TLS) config() *tls.Config {
	minimum := t.Min
	if minimum == 0 {
		minimum = tls.VersionTLS12
	}
	return &tls.Config{
		MinVersion: minimum, MaxVersion: t.Max, CipherSuites: t.Ciphers,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return t.Certificate() },
	}
}

// certificateLife is how long a certificate of our own is good for: a year, as in Argo CD.
const certificateLife = 365 * 24 * time.Hour

// NewCertificate returns a certificate that nobody vouches for, and its key, in PEM: names are host names and addresses that it
// is for.
func NewCertificate(names []string, now time.Time) (certificate, key []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "bowline", Organization: []string{"Bowline"}},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certificateLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true,
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		return nil, nil, err
	}
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), nil
}
