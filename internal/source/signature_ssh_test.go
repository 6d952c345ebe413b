// SPDX-License-Identifier: Apache-2.0

package source

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/bowline-cd/bowline/test/gitserver"
)

func sshKey(t testing.TB, kind string) ssh.AlgorithmSigner {
	t.Helper()
	var key any
	var err error
	switch kind {
	case "rsa":
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case "ecdsa":
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	default:
		_, key, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return signer.(ssh.AlgorithmSigner)
}

func sshLine(key ssh.PublicKey) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
}

// sshSign makes a signature as PROTOCOL.sshsig describes it. format is how the key signs, "" for its own way.
func sshSign(t testing.TB, key ssh.AlgorithmSigner, shown ssh.PublicKey, namespace, hash, format, payload string) string {
	t.Helper()
	var sum []byte
	if hash == "sha256" {
		h := sha256.Sum256([]byte(payload))
		sum = h[:]
	} else {
		h := sha512.Sum512([]byte(payload))
		sum = h[:]
	}
	signed := append([]byte("SSHSIG"), ssh.Marshal(struct{ N, R, H, S string }{namespace, "", hash, string(sum)})...)
	signature, err := key.SignWithAlgorithm(rand.Reader, signed, format)
	if err != nil {
		t.Fatal(err)
	}
	blob := append([]byte("SSHSIG"), ssh.Marshal(struct {
		V             uint32
		K, N, R, H, S string
	}{1, string(shown.Marshal()), namespace, "", hash, string(ssh.Marshal(signature))})...)
	return sshBegin + "\n" + base64.StdEncoding.EncodeToString(blob) + "\n" + sshEnd + "\n"
}

func signers(t testing.TB, lines ...string) Keyring {
	t.Helper()
	k, problems := ParseKeyring(map[string]string{AllowedSignersKey: strings.Join(lines, "\n")})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return k
}

func TestSSHSignatures(t *testing.T) {
	made := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	alice, ecdsaKey, rsaKey, authority, stranger := sshKey(t, ""), sshKey(t, "ecdsa"), sshKey(t, "rsa"), sshKey(t, ""), sshKey(t, "")
	fingerprint := func(key ssh.AlgorithmSigner) string { return ssh.FingerprintSHA256(key.PublicKey()) }
	line := func(prefix string, key ssh.AlgorithmSigner) string { return prefix + " " + sshLine(key.PublicKey()) }
	const payload = "tree x\n\nmessage\n"
	plain := func(key ssh.AlgorithmSigner, namespace, hash, format string) string {
		return sshSign(t, key, key.PublicKey(), namespace, hash, format, payload)
	}
	certified := func(change func(*ssh.Certificate)) string {
		certificate := &ssh.Certificate{Key: alice.PublicKey(), CertType: ssh.UserCert, ValidPrincipals: []string{"alice@example.com"},
			ValidAfter: uint64(made.Add(-time.Hour).Unix()), ValidBefore: uint64(made.Add(time.Hour).Unix())}
		change(certificate)
		if err := certificate.SignCert(rand.Reader, authority); err != nil {
			t.Fatal(err)
		}
		return sshSign(t, alice, certificate, "git", "sha512", "", payload)
	}
	same := func(*ssh.Certificate) {}
	good := plain(alice, "git", "sha512", "")
	for _, tt := range []struct {
		reason, signature, line string
		keys                    []string
		want                    SignatureState
	}{
		{"Ed25519, listed by its fingerprint", good, line("alice@example.com", alice), []string{fingerprint(alice)}, ""},
		{"listed by its principal", good, line("bob,alice@example.com", alice), []string{"alice@example.com"}, ""},
		{"a principal that a pattern allows", good, line("*@example.com", alice), []string{"alice@example.com"}, ""},
		{"a principal that a pattern denies", good, line("*@example.com,!alice@*", alice), []string{"alice@example.com"}, SignatureNotAllowed},
		{"another principal is listed", good, line("alice@example.com", alice), []string{"bob@example.com"}, SignatureNotAllowed},
		{"a pattern in the list is no principal", good, line("alice@example.com", alice), []string{"*"}, SignatureNotAllowed},
		{"none is listed", good, line("*", alice), []string{""}, SignatureNotAllowed},
		{"sha256", plain(alice, "git", "sha256", ""), line("*", alice), []string{fingerprint(alice)}, ""},
		{"ECDSA", plain(ecdsaKey, "git", "sha512", ""), line("*", ecdsaKey), []string{fingerprint(ecdsaKey)}, ""},
		{"RSA with SHA-512", plain(rsaKey, "git", "sha512", ssh.KeyAlgoRSASHA512), line("*", rsaKey), []string{fingerprint(rsaKey)}, ""},
		{"RSA with SHA-256", plain(rsaKey, "git", "sha512", ssh.KeyAlgoRSASHA256), line("*", rsaKey), []string{fingerprint(rsaKey)}, ""},
		{"RSA with SHA-1", plain(rsaKey, "git", "sha512", ssh.KeyAlgoRSA), line("*", rsaKey), []string{fingerprint(rsaKey)}, SignatureBad},
		{"of a file", plain(alice, "file", "sha512", ""), line("*", alice), []string{fingerprint(alice)}, SignatureBad},
		{"of something else", sshSign(t, alice, alice.PublicKey(), "git", "sha512", "", "other"), line("*", alice), []string{fingerprint(alice)}, SignatureBad},
		{"by another key than it says", sshSign(t, stranger, alice.PublicKey(), "git", "sha512", "", payload), line("*", alice), []string{fingerprint(alice)}, SignatureBad},
		{"an unknown signer", plain(stranger, "git", "sha512", ""), line("*", alice), []string{fingerprint(stranger)}, SignatureUnknown},
		{"allowed for files only", good, line(`* namespaces="file"`, alice), []string{fingerprint(alice)}, SignatureUnknown},
		{"allowed for Git too", good, line(`* namespaces="file,git"`, alice), []string{fingerprint(alice)}, ""},
		{"within its time", good, line(`* valid-after="20260101",valid-before="20270101Z"`, alice), []string{fingerprint(alice)}, ""},
		{"before its time", good, line(`* valid-after="20260302"`, alice), []string{fingerprint(alice)}, SignatureExpired},
		{"after its time", good, line(`* valid-before="202603011159"`, alice), []string{fingerprint(alice)}, SignatureExpired},
		{"a certificate", certified(same), line("alice@example.com cert-authority", authority), []string{"alice@example.com"}, ""},
		{"a certificate, listed by its key", certified(same), line("*@example.com cert-authority", authority), []string{fingerprint(alice)}, ""},
		{"a certificate of another principal", certified(same), line("*@example.com cert-authority", authority), []string{"bob@example.com"}, SignatureNotAllowed},
		{"a certificate without principal", certified(func(c *ssh.Certificate) { c.ValidPrincipals = nil }), line("* cert-authority", authority), []string{fingerprint(alice)}, SignatureUnknown},
		{"a certificate of a host", certified(func(c *ssh.Certificate) { c.CertType = ssh.HostCert }), line("* cert-authority", authority), []string{fingerprint(alice)}, SignatureUnknown},
		{"a certificate that has expired", certified(func(c *ssh.Certificate) { c.ValidBefore = uint64(made.Add(-time.Minute).Unix()) }), line("* cert-authority", authority), []string{fingerprint(alice)}, SignatureExpired},
		{"a certificate of a key that is no authority", certified(same), line("*", authority), []string{fingerprint(alice)}, SignatureUnknown},
		{"an authority signs itself", plain(authority, "git", "sha512", ""), line("* cert-authority", authority), []string{fingerprint(authority)}, SignatureUnknown},
		{"cut off", good[:len(good)/2], line("*", alice), []string{fingerprint(alice)}, SignatureBad},
		{"two of them", good + good, line("*", alice), []string{fingerprint(alice)}, SignatureBad},
	} {
		c := check{policy: Policy{Mode: PolicyHead, Keys: tt.keys}, keys: signers(t, tt.line), now: made}
		failure, _ := c.object(signedObject{payload: []byte(payload), signature: []byte(tt.signature), made: made})
		var got SignatureState
		if failure != nil {
			got = failure.State
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q (%+v)", tt.reason, got, tt.want, failure)
		}
	}
}

func TestAllowedSignersThatAreWrong(t *testing.T) {
	key := sshLine(sshKey(t, "").PublicKey())
	for _, line := range []string{
		"alice", "alice " + key[:30], `"alice ` + key, "alice restrict " + key, `alice namespaces="" ` + key, `alice valid-after="2026" ` + key,
		`alice valid-after="20260101",valid-before="20250101" ` + key, "alice ssh-dss AAAAB3NzaC1kc3MAAACBAA==",
	} {
		k, problems := ParseKeyring(map[string]string{AllowedSignersKey: "\n" + line + "\nbob " + key + "\n"})
		if len(problems) != 1 || !strings.Contains(problems[0].Error(), "line 2") || len(k.signers) != 1 {
			t.Errorf("%.60q: %d signers, %v", line, len(k.signers), problems)
		}
	}
	k, problems := ParseKeyring(map[string]string{AllowedSignersKey: `"alice smith,bob" ` + key + " a comment"})
	if len(problems) > 0 || len(k.signers) != 1 || !k.signers[0].names("alice smith", nil) {
		t.Errorf("quoted principals: %+v, %v", k.signers, problems)
	}
}

func TestVerifyWhatGitAndSSHMake(t *testing.T) {
	w := newWorkplace(t, "ssh-keygen")
	repo := gitserver.New(t, gitserver.Options{}).Repo(t, "config")
	w.run("git", "config", "gpg.format", "ssh")
	var lines []string
	commits := map[string]string{}
	for _, kind := range []string{"ed25519", "ecdsa", "rsa"} {
		path := w.file(kind, "")
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		w.run("ssh-keygen", "-q", "-t", kind, "-N", "", "-C", kind, "-f", path)
		public, err := os.ReadFile(path + ".pub")
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, kind+"@example.com "+string(public))
		w.run("git", "config", "user.signingkey", path)
		commits[kind] = w.commit(repo, "-S", "-m", "by "+kind)
		w.run("git", "tag", "-s", "-m", "release", "v-"+kind)
	}
	last := w.commit(repo, "-S", "-m", "last")
	v := verifier{t, openStore(t, nil), Repository{URL: repo.URL}, signers(t, lines...)}
	all := []string{"ed25519@example.com", "ecdsa@example.com", "rsa@example.com"}
	for kind, commit := range commits {
		v.check(kind, commit, commit, head(kind+"@example.com"))
		v.check(kind+", a tag", commit, "v-"+kind, head(kind+"@example.com"))
		v.check(kind+", not listed", commit, commit, head("someone@example.com"), SignatureNotAllowed)
	}
	v.check("all of the history", last, "main", strict(all...))
	v.check("all but one", last, "main", strict(all[1:]...), SignatureNotAllowed)
}
