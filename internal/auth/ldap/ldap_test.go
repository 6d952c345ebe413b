// SPDX-License-Identifier: Apache-2.0

package ldap_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/internal/auth/connector"
	"github.com/bowline-cd/bowline/internal/auth/ldap"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/test/idp"
)

const searches = `
bindDN: ` + idp.LDAPBindDN + `
bindPW: ` + idp.LDAPPassword + `
userSearch:
  baseDN: ou=people,` + idp.LDAPBase + `
  filter: (objectClass=inetOrgPerson)
  username: uid
  idAttr: uid
  emailAttr: mail
  nameAttr: cn
  preferredUsernameAttr: uid
groupSearch:
  baseDN: ou=groups,` + idp.LDAPBase + `
  filter: (objectClass=groupOfNames)
  userMatchers:
  - userAttr: DN
    groupAttr: member
  nameAttr: cn
`

func block(t *testing.T, config string) connector.Block {
	t.Helper()
	data, err := yaml.YAMLToJSON([]byte(config))
	if err != nil {
		t.Fatal(err)
	}
	return connector.Block{Type: "ldap", ID: "dir", Config: data}
}

func open(t *testing.T, config string) *ldap.Connector {
	t.Helper()
	c, err := ldap.Open(block(t, config))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestPeopleSignInAtARealDirectory(t *testing.T) {
	dir := idp.StartLDAP(t, idp.People)
	authority, err := os.ReadFile(dir.Authority)
	if err != nil {
		t.Fatal(err)
	}
	inline := base64.StdEncoding.EncodeToString(authority)
	for name, way := range map[string]string{
		"in the clear":       "host: " + dir.Plain + "\ninsecureNoSSL: true",
		"StartTLS":           "host: " + dir.Plain + "\nstartTLS: true\nrootCA: " + dir.Authority,
		"TLS, authority":     "host: " + dir.TLS + "\nrootCAData: " + inline,
		"TLS without checks": "host: " + dir.TLS + "\ninsecureSkipVerify: true",
	} {
		t.Run(name, func(t *testing.T) {
			who, err := open(t, way+searches).Login(t.Context(), "alice", idp.AlicePassword)
			if err != nil {
				t.Fatal(err)
			}
			if who.UserID != "alice" || who.Email != "alice@example.org" || who.Name != "Alice Liddell" || who.PreferredUsername != "alice" {
				t.Errorf("the identity is %+v", who)
			}
			if !slices.Equal(who.Groups, []string{"platform"}) {
				t.Errorf("the groups are %v, want platform alone", who.Groups)
			}
		})
	}
	t.Run("a certificate of nobody known", func(t *testing.T) {
		for _, way := range []string{"host: " + dir.TLS, "host: " + dir.Plain + "\nstartTLS: true"} {
			if _, err := open(t, way+searches).Login(t.Context(), "alice", idp.AlicePassword); err == nil || errors.Is(err, connector.ErrWrong) || !strings.Contains(err.Error(), "certificate") {
				t.Errorf("the error is %v, want one about the certificate", err)
			}
		}
	})
}

func TestWhatIsTypedCannotReachBeyondTheName(t *testing.T) {
	dir := idp.StartLDAP(t, idp.People)
	c := open(t, "host: "+dir.Plain+"\ninsecureNoSSL: true"+searches)
	for _, try := range []struct{ name, password string }{
		{"alice", "wrong"}, {"alice", ""}, {"nobody", "wrong"}, {"", ""}, {"", idp.AlicePassword}, {"*", idp.AlicePassword}, {"al*", idp.AlicePassword},
		{"alice)(uid=*", idp.AlicePassword}, {"*)(objectClass=*", idp.AlicePassword}, {"alice\x00", idp.AlicePassword}, {strings.Repeat("a", 100_000), "x"},
		{"uid=alice,ou=people," + idp.LDAPBase, idp.AlicePassword},
	} {
		if who, err := c.Login(t.Context(), try.name, try.password); !errors.Is(err, connector.ErrWrong) {
			t.Errorf("%.40q with %q: %+v, %v; want the error for a wrong password", try.name, try.password, who, err)
		}
	}
	if _, err := c.Login(t.Context(), "bob", idp.BobPassword); err != nil {
		t.Errorf("after all that a person cannot sign in: %v", err)
	}
}

func TestGroupsOfGroupsAreFoundOnce(t *testing.T) {
	dir := idp.StartLDAP(t, idp.People)
	c := open(t, "host: "+dir.Plain+"\ninsecureNoSSL: true"+strings.Replace(searches, "groupAttr: member", "groupAttr: member\n    recursionGroupAttr: DN", 1))
	who, err := c.Login(t.Context(), "alice", idp.AlicePassword)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(who.Groups, []string{"platform", "everybody"}) {
		t.Errorf("the groups are %v, want platform and, of that, everybody", who.Groups)
	}
	if bob, err := c.Login(t.Context(), "bob", idp.BobPassword); err != nil || len(bob.Groups) != 0 {
		t.Errorf("bob's groups are %v, %v; want none", bob.Groups, err)
	}
}

func TestADirectoryIsAskedAgain(t *testing.T) {
	dir := idp.StartLDAP(t, idp.People)
	c := open(t, "host: "+dir.Plain+"\ninsecureNoSSL: true"+searches)
	who, err := c.Login(t.Context(), "alice", idp.AlicePassword)
	if err != nil {
		t.Fatal(err)
	}
	before := who
	before.Groups = nil
	again, err := c.Refresh(t.Context(), before)
	if err != nil || !slices.Equal(again.Groups, []string{"platform"}) {
		t.Errorf("asked again: %+v, %v; want the groups of now", again, err)
	}
	other := before
	other.Memory = []byte(`{"username":"bob","dn":"uid=alice,ou=people,` + idp.LDAPBase + `"}`)
	if _, err := c.Refresh(t.Context(), other); err == nil {
		t.Error("another entry under the same name is taken for the same person")
	}
}

func TestManySignInAtOnceAndADirectoryThatIsAwaySaysSo(t *testing.T) {
	dir := idp.StartLDAP(t, idp.People)
	c := open(t, "host: "+dir.Plain+"\ninsecureNoSSL: true"+searches)
	var wg sync.WaitGroup
	failures := make(chan error, 40)
	for i := range 40 {
		wg.Go(func() {
			password, want := idp.AlicePassword, error(nil)
			if i%2 == 1 {
				password, want = "wrong", connector.ErrWrong
			}
			if _, err := c.Login(t.Context(), "alice", password); !errors.Is(err, want) {
				failures <- fmt.Errorf("with %q: %w", password, err)
			}
		})
	}
	wg.Wait()
	close(failures)
	for err := range failures {
		t.Error(err)
	}
	dir.Stop()
	_, err := c.Login(t.Context(), "alice", idp.AlicePassword)
	if err == nil || errors.Is(err, connector.ErrWrong) || !fault.Is(err, fault.Retry) {
		t.Errorf("with the directory away the error is %v; want one to try again after, and not that the password is wrong", err)
	}
}

func TestABrokenServiceAccountIsNotAWrongPassword(t *testing.T) {
	dir := idp.StartLDAP(t, idp.People)
	c := open(t, "host: "+dir.Plain+"\ninsecureNoSSL: true"+strings.Replace(searches, idp.LDAPPassword, "not-the-password", 1))
	_, err := c.Login(t.Context(), "alice", idp.AlicePassword)
	if err == nil || errors.Is(err, connector.ErrWrong) || !strings.Contains(err.Error(), "bindDN") || strings.Contains(err.Error(), "not-the-password") {
		t.Errorf("the error is %v; want one that names bindDN and not the password", err)
	}
}

func TestMistakesInTheSettingsAreNamed(t *testing.T) {
	for config, want := range map[string]string{
		"{}":                                  "config.host",
		"host: x":                             "config.userSearch.baseDN",
		"host: x\nuserSearch: {baseDN: dc=y}": "config.userSearch.username",
		"host: x\nuserSearch: {baseDN: dc=y, username: uid, scope: deep}":        "config.userSearch.scope",
		"host: x\nuserSearch: {baseDN: dc=y, username: uid, filter: '(uid=x'}":   "config.userSearch.filter",
		"host: x\nuserSearch: {baseDN: dc=y, username: uid}\nrootCA: /not/there": "rootCA",
		"host: 3\n": "host is a number and has to be a string",
	} {
		if _, err := ldap.Open(block(t, config)); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), `connector "dir"`) {
			t.Errorf("%q: %v; want an error that names the connector and %s", config, err, want)
		}
	}
}
