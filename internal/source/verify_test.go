// SPDX-License-Identifier: Apache-2.0

package source

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	clocks "k8s.io/utils/clock/testing"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/test/gitserver"
)

// failures returns what Verify found wrong; it ends the test if it says anything else.
func failures(t *testing.T, err error) []SignatureFailure {
	t.Helper()
	if err == nil {
		return nil
	}
	var signature *SignatureError
	if !errors.As(err, &signature) {
		t.Fatalf("got %v, want a SignatureError", err)
	}
	if !fault.Is(err, fault.Stalled) {
		t.Errorf("%v is of kind %s", err, fault.KindOf(err))
	}
	return signature.Failures
}

// verifier verifies commits of a repository.
type verifier struct {
	t    *testing.T
	s    *Store
	r    Repository
	keys Keyring
}

func (v verifier) check(reason, commit, revision string, policy Policy, want ...SignatureState) []SignatureFailure {
	v.t.Helper()
	found := failures(v.t, v.s.Verify(v.t.Context(), v.r, commit, Revision{Name: revision}, policy, v.keys))
	states := make([]SignatureState, len(found))
	for i, f := range found {
		states[i] = f.State
	}
	if fmt.Sprint(states) != fmt.Sprint(want) {
		v.t.Errorf("%s: %q, want %q\n%v", reason, states, want, found)
	}
	return found
}

func head(keys ...string) Policy   { return Policy{Mode: PolicyHead, Keys: keys} }
func strict(keys ...string) Policy { return Policy{Mode: PolicyStrict, Keys: keys} }

func TestVerifyHead(t *testing.T) {
	made := time.Unix(1_700_000_000, 0)
	now := made.Add(48 * time.Hour)
	alice, bob, carol := pgpKey(t, "Alice", made, 0), pgpKey(t, "Bob", made, 24*time.Hour), pgpKey(t, "Carol", made, 0)
	stranger := pgpKey(t, "Stranger", made, 0)
	server := gitserver.New(t, gitserver.Options{})
	repo := server.Repo(t, "config")
	byAlice, byBob, byCarol := pgpSign(t, alice, at(made)), pgpSign(t, bob, at(made)), pgpSign(t, carol, at(made))
	if err := carol.RevokeKey(packet.KeyRetired, "", at(made.Add(time.Hour))); err != nil {
		t.Fatal(err)
	}
	short := &packet.Config{Time: func() time.Time { return made }, SigLifetimeSecs: 60}
	all := []string{keyID(alice), keyID(bob), keyID(carol), keyID(stranger)}
	tests := []struct {
		reason string
		draft  draft
		keys   []string
		want   []SignatureState
		key    string
	}{
		{"by a listed key", draft{sign: byAlice}, all, nil, ""},
		{"listed in small letters", draft{sign: byAlice}, []string{strings.ToLower(keyID(alice))}, nil, ""},
		{"listed by fingerprint", draft{sign: byAlice}, []string{fmt.Sprintf("%X", alice.PrimaryKey.Fingerprint)}, nil, ""},
		{"listed as gpg shows it", draft{sign: byAlice}, []string{"0x" + keyID(alice)}, nil, ""},
		{"listed by a short id", draft{sign: byAlice}, []string{keyID(alice)[8:]}, []SignatureState{SignatureNotAllowed}, keyID(alice)},
		{"another one is listed", draft{sign: byAlice}, []string{keyID(bob)}, []SignatureState{SignatureNotAllowed}, keyID(alice)},
		{"none is listed", draft{sign: byAlice}, nil, []SignatureState{SignatureNotAllowed}, keyID(alice)},
		{"unsigned", draft{}, all, []SignatureState{SignatureAbsent}, ""},
		{"not in the keyring", draft{sign: pgpSign(t, stranger, at(made))}, all, []SignatureState{SignatureUnknown}, keyID(stranger)},
		{"the key has expired", draft{sign: byBob}, all, []SignatureState{SignatureExpired}, keyID(bob)},
		{"the signature has expired", draft{sign: pgpSign(t, alice, short)}, all, []SignatureState{SignatureExpired}, keyID(alice)},
		{"the key was revoked", draft{sign: byCarol}, all, []SignatureState{SignatureRevoked}, keyID(carol)},
		{"changed afterwards", draft{sign: byAlice, forge: func(o string) string { return o + "more\n" }}, all, []SignatureState{SignatureBad}, keyID(alice)},
		{"signed for something else", draft{sign: func(string) string { return byAlice("other") }}, all, []SignatureState{SignatureBad}, keyID(alice)},
		{"two signatures", draft{sign: func(p string) string { return byAlice(p) + byAlice(p) }}, all, []SignatureState{SignatureBad}, ""},
		{"two headers", draft{sign: byAlice, forge: func(o string) string {
			return strings.Replace(o, "\n\n", "\nx y\ngpgsig "+strings.TrimSuffix(folded(byAlice("x")), "\n")+"\n\n", 1)
		}}, all, []SignatureState{SignatureBad}, ""},
		{"a key in its place", draft{sign: func(string) string { return publicKey(t, alice) + "\n" }}, all, []SignatureState{SignatureBad}, ""},
		{"nonsense", draft{sign: func(string) string { return "-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n" }}, all, []SignatureState{SignatureBad}, ""},
		{"S/MIME", draft{sign: func(string) string { return "-----BEGIN SIGNED MESSAGE-----\n\nAAAA\n-----END SIGNED MESSAGE-----\n" }}, all, []SignatureState{SignatureBad}, ""},
	}
	v := verifier{t, openStore(t, func(o *Options) { o.Clock = clocks.NewFakeClock(now) }), Repository{URL: repo.URL}, keyring(t, alice, bob, carol)}
	for i, tt := range tests {
		tt.draft.when, tt.draft.message = made, tt.reason
		branch := fmt.Sprintf("b%d", i)
		commit := tt.draft.write(t, repo, branch)
		for _, f := range v.check(tt.reason, commit, branch, head(tt.keys...), tt.want...) {
			if f.Key != tt.key || !strings.Contains(f.Object, commit[:12]) || !strings.Contains(f.Author, "A Tester") {
				t.Errorf("%s: %+v, want the key %q and who wrote it", tt.reason, f, tt.key)
			}
		}
		v.check(tt.reason+", nothing is demanded", commit, branch, Policy{})
		v.check(tt.reason+", nothing is demanded", commit, branch, Policy{Mode: PolicyNone})
	}
	if err := v.s.Verify(t.Context(), v.r, strings.Repeat("1", 40), Revision{}, Policy{Mode: "thorough"}, v.keys); !fault.Is(err, fault.Mistake) {
		t.Errorf("an unknown mode: %v", err)
	}
}

func TestVerifyCountsAKeyAsItIsNow(t *testing.T) {
	made := time.Unix(1_700_000_000, 0)
	alice := pgpKey(t, "Alice", made, 24*time.Hour)
	server := gitserver.New(t, gitserver.Options{})
	repo := server.Repo(t, "config")
	commit := draft{when: made, message: "m", sign: pgpSign(t, alice, at(made))}.write(t, repo, "main")
	clock := clocks.NewFakeClock(made.Add(time.Hour))
	v := verifier{t, openStore(t, func(o *Options) { o.Clock = clock }), Repository{URL: repo.URL}, keyring(t, alice)}
	for _, policy := range []Policy{head(keyID(alice)), strict(keyID(alice))} {
		clock.SetTime(made.Add(time.Hour))
		v.check("while the key is valid", commit, "", policy)
		v.check("from memory", commit, "", policy)
		clock.SetTime(made.Add(25 * time.Hour))
		v.check("after it has expired", commit, "", policy, SignatureExpired)
	}
	clock.SetTime(made.Add(time.Hour))
	v.check("another policy is another question", commit, "", head(), SignatureNotAllowed)
	v.keys = Keyring{}
	v.check("another keyring is another question", commit, "", head(keyID(alice)), SignatureUnknown)
}

func TestVerifyTags(t *testing.T) {
	made := time.Unix(1_700_000_000, 0)
	alice, bob := pgpKey(t, "Alice", made, 0), pgpKey(t, "Bob", made, 0)
	byAlice, byBob := pgpSign(t, alice, at(made)), pgpSign(t, bob, at(made))
	for _, transport := range []string{"http", "ssh"} {
		t.Run(transport, func(t *testing.T) {
			server := gitserver.New(t, gitserver.Options{})
			repo := server.Repo(t, "config")
			signed := draft{when: made, message: "signed", sign: byBob}.write(t, repo, "main")
			plain := draft{when: made, message: "plain", parents: []string{signed}}.write(t, repo, "plain")
			tag := func(ref, name, target, kind string, sign signing) string {
				body := fmt.Sprintf("object %s\ntype %s\ntag %s\ntagger T <t@example.com> %d +0000\n\nrelease\n", target, kind, name, made.Unix())
				if sign != nil {
					body += sign(body)
				}
				id := writeObject(t, repo, "tag", body)
				if err := repo.Point("refs/tags/"+ref, id); err != nil {
					t.Fatal(err)
				}
				return id
			}
			release := tag("v1.0.0", "v1.0.0", plain, "commit", byAlice)
			tag("v1.1.0", "v1.1.0", signed, "commit", nil)
			tag("v2.0.0", "v1.0.0", plain, "commit", byAlice)
			inner := tag("inner", "inner", signed, "commit", nil)
			tag("nested", "nested", inner, "tag", byAlice)
			if err := repo.Tag("light", signed, ""); err != nil {
				t.Fatal(err)
			}
			r := Repository{URL: repo.URL}
			if transport == "ssh" {
				ssh := gitserver.NewSSH(t, server.Root())
				r = Repository{URL: ssh.URL + "/config.git", KnownHosts: ssh.KnownHosts, SSHPrivateKey: fault.NewSecret(ssh.ClientKey)}
			}
			v := verifier{t, openStore(t, func(o *Options) { o.Clock = clocks.NewFakeClock(made.Add(time.Hour)) }), r, keyring(t, alice, bob)}
			both := []string{keyID(alice), keyID(bob)}
			v.check("a signed tag", plain, "v1.0.0", head(both...))
			v.check("by its whole name", plain, "refs/tags/v1.0.0", head(both...))
			v.check("by a constraint", plain, "1.0.x", head(both...))
			v.check("a signed tag of a key that is not listed", plain, "v1.0.0", head(keyID(bob)), SignatureNotAllowed)
			v.check("an unsigned tag of a signed commit", signed, "v1.1.0", head(both...), SignatureAbsent)
			v.check("a signed tag under another name", plain, "v2.0.0", head(both...), SignatureBad)
			v.check("a tag of a tag", signed, "nested", head(both...))
			v.check("a lightweight tag of a signed commit", signed, "light", head(both...))
			v.check("the commit of a tag by its id", plain, plain, head(both...), SignatureAbsent)
			v.check("strict wants tag and history", plain, "v1.0.0", strict(both...), SignatureAbsent)
			v.check("strict of an unsigned tag", signed, "v1.1.0", strict(both...), SignatureAbsent)
			v.check("strict of a signed tag of a signed history", signed, "nested", strict(both...))

			err := v.s.Verify(t.Context(), v.r, signed, Revision{Name: "v1.0.0"}, head(both...), v.keys)
			if !fault.Is(err, fault.Retry) || !strings.Contains(err.Error(), "another commit") {
				t.Errorf("a tag that points elsewhere: %v", err)
			}
			// A server may say of a tag that is known to be good that it points to another commit.
			m, err := v.s.mirror(v.r)
			if err != nil {
				t.Fatal(err)
			}
			lie := tagRef{ref: "refs/tags/v1.0.0", id: release, commit: signed}
			c := check{mirror: m, policy: head(both...), keys: v.keys, now: made, id: head(both...).digest(v.keys)}
			if found, err := c.all(t.Context(), signed, lie); err == nil {
				t.Errorf("a tag that is said to point elsewhere: %+v", found)
			}
			v.check("a short id of a signed commit", signed, signed[:8], head(both...))
		})
	}
}

func TestVerifyHistory(t *testing.T) {
	made := time.Unix(1_700_000_000, 0)
	alice, bob := pgpKey(t, "Alice", made, 0), pgpKey(t, "Bob", made, 0)
	byAlice, byBob := pgpSign(t, alice, at(made)), pgpSign(t, bob, at(made))
	const sealed = "seal\n\nArgocd-gpg-seal: all of it was looked at"
	server := gitserver.New(t, gitserver.Options{})
	repo := server.Repo(t, "config")
	n := 0
	commit := func(sign signing, message string, parents ...string) string {
		n++
		return draft{when: made, message: fmt.Sprintf("%d %s", n, message), sign: sign, parents: parents}.write(t, repo, "main")
	}
	v := verifier{t, openStore(t, func(o *Options) { o.Clock = clocks.NewFakeClock(made.Add(time.Hour)) }), Repository{URL: repo.URL}, keyring(t, alice, bob)}
	only := strict(keyID(alice))

	root := commit(byAlice, "root")
	second := commit(byAlice, "second", root)
	v.check("all are signed", second, "main", only)

	gap := commit(nil, "unsigned", second)
	after := commit(byAlice, "after", gap)
	found := v.check("one is not", after, "main", only, SignatureAbsent)
	if len(found) == 1 && !strings.Contains(found[0].Object, gap[:12]) {
		t.Errorf("got %v, want it to name %s", found, gap[:12])
	}
	v.check("the head is", after, "main", head(keyID(alice)))
	forged := commit(nil, sealed, after)
	v.check("an unsigned seal", commit(byAlice, "after", forged), "main", only, SignatureAbsent, SignatureAbsent)
	foreign := commit(byBob, sealed, after)
	v.check("a seal of a key that is not listed", commit(byAlice, "after", foreign), "main", only, SignatureNotAllowed, SignatureAbsent)
	quoted := commit(byAlice, sealed+"\n\nThat is how one would write it.", after)
	v.check("a seal that is only told of", commit(byAlice, "after", quoted), "main", only, SignatureAbsent)

	seal := commit(byAlice, sealed, after)
	later := commit(byAlice, "later", seal)
	v.check("a seal", later, "main", only)
	v.check("the seal itself", seal, "main", only)

	// A branch that began before the seal comes in after it: its start is an ancestor of the seal.
	side := commit(byAlice, "side", gap)
	merge := commit(byAlice, "merge", later, side)
	v.check("a branch from before the seal", merge, "main", only)
	bare := commit(nil, "side without signature", gap)
	v.check("an unsigned branch", commit(byAlice, "merge", later, bare), "main", only, SignatureAbsent)

	long := later
	for range maxFailures + 5 {
		long = commit(nil, "unsigned", long)
	}
	err := v.s.Verify(t.Context(), v.r, long, Revision{Name: "main"}, only, v.keys)
	var all *SignatureError
	if !errors.As(err, &all) || len(all.Failures) != maxFailures || all.More != 5 {
		t.Errorf("many failures: %v", err)
	}
	byKey := later
	for range 5 {
		byKey = commit(byBob, "by Bob", byKey)
	}
	err = v.s.Verify(t.Context(), v.r, byKey, Revision{Name: "main"}, only, v.keys)
	if !errors.As(err, &all) || len(all.Failures) != 1 || all.More != 4 {
		t.Errorf("many failures of one key: %v", err)
	}
}

func TestVerifyFetchesOnlyWhatIsNew(t *testing.T) {
	made := time.Unix(1_700_000_000, 0)
	alice := pgpKey(t, "Alice", made, 0)
	server := gitserver.New(t, gitserver.Options{})
	repo := server.Repo(t, "config")
	tip := ""
	commit := func() string {
		d := draft{when: made, message: tip, sign: pgpSign(t, alice, at(made))}
		if tip != "" {
			d.parents = []string{tip}
		}
		tip = d.write(t, repo, "main")
		return tip
	}
	for range 20 {
		commit()
	}
	s := openStore(t, func(o *Options) { o.Clock = clocks.NewFakeClock(made.Add(time.Hour)) })
	v := verifier{t, s, Repository{URL: repo.URL}, keyring(t, alice)}
	v.check("at first", tip, "main", strict(keyID(alice)))
	server.ResetCounts()
	v.check("again", tip, "main", strict(keyID(alice)))
	v.check("with another policy", tip, "main", strict(keyID(alice), "x"))
	if got := server.Counts().Fetch; got != 0 {
		t.Errorf("%d fetches for what is there", got)
	}
	v.check("one more", commit(), "main", strict(keyID(alice)))
	if got := server.Counts().Fetch; got > 2 {
		t.Errorf("%d fetches for one more commit", got)
	}
	server.Misbehave(gitserver.Fail)
	v.check("what is there, while the server fails", tip, "main", strict(keyID(alice)))
	gone := draft{when: made, message: "x", parents: []string{tip}}.write(t, repo, "main")
	if err := s.Verify(t.Context(), v.r, gone, Revision{Name: "HEAD"}, strict(keyID(alice)), v.keys); !Unreachable(err) {
		t.Errorf("what is not: %v", err)
	}
}

func TestVerifyWhatGitAndGPGMake(t *testing.T) {
	w := newWorkplace(t, "gpg", "gpgconf")
	gpg := func(args ...string) string {
		return w.run("gpg", append([]string{"--batch", "--pinentry-mode", "loopback", "--passphrase", ""}, args...)...)
	}
	gpg("--quick-gen-key", "Alice <alice@example.com>", "ed25519", "cert", "never")
	primary := fingerprints(gpg("--with-colons", "--list-keys"))[0]
	gpg("--quick-add-key", primary, "rsa2048", "sign", "never")
	sub := fingerprints(gpg("--with-colons", "--list-keys"))[1]
	w.run("git", "config", "user.signingkey", sub+"!")
	server := gitserver.New(t, gitserver.Options{})
	repo := server.Repo(t, "config")
	signed := w.commit(repo, "-S", "-m", "signed")
	w.run("git", "tag", "-s", "-m", "release", "v1")
	second := w.commit(repo, "-S", "-m", "seal", "--trailer", "Argocd-gpg-seal: all is well")
	unsigned := w.commit(repo, "-m", "unsigned")

	id := primary[len(primary)-16:]
	keys, problems := ParseKeyring(map[string]string{id: gpg("--armor", "--export", primary)})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	v := verifier{t, openStore(t, nil), Repository{URL: repo.URL}, keys}
	for _, name := range []string{id, primary, sub[len(sub)-16:], sub} {
		v.check("a commit, listed as "+name, signed, signed, head(name))
		v.check("a tag, listed as "+name, signed, "v1", head(name))
		v.check("a sealed history, listed as "+name, second, second, strict(name))
	}
	v.check("unsigned", unsigned, unsigned, head(id), SignatureAbsent)
	v.check("a history with one that is not", unsigned, "", strict(id), SignatureAbsent)
}

// fingerprints reads them from gpg's listing.
func fingerprints(listing string) []string {
	var out []string
	for line := range strings.Lines(listing) {
		if fields := strings.Split(line, ":"); fields[0] == "fpr" {
			out = append(out, fields[9])
		}
	}
	return out
}
