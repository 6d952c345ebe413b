// SPDX-License-Identifier: Apache-2.0

import type { Node } from '../api'

/** Which objects are looked for. */
export interface Chosen {
  text: string
  kinds: string[]
  healths: string[]
  syncs: string[]
  /** Whether objects are shown that belong to no application. */
  orphans: boolean
  /** Whether anything is asked of the objects at all. */
  some: boolean
}

/** What the address of the page chooses. */
export function chosenIn(query: URLSearchParams): Chosen {
  const text = (query.get('q') ?? '').trim().toLowerCase()
  const kinds = query.getAll('kind')
  const healths = query.getAll('health')
  const syncs = query.getAll('sync')
  return {
    text,
    kinds,
    healths,
    syncs,
    orphans: query.get('orphans') === '1',
    some: text !== '' || kinds.length + healths.length + syncs.length > 0,
  }
}

/** Whether an object answers what is looked for. Every word has to be in its kind, name, namespace or images. */
export function matches(node: Node, chosen: Chosen): boolean {
  if (chosen.kinds.length > 0 && !chosen.kinds.includes(node.kind)) return false
  if (chosen.healths.length > 0 && !chosen.healths.includes(node.health?.status ?? '')) return false
  if (chosen.syncs.length > 0 && !chosen.syncs.includes(node.sync ?? '')) return false
  if (chosen.text === '') return true
  const text = `${node.kind} ${node.namespace ?? ''}/${node.name} ${(node.images ?? []).join(' ')}`.toLowerCase()
  return chosen.text.split(/\s+/).every((word) => text.includes(word))
}

/** The objects that answer. */
export function found(nodes: Node[], chosen: Chosen): Node[] {
  return nodes.filter((node) => (chosen.orphans || !node.orphan) && matches(node, chosen))
}

export interface Count {
  value: string
  count: number
}

/** How many objects there are of each kind, health and sync status, most first; healths and syncs in the order of urgency. */
export function countsOf(nodes: Node[]): { kinds: Count[]; healths: Count[]; syncs: Count[]; orphans: number } {
  const kinds = new Map<string, number>()
  const healths = new Map<string, number>()
  const syncs = new Map<string, number>()
  let orphans = 0
  for (const node of nodes) {
    if (node.orphan) orphans++
    add(kinds, node.kind)
    add(healths, node.health?.status)
    add(syncs, node.sync)
  }
  return {
    kinds: [...kinds]
      .map(([value, count]) => ({ value, count }))
      .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1)),
    healths: inOrder(healths, ['Degraded', 'Missing', 'Unknown', 'Suspended', 'Progressing', 'Healthy']),
    syncs: inOrder(syncs, ['OutOfSync', 'Unknown', 'Synced']),
    orphans,
  }
}

function add(counts: Map<string, number>, value: string | undefined) {
  if (value) counts.set(value, (counts.get(value) ?? 0) + 1)
}

function inOrder(counts: Map<string, number>, order: string[]): Count[] {
  return order.flatMap((value) => (counts.has(value) ? [{ value, count: counts.get(value)! }] : []))
}
