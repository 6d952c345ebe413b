// SPDX-License-Identifier: Apache-2.0

import { type Application, call } from '../api'
import { getApplication } from '../doings/asks'
import type { Target } from '../doings/target'
import { editable, patchOf, same } from './saving'

/** What saving came to: saved, or somebody else changed the application since it was opened. */
export type Saved = { is: 'saved'; app: Application } | { is: 'changed'; latest: Application }

export function create(manifest: object): Promise<Application> {
  return call('post', '/api/v1/applications', { body: manifest as Application })
}

/**
 * Writes what was changed of an application since it was opened as base. Nothing is written if what is to be changed is not as it
 * was then; what was changed beside that is answered too, since it was not seen when this was decided.
 */
export async function save(target: Target, base: Application, manifest: object): Promise<Saved> {
  const latest = await getApplication(target)
  if (!same(editable(latest), editable(base))) return { is: 'changed', latest }
  const patch = patchOf(editable(base), manifest as Record<string, unknown>)
  try {
    const app = await call('patch', '/api/v1/applications/{name}', {
      path: { name: target.name },
      body: { name: target.name, appNamespace: target.namespace, patch: JSON.stringify(patch), patchType: 'json' },
    })
    return { is: 'saved', app }
  } catch (thrown) {
    // Somebody may have been faster since it was looked at: the patch tests what it changes.
    const now = await getApplication(target)
    if (!same(editable(now), editable(base))) return { is: 'changed', latest: now }
    throw thrown
  }
}
