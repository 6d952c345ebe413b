// SPDX-License-Identifier: Apache-2.0

import type { Node } from '../api'
import { compare } from './forest'
import type { Host } from './live'
import { fact, trouble } from './trouble'

/** Pods that belong together: on a machine, or of an owner. */
export interface PodGroup {
  key: string
  title: string
  host: Host | undefined
  /** The worst first. */
  pods: Node[]
}

/** Finds what an object came of in the end: the uppermost object above it that is there, or itself. */
export function ownersOf(nodes: Node[]): (node: Node) => Node {
  const byID = new Map(nodes.map((node) => [node.id, node]))
  const known = new Map<string, Node>()
  return (node) => {
    const way = new Set<string>()
    let at = node
    for (;;) {
      const top = known.get(at.id)
      if (top) at = top
      way.add(at.id)
      const parent = at.parents?.map((id) => byID.get(id)).find((above) => above && !way.has(above.id))
      if (!parent) break
      at = parent
    }
    for (const id of way) known.set(id, at)
    return at
  }
}

export function isPod(node: Node): boolean {
  return node.kind === 'Pod' && !node.group
}

/** The pods of an application by the machine they run on, or by what they came of; groups with trouble first. */
export function podGroups(nodes: Node[], hosts: Host[], by: 'host' | 'owner'): PodGroup[] {
  const groups = new Map<string, PodGroup>()
  const group = (key: string, title: string, host?: Host) => {
    const found = groups.get(key) ?? { key, title, host, pods: [] }
    groups.set(key, found)
    return found
  }
  if (by === 'host') for (const host of hosts) group(host.name ?? '', host.name ?? '', host)
  const ownerOf = ownersOf(nodes)
  for (const node of nodes) {
    if (!isPod(node)) continue
    const machine = fact(node, 'Node')
    const owner = ownerOf(node)
    const into =
      by === 'host' ? group(machine, machine || 'On no machine yet') : group(owner.id, `${owner.kind} ${owner.name}`)
    into.pods.push(node)
  }
  for (const one of groups.values()) one.pods.sort((a, b) => trouble(b) - trouble(a) || compare(a.name, b.name))
  const all = [...groups.values()]
  const worst = (one: PodGroup) => (one.pods[0] ? trouble(one.pods[0]) : 0)
  // Machines stay where they are: one looks for them by name.
  return all.sort((a, b) => (by === 'host' ? 0 : worst(b) - worst(a)) || compare(a.title, b.title))
}

/** A part of what a machine has. */
export interface Load {
  name: string
  /** Of all, by this application and by others, each from 0 to 1. */
  mine: number
  others: number
  text: string
}

/** How much of a machine is asked for, by this application and by the rest. Amounts come in thousandths of the unit. */
export function loadOf(host: Host): Load[] {
  return (host.resourcesInfo ?? []).flatMap((one) => {
    const { resourceName: name = '', capacity = 0, requestedByApp: mine = 0, requestedByNeighbors: others = 0 } = one
    if (capacity <= 0) return []
    const say = (amount: number) => amountOf(name, amount)
    return [
      {
        name,
        mine: mine / capacity,
        others: others / capacity,
        text: `${say(mine)} by this application and ${say(others)} by others, of ${say(capacity)}`,
      },
    ]
  })
}

function amountOf(resource: string, thousandths: number): string {
  if (resource === 'cpu') return thousandths < 10_000 ? `${thousandths}m` : `${Math.round(thousandths / 1000)}`
  let amount = thousandths / 1000
  if (resource !== 'memory' && !resource.includes('storage')) return `${Math.round(amount)}`
  let unit = 0
  while (amount >= 1024 && unit < 5) {
    amount /= 1024
    unit++
  }
  return `${amount < 10 && unit > 0 ? amount.toFixed(1) : Math.round(amount)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'][unit]}`
}
