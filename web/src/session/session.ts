// SPDX-License-Identifier: Apache-2.0

import { signal } from '@preact/signals'
import { address, call } from '../api/call'
import { type ApiError, errorOf } from '../api/error'
import type { components } from '../api/schema'
import { session, signedOut } from './signal'

type Schemas = components['schemas']
export type Settings = Schemas['rpc.cluster.Settings']

/** What the server says of itself, also to who is not signed in. */
export const settings = signal<Settings | undefined>(undefined)

/** Why it is not known who is signed in. */
export const unreachable = signal<ApiError | undefined>(undefined)

/** How often it is asked whether the session goes on. Each call renews a session that ends soon. */
const lookEvery = 4 * 60_000

/** Learns who is signed in, and goes on looking while the page is looked at. */
export function begin() {
  void learn()
  setInterval(() => {
    if (!document.hidden && session.value.is === 'in') void learn()
  }, lookEvery)
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) void learn()
  })
}

/** Asks who is signed in, and what the server says of itself. */
export async function learn() {
  try {
    const [user, said] = await Promise.all([
      call('get', '/api/v1/session/userinfo', {}),
      call('get', '/api/v1/settings', {}),
    ])
    settings.value = said
    unreachable.value = undefined
    session.value = user.loggedIn
      ? { is: 'in', username: user.username ?? '', issuer: user.iss ?? '', groups: user.groups ?? [] }
      : { is: 'out' }
  } catch (thrown) {
    unreachable.value = errorOf(thrown)
    // Who was signed in a moment ago goes on looking at what is known.
    if (session.value.is === 'unknown') session.value = { is: 'out' }
  }
}

/** Signs in with a name and a password. */
export async function signIn(username: string, password: string) {
  await call('post', '/api/v1/session', { body: { username, password } })
  await learn()
}

/** Who issued the sessions of local accounts; sessions of others end at their identity provider, too. */
const local = 'argocd'

/** Ends the session here, or all sessions of the caller everywhere. */
export async function signOut(everywhere = false) {
  const elsewhere = session.value.is === 'in' && session.value.issuer !== local && session.value.issuer !== ''
  if (everywhere) await call('delete', '/api/bowline/v1/sessions', {})
  else if (!elsewhere) await call('delete', '/api/v1/session', {})
  if (elsewhere) location.assign(address('/auth/logout', {}))
  else signedOut()
}
