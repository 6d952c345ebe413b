// SPDX-License-Identifier: Apache-2.0

package source

import (
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"

	"github.com/bowline-cd/bowline/internal/fault"
)

func TestParseKeyring(t *testing.T) {
	made := time.Unix(1_700_000_000, 0)
	alice, bob := pgpKey(t, "Alice", made, 0), pgpKey(t, "Bob", made, 0)
	var private strings.Builder
	w, err := armor.Encode(&private, openpgp.PrivateKeyType, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := bob.SerializePrivate(w, nil); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	body := private.String()
	good := publicKey(t, alice)
	k, problems := ParseKeyring(map[string]string{
		keyID(alice): good, keyID(bob): body, "0123456789ABCDEF": good, "name": good, "1111111111111111": "nonsense", "2222222222222222": "",
		AllowedSignersKey: "# people\n\nalice@example.com nonsense\n",
	})
	if len(problems) != 6 {
		t.Errorf("%d problems, want 6: %v", len(problems), problems)
	}
	for _, problem := range problems {
		if !fault.Is(problem, fault.Mistake) || !strings.Contains(problem.Error(), GPGKeysConfigMap) {
			t.Errorf("%v does not say where", problem)
		}
		if strings.Contains(problem.Error(), body[100:140]) {
			t.Errorf("%v shows the private key", problem)
		}
	}
	o := signedObject{payload: []byte("x"), signature: []byte(pgpSign(t, alice, at(made))("x"))}
	if by, wrong := k.check(o, made); wrong != nil || by.key != keyID(alice) {
		t.Errorf("the good entry: %v, %+v", by.key, wrong)
	}
	o.signature = []byte(pgpSign(t, bob, at(made))("x"))
	if _, wrong := k.check(o, made); wrong == nil || wrong.state != SignatureUnknown {
		t.Errorf("the private one counts: %+v", wrong)
	}
	other, _ := ParseKeyring(map[string]string{keyID(alice): good + "\n"})
	if other.digest == k.digest {
		t.Error("two keyrings have the same digest")
	}
	if _, problems := ParseKeyring(nil); problems != nil {
		t.Errorf("an empty keyring: %v", problems)
	}
}

func TestKeyOfAnotherIDInTheSameBlockDoesNotCount(t *testing.T) {
	made := time.Unix(1_700_000_000, 0)
	alice, bob := pgpKey(t, "Alice", made, 0), pgpKey(t, "Bob", made, 0)
	k, problems := ParseKeyring(map[string]string{keyID(alice): publicKey(t, bob, alice)})
	if len(problems) > 0 || len(k.keys) != 1 {
		t.Fatalf("%d keys, %v", len(k.keys), problems)
	}
	o := signedObject{payload: []byte("x"), signature: []byte(pgpSign(t, bob, at(made))("x"))}
	if _, wrong := k.check(o, made); wrong == nil {
		t.Error("a key that hides in another's entry counts")
	}
}
