// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { ssoLabel } from './sso'

test.each([
  [undefined, undefined],
  [{}, undefined],
  [
    { oidcConfig: { name: 'Okta', issuer: 'https://okta' }, dexConfig: { connectors: [{ id: 'ldap' }] } },
    'Sign in with Okta',
  ],
  [{ dexConfig: { connectors: [{ id: 'ldap', name: 'Staff' }] } }, 'Sign in with Staff'],
  [{ dexConfig: { connectors: [{ id: 'ldap' }, { id: 'github' }] } }, 'Sign in with single sign-on'],
  [{ uiLoginButtonText: 'Company login', dexConfig: { connectors: [{ id: 'saml' }] } }, 'Company login'],
])('what %j offers is %j', (said, want) => {
  expect(ssoLabel(said)).toBe(want)
})
