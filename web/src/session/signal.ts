// SPDX-License-Identifier: Apache-2.0

import { signal } from '@preact/signals'

/** Who is signed in, as far as is known. */
export type Session =
  | { is: 'unknown' }
  | { is: 'out' }
  | { is: 'in'; username: string; issuer: string; groups: string[] }

export const session = signal<Session>({ is: 'unknown' })

/** Takes notice that the session ended. What is shown stays in the address: signing in comes back to it. */
export function signedOut() {
  session.value = { is: 'out' }
}
