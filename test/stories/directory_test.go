// SPDX-License-Identifier: Apache-2.0

package stories

import (
	"encoding/json"

	"github.com/rogpeppe/go-internal/testscript"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bowline-cd/bowline/test/idp"
)

// directory starts an LDAP server with alice, of the group platform, and lets people sign in with it: url and dex.config of
// argocd-cm, the password that searches in argocd-secret. Their passwords are $ALICE and $BOB.
// directory [@name]
func directory(ts *testscript.TestScript, neg bool, args []string) {
	s := of(ts)
	p, args := s.addressed(ts, args)
	if neg || len(args) != 0 {
		ts.Fatalf("usage: directory [@name]")
	}
	dir := idp.StartLDAP(s.tb, idp.People)
	dex := `
connectors:
- type: ldap
  id: dir
  name: The directory
  config:
    host: ` + dir.Plain + `
    startTLS: true
    rootCA: ` + dir.Authority + `
    bindDN: ` + idp.LDAPBindDN + `
    bindPW: $dex.ldap.bindPW
    userSearch: {baseDN: "ou=people,` + idp.LDAPBase + `", username: uid, idAttr: uid, emailAttr: mail, nameAttr: cn, preferredUsernameAttr: uid}
    groupSearch: {baseDN: "ou=groups,` + idp.LDAPBase + `", nameAttr: cn, userMatchers: [{userAttr: DN, groupAttr: member}]}
`
	for _, change := range []struct {
		kind, name, field string
		values            map[string]string
	}{
		{"secret", "argocd-secret", "stringData", map[string]string{"dex.ldap.bindPW": idp.LDAPPassword}},
		{"configmap", "argocd-cm", "data", map[string]string{"url": "http://" + p.address, "dex.config": dex}},
	} {
		body, err := json.Marshal(map[string]any{change.field: change.values})
		ts.Check(err)
		ts.Check(s.patch(s.target(ts, change.kind, ts.Getenv("CD")+"/"+change.name), types.MergePatchType, string(body), "story"))
	}
	ts.Setenv("ALICE", idp.AlicePassword)
	ts.Setenv("BOB", idp.BobPassword)
}
