// SPDX-License-Identifier: Apache-2.0

import type { Node, Row } from '../api'
import { fact } from './trouble'

/** An object that is why an application asks for something, and where of its panel that is seen. */
export interface Culprit {
  id: string
  label: string
  panel: 'diff' | undefined
}

/** The objects behind what a row says: of what is ill those below which nothing is, Pods before others. */
export function culprits(row: Row, nodes: readonly Node[]): Culprit[] {
  if (row.attention === 'drifting') {
    return nodes.filter((node) => node.sync === 'OutOfSync').map((node) => culprit(node, 'diff'))
  }
  const ill = (row.attention === 'broken' || row.attention === 'waiting') && !row.held ? row.health : ''
  if (ill !== 'Degraded' && ill !== 'Suspended') return []
  const found = nodes.filter((node) => node.health?.status === ill)
  const above = aboveOf(found, nodes)
  return found
    .filter((node) => !above.has(node.id))
    .sort((a, b) => Number(b.kind === 'Pod') - Number(a.kind === 'Pod'))
    .map((node) => culprit(node, undefined))
}

/** The IDs of all that some objects hang below, however far up. */
function aboveOf(some: readonly Node[], all: readonly Node[]): Set<string> {
  const parents = new Map(all.map((node) => [node.id, node.parents ?? []]))
  const above = new Set<string>()
  const climb = (id: string) => {
    for (const parent of parents.get(id) ?? []) {
      if (above.has(parent)) continue
      above.add(parent)
      climb(parent)
    }
  }
  for (const node of some) climb(node.id)
  return above
}

function culprit(node: Node, panel: Culprit['panel']): Culprit {
  const reason = fact(node, 'Status Reason')
  return { id: node.id, label: `${node.kind} ${node.name}${reason && `: ${reason}`}`, panel }
}
