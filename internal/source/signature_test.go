// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"github.com/bowline-cd/bowline/test/gitserver"
)

// pgpKey makes a key at a time, with a lifetime unless that is zero.
func pgpKey(t testing.TB, name string, made time.Time, life time.Duration) *openpgp.Entity {
	t.Helper()
	config := &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, Time: func() time.Time { return made }, KeyLifetimeSecs: uint32(life / time.Second)}
	e, err := openpgp.NewEntity(name, "", strings.ToLower(name)+"@example.com", config)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func keyID(e *openpgp.Entity) string { return fmt.Sprintf("%016X", e.PrimaryKey.KeyId) }

// publicKey is a key as the ConfigMap has it.
func publicKey(t testing.TB, entities ...*openpgp.Entity) string {
	t.Helper()
	var b bytes.Buffer
	w, err := armor.Encode(&b, openpgp.PublicKeyType, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entities {
		if err := e.Serialize(w); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// keyring holds the given keys.
func keyring(t testing.TB, entities ...*openpgp.Entity) Keyring {
	t.Helper()
	data := map[string]string{}
	for _, e := range entities {
		data[keyID(e)] = publicKey(t, e)
	}
	k, problems := ParseKeyring(data)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return k
}

// signing signs a payload.
type signing func(payload string) string

func pgpSign(t testing.TB, e *openpgp.Entity, config *packet.Config) signing {
	return func(payload string) string {
		t.Helper()
		var b bytes.Buffer
		if err := openpgp.ArmoredDetachSign(&b, e, strings.NewReader(payload), config); err != nil {
			t.Fatal(err)
		}
		return b.String() + "\n"
	}
}

func at(when time.Time) *packet.Config {
	return &packet.Config{Time: func() time.Time { return when }}
}

const emptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

// draft is a commit to be made.
type draft struct {
	parents []string
	message string
	when    time.Time
	sign    signing
	forge   func(object string) string // changes the object after it was signed
}

// write makes the commit in a repository and moves a branch to it.
func (d draft) write(t testing.TB, repo *gitserver.Repo, branch string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("tree " + emptyTree + "\n")
	for _, parent := range d.parents {
		b.WriteString("parent " + parent + "\n")
	}
	who := fmt.Sprintf("A Tester <tester@example.com> %d +0000", d.when.Unix())
	b.WriteString("author " + who + "\ncommitter " + who + "\n")
	header, message := b.String(), "\n"+d.message+"\n"
	object := header + message
	if d.sign != nil {
		object = header + "gpgsig " + folded(d.sign(object)) + message
	}
	if d.forge != nil {
		object = d.forge(object)
	}
	writeObject(t, repo, "tree", "")
	id := writeObject(t, repo, "commit", object)
	if err := repo.Point("refs/heads/"+branch, id); err != nil {
		t.Fatal(err)
	}
	return id
}

// folded is a signature as the value of a header.
func folded(signature string) string {
	return strings.ReplaceAll(strings.TrimRight(signature, "\n"), "\n", "\n ") + "\n"
}

func writeObject(t testing.TB, repo *gitserver.Repo, kind, data string) string {
	t.Helper()
	cmd := exec.Command("git", "hash-object", "-t", kind, "-w", "--stdin")
	cmd.Dir, cmd.Stdin = repo.Dir, strings.NewReader(data)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("write a %s: %v", kind, err)
	}
	return strings.TrimSpace(string(out))
}

// workplace is a work tree with a GnuPG home of its own, for what git and gpg themselves make.
type workplace struct {
	t   *testing.T
	dir string
	env []string
}

func newWorkplace(t *testing.T, tools ...string) *workplace {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("there is no " + tool)
		}
	}
	home, err := os.MkdirTemp("", "gpg") // short: there are sockets in it
	if err != nil {
		t.Fatal(err)
	}
	w := &workplace{t: t, dir: t.TempDir(), env: append(os.Environ(), "GNUPGHOME="+home, "HOME="+home, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull)}
	t.Cleanup(func() {
		w.t = t
		if _, err := exec.LookPath("gpgconf"); err == nil {
			cmd := exec.Command("gpgconf", "--kill", "all")
			cmd.Env = w.env
			_ = cmd.Run()
		}
		_ = os.RemoveAll(home)
	})
	w.run("git", "init", "-q", "-b", "main", ".")
	w.run("git", "config", "user.name", "Alice")
	w.run("git", "config", "user.email", "alice@example.com")
	return w
}

func (w *workplace) run(name string, args ...string) string {
	w.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = w.dir, w.env
	var out, problem bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problem
	if err := cmd.Run(); err != nil {
		w.t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, problem.String())
	}
	return out.String()
}

// commit makes a commit and pushes it to a repository.
func (w *workplace) commit(repo *gitserver.Repo, args ...string) string {
	w.t.Helper()
	w.run("git", append([]string{"commit", "-q", "--allow-empty"}, args...)...)
	w.run("git", "push", "-q", "--tags", repo.Dir, "HEAD:refs/heads/main")
	return strings.TrimSpace(w.run("git", "rev-parse", "HEAD"))
}

// file writes a file outside of the work tree.
func (w *workplace) file(name, content string) string {
	w.t.Helper()
	path := filepath.Join(w.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return path
}

// TestSignedPartIsWhatGitSigns takes what git itself says is signed as the measure, by objects made to be misread.
func TestSignedPartIsWhatGitSigns(t *testing.T) {
	const head = "tree " + emptyTree + "\nauthor a <a> 1 +0000\ncommitter c <c> 2 +0000\n"
	for _, tt := range []struct{ name, object, payload, signature string }{
		{"unsigned", head + "\nmessage\n", head + "\nmessage\n", ""},
		{"signed", head + "gpgsig one\n two\n \n three\n\nmessage\n", head + "\nmessage\n", "one\ntwo\n\nthree\n"},
		{"another hash's signature", head + "gpgsig-sha256 x\n y\ngpgsig one\n two\nencoding z\n\nm", head + "encoding z\n\nm", "one\ntwo\n"},
		{"a signature in the message", head + "\ngpgsig one\n two\n", head + "\ngpgsig one\n two\n", ""},
		{"a tag that was merged", head + "mergetag object x\n gpgsig no\n -----BEGIN PGP SIGNATURE-----\ngpgsig one\n\nm", head + "mergetag object x\n gpgsig no\n -----BEGIN PGP SIGNATURE-----\n\nm", "one\n"},
		{"no message", head + "gpgsig one\n", head, "one\n"},
		{"no end of line", head + "gpgsig one", head, "one"},
		{"a name that begins alike", head + "gpgsignature x\n y\n\nm", head + "\nm", ""},
	} {
		o := signedCommit(strings.Repeat("1", 40), []byte(tt.object))
		if string(o.payload) != tt.payload || string(o.signature) != tt.signature {
			t.Errorf("%s: payload %q, signature %q; want %q, %q", tt.name, o.payload, o.signature, tt.payload, tt.signature)
		}
	}
	if o := signedCommit("1", []byte(head+"gpgsig one\nx y\ngpgsig two\n\nm")); !o.several {
		t.Error("two signatures are taken for one")
	}
	const tag = "object 1\ntype commit\ntag v1\ntagger a <a> 5 +0000\n\nmessage\n-----BEGIN PGP SIGNATURE-----\nfirst\n"
	o := signedTag("v1", []byte(tag+"-----BEGIN SSH SIGNATURE-----\nlast\n"))
	if string(o.payload) != tag || string(o.signature) != "-----BEGIN SSH SIGNATURE-----\nlast\n" || o.made.Unix() != 5 {
		t.Errorf("a tag: payload %q, signature %q, made %v", o.payload, o.signature, o.made)
	}
}

func TestSeal(t *testing.T) {
	for message, want := range map[string]bool{
		"Seal\n\nArgocd-gpg-seal: reviewed\n": true, "Seal\n\nText.\n\nSigned-off-by: a\nargoCD-GPG-Seal: x\n": true, "Argocd-gpg-seal: x": true,
		"Seal\n\nArgocd-gpg-seal:\n": false, "Seal\n\nArgocd-gpg-seal: x\n\nMore text.\n": false, "Says Argocd-gpg-seal: x": false, "": false,
	} {
		if o := (signedObject{message: message}); o.seal() != want {
			t.Errorf("%q is a seal: %t, want %t", message, !want, want)
		}
	}
}

func FuzzSignature(f *testing.F) {
	made := time.Unix(1_700_000_000, 0)
	alice := pgpKey(f, "Alice", made, 0)
	keys := keyring(f, alice)
	armored := pgpSign(f, alice, at(made))("tree x\n\nm")
	f.Add([]byte("tree x\ngpgsig "+folded(armored)+"\nm"), []byte(armored))
	f.Add([]byte("object x\n\nm\n"+armored), []byte(sshBegin+"\nU1NIU0lHAAAAAQ==\n"+sshEnd))
	f.Fuzz(func(t *testing.T, object, signature []byte) {
		for _, o := range []signedObject{signedCommit("1234", object), signedTag("v1", object), {payload: object, signature: signature}} {
			o.seal()
			if by, wrong := keys.check(o, made); wrong == nil && string(o.payload) != "tree x\n\nm" {
				t.Errorf("a signature by %s fits %q", by.key, o.payload)
			}
		}
	})
}

func FuzzKeyring(f *testing.F) {
	f.Add("4AEE18F83AFDEB23", publicKey(f, pgpKey(f, "Alice", time.Unix(1_700_000_000, 0), 0)))
	f.Add(AllowedSignersKey, `a,!b namespaces="git",valid-after="20200101Z",cert-authority ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ7hNcPDMuzDAj7gpuCRHvPTfUMpjQZ8uyTyJNlxTwHD x`)
	f.Fuzz(func(_ *testing.T, name, value string) {
		k, _ := ParseKeyring(map[string]string{name: value})
		k.check(signedObject{signature: []byte("-----BEGIN PGP SIGNATURE-----\n")}, time.Unix(0, 0))
	})
}
