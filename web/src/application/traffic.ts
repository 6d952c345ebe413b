// SPDX-License-Identifier: Apache-2.0

import type { Node } from '../api'
import { compare } from './forest'
import { isPod, ownersOf } from './owners'
import { trouble } from './trouble'

/** A place that traffic passes: an entrance, a service, or the pods of an owner. */
export interface Stop {
  id: string
  node: Node
  /** The pods behind it, the worst first; only for the ends of the way. */
  pods: Node[]
  /** How it is reached from outside. */
  addresses: string[]
  column: number
  x: number
  y: number
  height: number
  /** What to know of it: that nothing is behind it. */
  warning: string
}

export interface Traffic {
  stops: Stop[]
  ways: { from: Stop; to: Stop }[]
  width: number
  height: number
}

export const stopWidth = 264
const pitch = 344
const margin = 20
const gap = 12
const tilesInRow = 8
const tile = 30
export const mostTiles = 40
export const mostAddresses = 4

/** The ways of traffic through an application: from entrances to services to pods, as they name each other. */
export function trafficOf(nodes: Node[]): Traffic {
  const byID = new Map(nodes.map((node) => [node.id, node]))
  const stops = new Map<string, Stop>()
  const stop = (node: Node, id = node.id) => {
    const found = stops.get(id) ?? newStop(node, id)
    stops.set(id, found)
    return found
  }
  const ways = new Map<string, { from: Stop; to: Stop }>()
  const join = (from: Stop, to: Stop) => ways.set(`${from.id} ${to.id}`, { from, to })
  const met = new Set<string>() // a pod may be behind several services
  const pods = nodes.filter(isPod)
  const ownerOf = ownersOf(nodes)
  for (const node of nodes) {
    const { targetRefs, targetLabels } = node.network ?? {}
    for (const ref of targetRefs ?? []) {
      const target = byID.get(`${ref.group ?? ''}/${ref.kind ?? ''}/${ref.namespace ?? ''}/${ref.name ?? ''}`)
      if (target && target.id !== node.id) join(stop(node), stop(target))
      else stop(node)
    }
    if (isPod(node) || Object.keys(targetLabels ?? {}).length === 0) continue
    for (const pod of pods) {
      if (pod.namespace !== node.namespace || !answers(pod, targetLabels!)) continue
      const owner = ownerOf(pod)
      const end = stop(owner, `pods of ${owner.id}`)
      if (!met.has(`${end.id} ${pod.id}`)) end.pods.push(pod)
      met.add(`${end.id} ${pod.id}`)
      join(stop(node), end)
    }
    stop(node)
  }
  const all = [...stops.values()]
  const list = [...ways.values()]
  return placed(all, list)
}

function newStop(node: Node, id: string): Stop {
  const { ingress, externalURLs } = node.network ?? {}
  const hosts = (ingress ?? []).flatMap((one) => one.hostname || one.ip || [])
  const addresses = externalURLs?.length ? externalURLs : hosts
  return { id, node, pods: [], addresses: [...addresses], column: 0, x: 0, y: 0, height: 0, warning: '' }
}

function answers(pod: Node, wanted: Record<string, string>): boolean {
  const labels = pod.network?.labels ?? {}
  return Object.entries(wanted).every(([name, value]) => labels[name] === value)
}

function placed(stops: Stop[], ways: Traffic['ways']): Traffic {
  // The column is the longest way to a stop. Ways in a circle end after as many turns as there are stops.
  for (let turn = 0, moved = true; moved && turn < Math.min(stops.length, 8); turn++) {
    moved = false
    for (const { from, to } of ways) {
      if (to.column > from.column) continue
      to.column = from.column + 1
      moved = true
    }
  }
  // Where nothing leads in from outside, services begin in the second column all the same: columns mean something.
  const entrances = stops.some((stop) => stop.column === 0 && stop.node.network?.targetRefs?.length)
  if (entrances)
    for (const stop of stops) if (stop.column === 0 && !stop.node.network?.targetRefs?.length) shift(stop, ways)
  for (const stop of stops) {
    stop.pods.sort((a, b) => trouble(b) - trouble(a) || compare(a.name, b.name))
    const leads = ways.some((way) => way.from === stop)
    if (stop.pods.length === 0 && !leads)
      stop.warning = stop.node.network?.targetRefs ? 'leads nowhere' : 'no pods behind it'
    stop.height = heightOf(stop)
  }
  return arranged(stops, ways)
}

function shift(stop: Stop, ways: Traffic['ways']) {
  stop.column = 1
  for (const way of ways) if (way.from === stop) way.to.column = Math.max(way.to.column, 2)
}

function heightOf(stop: Stop): number {
  const rows = Math.ceil(Math.min(stop.pods.length, mostTiles) / tilesInRow)
  const lines = Math.min(stop.addresses.length, mostAddresses) + (stop.warning ? 1 : 0)
  return 48 + lines * 20 + (rows > 0 ? rows * tile + 10 : 0) + (stop.pods.length > mostTiles ? 20 : 0)
}

/** Stacks the stops of each column, each as near as can be to those that lead to it. */
function arranged(stops: Stop[], ways: Traffic['ways']): Traffic {
  let width = 0
  let height = 0
  const columns = Math.max(-1, ...stops.map((stop) => stop.column))
  for (let column = 0; column <= columns; column++) {
    const here = stops.filter((stop) => stop.column === column)
    const pull = new Map(here.map((stop) => [stop, pullOf(stop, ways)]))
    here.sort(
      (a, b) => pull.get(a)! - pull.get(b)! || trouble(b.node) - trouble(a.node) || compare(a.node.name, b.node.name),
    )
    let y = margin
    for (const stop of here) {
      stop.x = margin + column * pitch
      stop.y = y
      y += stop.height + gap
      width = Math.max(width, stop.x + stopWidth + margin)
    }
    height = Math.max(height, y - gap + margin)
  }
  return { stops, ways, width, height }
}

function pullOf(stop: Stop, ways: Traffic['ways']): number {
  const from = ways.filter((way) => way.to === stop).map((way) => way.from.y)
  return from.length === 0 ? Number.MAX_SAFE_INTEGER : from.reduce((sum, y) => sum + y, 0) / from.length
}
