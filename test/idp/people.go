// SPDX-License-Identifier: Apache-2.0

package idp

// Alice and Bob in a directory: Alice is in the group platform, which is in the group everybody; Bob is in no group.
const (
	AlicePassword = "alice-has-a-password"
	BobPassword   = "bob-has-another"
	People        = `dn: ou=people,` + LDAPBase + `
objectClass: organizationalUnit
ou: people

dn: uid=alice,ou=people,` + LDAPBase + `
objectClass: inetOrgPerson
uid: alice
cn: Alice Liddell
sn: Liddell
mail: alice@example.org
userPassword: ` + AlicePassword + `

dn: uid=bob,ou=people,` + LDAPBase + `
objectClass: inetOrgPerson
uid: bob
cn: Bob (the builder)
sn: Builder
mail: bob@example.org
userPassword: ` + BobPassword + `

dn: ou=groups,` + LDAPBase + `
objectClass: organizationalUnit
ou: groups

dn: cn=platform,ou=groups,` + LDAPBase + `
objectClass: groupOfNames
cn: platform
member: uid=alice,ou=people,` + LDAPBase + `

dn: cn=everybody,ou=groups,` + LDAPBase + `
objectClass: groupOfNames
cn: everybody
member: cn=platform,ou=groups,` + LDAPBase + `
member: cn=everybody,ou=groups,` + LDAPBase + `
`
)
