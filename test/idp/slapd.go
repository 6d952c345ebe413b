// SPDX-License-Identifier: Apache-2.0

package idp

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// LDAP is a directory that was started.
type LDAP struct {
	// Plain and TLS are host:port: the first speaks StartTLS too.
	Plain, TLS string
	// Authority is the file with the certificate that its own is signed by.
	Authority string
	stop      func()
}

// Stop ends the directory.
func (l *LDAP) Stop() { l.stop() }

// The account that may search. Nobody may search without one.
const (
	LDAPBase     = "dc=example,dc=org"
	LDAPBindDN   = "cn=admin," + LDAPBase
	LDAPPassword = "the-password-of-the-directory"
)

const slapdConf = `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile %[1]s/pid
TLSCACertificateFile %[1]s/ca.pem
TLSCertificateFile %[1]s/ca.pem
TLSCertificateKeyFile %[1]s/key.pem
disallow bind_anon
database mdb
maxsize 16777216
suffix "` + LDAPBase + `"
rootdn "` + LDAPBindDN + `"
rootpw ` + LDAPPassword + `
directory %[1]s/db
access to attrs=userPassword by anonymous auth by * none
access to * by users read by * none
`

// StartLDAP starts slapd with the entries of an LDIF text below LDAPBase.
func StartLDAP(t testing.TB, ldif string) *LDAP {
	t.Helper()
	slapd := program(t, "slapd")
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "db"), 0o700); err != nil {
		t.Fatal(err)
	}
	certificate(t, dir)
	write(t, dir, "slapd.conf", fmt.Sprintf(slapdConf, dir))
	write(t, dir, "data.ldif", "dn: "+LDAPBase+"\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n\n"+ldif)
	conf := filepath.Join(dir, "slapd.conf")
	if out, err := exec.Command(slapd, "-Tadd", "-f", conf, "-l", filepath.Join(dir, "data.ldif")).CombinedOutput(); err != nil {
		t.Fatalf("fill the directory: %v\n%s", err, out)
	}
	l := &LDAP{Plain: freeAddress(t), TLS: freeAddress(t), Authority: filepath.Join(dir, "ca.pem")}
	said := &tail{}
	cmd := exec.Command(slapd, "-d", "0", "-f", conf, "-h", "ldap://"+l.Plain+"/ ldaps://"+l.TLS+"/")
	cmd.Stderr, cmd.Stdout = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	l.stop = func() { _ = cmd.Process.Kill(); <-ended }
	t.Cleanup(l.stop)
	for _, address := range []string{l.Plain, l.TLS} {
		await(t, address, ended, said)
	}
	return l
}

// await returns when something listens, however long a busy machine takes.
func await(t testing.TB, address string, ended <-chan struct{}, said fmt.Stringer) {
	t.Helper()
	for {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
			return
		}
		select {
		case <-ended:
			t.Fatalf("the directory ended: %s", said)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func program(t testing.TB, name string) string {
	t.Helper()
	for _, path := range []string{name, "/usr/sbin/" + name, "/usr/lib/openldap/" + name} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	t.Fatalf("%s is not there: run scripts/need-for-tests", name)
	return ""
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// certificate writes a key and a certificate for 127.0.0.1 that is its own authority.
func certificate(t testing.TB, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a directory of a test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})))
	write(t, dir, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
}

func write(t testing.TB, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
