// SPDX-License-Identifier: Apache-2.0

import { signal } from '@preact/signals'
import { call } from '../api'
import type { Order } from './order'
import type { ListQuery } from './question'
import { keyOf } from './store'

/** Names of the applications that something is to be done with: NAMESPACE/NAME. */
export const selection = signal<ReadonlySet<string>>(new Set())

/** Where the selection was changed last: the other end of a range. */
let anchor: string | undefined

/**
 * Selects an application, or not any more. With range everything becomes what it becomes, between it and the one before, as far as
 * the order is known.
 */
export function select(key: string, order: Order, range = false) {
  const next = new Set(selection.value)
  const on = !next.has(key)
  const from = anchor === undefined ? undefined : order.placeOf(anchor)
  const to = order.placeOf(key)
  const keys = range && from !== undefined && to !== undefined ? order.between(from, to) : [key]
  for (const one of keys) {
    if (on) next.add(one)
    else next.delete(one)
  }
  anchor = key
  selection.value = next
}

export function selectNone() {
  anchor = undefined
  selection.value = new Set()
}

/** An application as the API names it. */
export function nameOf(key: string): { namespace: string; name: string } {
  const slash = key.indexOf('/')
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}

const pageSize = 1000

/** Selects everything that a question finds, also what the page was never told of; beside keeps what is selected already. */
export async function selectFound(query: ListQuery, signal: AbortSignal, beside = false) {
  const { group: _, folded: __, ...rest } = query
  const found = new Set<string>(beside ? selection.peek() : [])
  let from = ''
  do {
    const page = await call(
      'get',
      '/api/bowline/v1/applications',
      {
        query: {
          ...rest,
          sort: 'name',
          limit: pageSize,
          continue: from,
          fields: 'items.metadata.name,items.metadata.namespace,metadata.continue',
        },
      },
      signal,
    )
    for (const app of page.items ?? []) {
      found.add(keyOf({ namespace: app.metadata?.namespace ?? '', name: app.metadata?.name ?? '' }))
    }
    from = page.metadata.continue ?? ''
  } while (from !== '')
  selection.value = found
}
