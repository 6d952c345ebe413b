// SPDX-License-Identifier: Apache-2.0

package plane

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"time"
)

// certificateLife is long enough for a plane that is restarted for years; nothing
// renews certificates.
const certificateLife = 10 * 365 * 24 * time.Hour

// identity is a certificate with its key.
type identity struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// writePKI makes what is absent of the plane's authorities, certificates and keys. What
// is there stays: a kubeconfig copied elsewhere stays good over a restart.
func (l *layout) writePKI() error {
	ca, err := l.authority("ca")
	if err != nil {
		return err
	}
	frontProxyCA, err := l.authority("front-proxy-ca")
	if err != nil {
		return err
	}
	admin := pkix.Name{CommonName: "devcluster-admin", Organization: []string{"system:masters"}}
	// The controllers use their one identity directly instead of a service account each: RBAC's
	// default roles expect the latter, so they are administrators here.
	manager := pkix.Name{CommonName: "system:kube-controller-manager", Organization: []string{"system:masters"}}
	nodes := pkix.Name{CommonName: "kwok", Organization: []string{"system:masters"}}
	for _, leaf := range []struct {
		name     string
		issuer   identity
		template *x509.Certificate
	}{
		{"etcd", ca, serving("etcd")},
		{"apiserver", ca, serving("kube-apiserver")},
		{"kubelet", ca, serving("kubelet")},
		{"apiserver-etcd-client", ca, client(pkix.Name{CommonName: "kube-apiserver"})},
		{"apiserver-kubelet-client", ca, client(pkix.Name{CommonName: "kube-apiserver-kubelet-client"})},
		{"front-proxy-client", frontProxyCA, client(pkix.Name{CommonName: "front-proxy-client"})},
		{"admin", ca, client(admin)},
		{"kube-controller-manager", ca, client(manager)},
		{"kube-scheduler", ca, client(pkix.Name{CommonName: "system:kube-scheduler"})},
		{"kwok", ca, client(nodes)},
	} {
		if err := l.leaf(leaf.name, leaf.issuer, leaf.template); err != nil {
			return err
		}
	}
	_, err = l.privateKey("service-accounts")
	return err
}

// serving returns the template of a certificate for a listener on 127.0.0.1, with the names that
// pods of a real cluster know the API server by.
func serving(name string) *x509.Certificate {
	return &x509.Certificate{
		Subject:     pkix.Name{CommonName: name},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.ParseIP(kubernetesServiceIP)},
		DNSNames: []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
			"kubernetes.default.svc.cluster.local"},
	}
}

// client returns the template of a certificate that identifies its holder as subject.
func client(subject pkix.Name) *x509.Certificate {
	return &x509.Certificate{
		Subject:     subject,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
}

func (l *layout) authority(name string) (identity, error) {
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "devcluster " + name},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	key, err := l.privateKey(name)
	if err != nil {
		return identity{}, err
	}
	cert, err := l.certificate(name, template, identity{cert: template, key: key}, key)
	return identity{cert: cert, key: key}, err
}

func (l *layout) leaf(name string, issuer identity, template *x509.Certificate) error {
	template.KeyUsage = x509.KeyUsageDigitalSignature
	key, err := l.privateKey(name)
	if err != nil {
		return err
	}
	_, err = l.certificate(name, template, issuer, key)
	return err
}

// certificate reads name.crt, or makes it from the template and signs it.
func (l *layout) certificate(name string, template *x509.Certificate, issuer identity, key crypto.Signer) (*x509.Certificate, error) {
	path := l.pki(name + ".crt")
	der, err := readPEM(path, "CERTIFICATE")
	if errors.Is(err, fs.ErrNotExist) {
		der, err = sign(template, issuer, key)
		if err == nil {
			err = writePEM(path, "CERTIFICATE", der)
		}
	}
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return cert, nil
}

func sign(template *x509.Certificate, issuer identity, key crypto.Signer) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	template.NotBefore = time.Now().Add(-time.Hour) // clocks that are set back a little
	template.NotAfter = time.Now().Add(certificateLife)
	return x509.CreateCertificate(rand.Reader, template, issuer.cert, key.Public(), issuer.key)
}

// privateKey reads name.key, or makes it.
func (l *layout) privateKey(name string) (crypto.Signer, error) {
	path := l.pki(name + ".key")
	der, err := readPEM(path, "EC PRIVATE KEY")
	if err == nil {
		key, err := x509.ParseECPrivateKey(der)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return key, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	if der, err = x509.MarshalECPrivateKey(key); err != nil {
		return nil, err
	}
	return key, writePEM(path, "EC PRIVATE KEY", der)
}

func readPEM(path, kind string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(b)
	if block == nil || block.Type != kind {
		return nil, fmt.Errorf("%s: this is no %s; delete the directory to start afresh", path, kind)
	}
	return block.Bytes, nil
}

// writePEM replaces the file in one step, so that an interrupted start leaves no half of one.
func writePEM(path, kind string, der []byte) error {
	half := path + ".new"
	if err := os.WriteFile(half, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		return err
	}
	return os.Rename(half, path)
}
