// SPDX-License-Identifier: Apache-2.0

// A certified OpenID provider on a free port of 127.0.0.1, for tests. The variable IDP_CONFIG is JSON: clients, as oidc-provider takes
// them; people, from the name one signs in with to claims; pkce, whether clients have to use it. The first line of the output is
// the issuer. It ends when its input does.
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const { clients, people, pkce = true } = JSON.parse(process.env.IDP_CONFIG);
const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients,
    scopes: ['openid', 'offline_access', 'profile', 'email', 'groups'],
    claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email', 'email_verified'], groups: ['groups'] },
    conformIdTokenClaims: false,
    pkce: { required: () => pkce },
    issueRefreshToken: async () => true,
    features: { devInteractions: { enabled: true }, claimsParameter: { enabled: true } },
    findAccount: async (_, id) => people[id] && { accountId: id, claims: async () => ({ sub: id, ...people[id] }) },
    cookies: { keys: ['only for tests'] },
    ttl: { IdToken: 3600, AccessToken: 3600 },
  });
  server.on('request', provider.callback());
  console.log(issuer);
});
process.stdin.resume().on('end', () => process.exit(0));
