// SPDX-License-Identifier: Apache-2.0

import type { State } from '../api'
import { counted } from './filter'
import { items, type KindState } from './types'

/** What is wrong with Bowline, worst first, each a sentence. None means that nothing is known to be wrong. */
export function troubles(state: State): string[] {
  const out: string[] = []
  for (const [check, text] of Object.entries(state.checks ?? {})) if (text !== 'ok') out.push(`${check}: ${text}`)
  if (!state.leads && !state.observes) out.push(`This process does not act. ${state.because ?? ''}`.trim())
  for (const c of items(state.clusters)) {
    if (!c.connected) out.push(`Cluster ${c.name || c.server} is not connected: ${c.error || 'it was not reached yet'}`)
    else if (c.error) out.push(`Cluster ${c.name || c.server}: ${c.error}`)
    else if (c.unknown > 0)
      out.push(`${counted(c.unknown, 'kind')} of cluster ${c.name || c.server} cannot be looked at`)
  }
  for (const r of items(state.repositories)) out.push(`Repository ${r.repo} cannot be read: ${r.error}`)
  return [...out, ...items(state.settings)]
}

/** Kinds of a cluster, those with errors first, then those that nothing was heard of for longest. */
export function worstFirst(kinds: KindState[]): KindState[] {
  const heard = (k: KindState) => (k.lastEvent ? Date.parse(k.lastEvent) : 0)
  return [...kinds].sort(
    (a, b) =>
      Number(Boolean(b.error)) - Number(Boolean(a.error)) || heard(a) - heard(b) || a.kind.localeCompare(b.kind),
  )
}
