// SPDX-License-Identifier: Apache-2.0

import type { Node } from '../api'
import { compare } from './forest'
import { trouble } from './trouble'

/** A line of the list: an object, or the head of a group. */
export type Line = { is: 'object'; node: Node } | { is: 'head'; value: string; count: number; folded: boolean }

export const columns = ['kind', 'name', 'namespace', 'sync', 'health', 'wave', 'differs', 'created'] as const
export type Column = (typeof columns)[number]

export const groupings = ['kind', 'namespace', 'health', 'sync'] as const
export type Grouping = (typeof groupings)[number]

/** How the list is arranged. Without a column the worst is first. */
export interface Arrangement {
  by: Column | undefined
  falling: boolean
  group: Grouping | undefined
  folded: string[]
}

/** How the address arranges the list. */
export function arrangementIn(query: URLSearchParams): Arrangement {
  const sort = query.get('sort') ?? ''
  const by = columns.find((column) => column === sort.replace(/^-/, ''))
  const group = groupings.find((one) => one === query.get('group'))
  return { by, falling: sort.startsWith('-'), group, folded: query.getAll('folded') }
}

/** What the address says after a press on the head of a column: rising, then falling, then as it was at first. */
export function nextSort(now: Arrangement, column: Column): string | undefined {
  if (now.by !== column) return column
  return now.falling ? undefined : `-${column}`
}

/** The lines of the list in their order. */
export function linesOf(nodes: Node[], how: Arrangement): Line[] {
  const sorted = [...nodes].sort(order(how))
  if (!how.group) return sorted.map((node) => ({ is: 'object', node }))
  const groups = new Map<string, Node[]>()
  for (const node of sorted) {
    const value = groupOf(node, how.group)
    const group = groups.get(value)
    if (group) group.push(node)
    else groups.set(value, [node])
  }
  const out: Line[] = []
  for (const value of inOrder([...groups.keys()], how.group)) {
    const group = groups.get(value)!
    const folded = how.folded.includes(value)
    out.push({ is: 'head', value, count: group.length, folded })
    if (!folded) out.push(...group.map((node) => ({ is: 'object' as const, node })))
  }
  return out
}

const healths = ['Degraded', 'Missing', 'Unknown', 'Suspended', 'Progressing', 'Healthy', '']
const syncs = ['OutOfSync', 'Unknown', 'Synced', '']

/** Groups by name, and those of a state in the order of how much they ask to be looked at. */
function inOrder(values: string[], group: Grouping): string[] {
  const ranks = group === 'health' ? healths : group === 'sync' ? syncs : undefined
  if (ranks) return values.sort((a, b) => ranks.indexOf(a) - ranks.indexOf(b))
  return values.sort(compare)
}

function groupOf(node: Node, by: Grouping): string {
  if (by === 'health') return node.health?.status ?? ''
  return node[by] ?? ''
}

function order(how: Arrangement): (a: Node, b: Node) => number {
  const { by } = how
  const named = (a: Node, b: Node) => compare(a.kind, b.kind) || compare(a.name, b.name)
  if (!by)
    return (a, b) => trouble(b) - trouble(a) || Number(b.managed ?? false) - Number(a.managed ?? false) || named(a, b)
  const sign = how.falling ? -1 : 1
  return (a, b) => sign * differ(a, b, by) || named(a, b)
}

function differ(a: Node, b: Node, by: Column): number {
  switch (by) {
    case 'wave':
    case 'differs':
      return (a[by] ?? 0) - (b[by] ?? 0)
    case 'created': // the youngest first, as ages rise
      return Date.parse(b.created ?? '') - Date.parse(a.created ?? '') || 0
    case 'health':
      return healths.indexOf(a.health?.status ?? '') - healths.indexOf(b.health?.status ?? '')
    case 'sync':
      return syncs.indexOf(a.sync ?? '') - syncs.indexOf(b.sync ?? '')
    default:
      return compare(a[by] ?? '', b[by] ?? '')
  }
}
