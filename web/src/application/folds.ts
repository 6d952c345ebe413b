// SPDX-License-Identifier: Apache-2.0

import type { QueryChange } from '../route/query'
import type { Folds } from './forest'

/** What the address says is folded. */
export function foldsIn(query: URLSearchParams): Folds {
  const mode = query.get('fold')
  return {
    mode: mode === 'all' || mode === 'none' ? mode : 'calm',
    open: new Set(query.getAll('open')),
    shut: new Set(query.getAll('shut')),
  }
}

/** How many folds by hand an address holds: the oldest are forgotten, or it would grow too long to be shared. */
const most = 40

/** The change of the address that folds an item or unfolds it. */
export function withFold(query: URLSearchParams, id: string, shut: boolean): QueryChange {
  const without = (name: string) => query.getAll(name).filter((one) => one !== id)
  const [open, shuts] = [without('open'), without('shut')]
  ;(shut ? shuts : open).push(id)
  return { open: open.slice(-most), shut: shuts.slice(-most) }
}
