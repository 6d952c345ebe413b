// SPDX-License-Identifier: Apache-2.0

import type { Node } from '../api'
import { type Chosen, matches } from './filter'
import { trouble } from './trouble'

/** Something with a place in the tree: the application, an object, or several objects of a kind under one parent. */
export interface Item {
  id: string
  is: 'application' | 'object' | 'group'
  /** The kind of a group's objects, and how many they are. */
  kind: string
  count: number
  /** The worst trouble in it, of all that hangs below too. */
  trouble: number
  /** Whether something hangs below, and whether it is shown. */
  foldable: boolean
  folded: boolean
  /** How many objects are not shown because it is folded. */
  hidden: number
  /** It is shown only because something below answers the filter. */
  dim: boolean
  children: Item[]
}

/** What is folded: by default, or all, or nothing, with what a person did against that. */
export interface Folds {
  mode: 'calm' | 'all' | 'none'
  open: Set<string>
  shut: Set<string>
}

/** The ID of the application itself in its tree. */
export const rootID = ''

/** From how many objects on what is fine is folded away at first. */
export const large = 100

/** From how many siblings of one kind on they are one group. */
const many = 8

/** How many of a group are shown beside it because they are in trouble. */
const shownTroubled = 20

/** The ID of a group: of the siblings of a kind below a parent. */
export function groupID(parent: string, group: string, kind: string): string {
  return `*${group}/${kind}@${parent}`
}

/** The tree of an application as it is to be drawn. */
export function forest(nodes: Node[], chosen: Chosen, folds: Folds): Item {
  const shown = chosen.orphans ? nodes : nodes.filter((node) => !node.orphan)
  const grown = new Grower(shown, chosen, folds)
  return grown.root()
}

class Grower {
  private readonly below = new Map<string, Node[]>()
  private readonly worst = new Map<string, number>()
  private readonly sizes = new Map<string, number>()
  private readonly kept: Set<string> | undefined
  private readonly calm: boolean
  private readonly chosen: Chosen
  private readonly folds: Folds

  constructor(nodes: Node[], chosen: Chosen, folds: Folds) {
    this.chosen = chosen
    this.folds = folds
    this.calm = folds.mode === 'calm' && nodes.length > large
    const parents = parentsOf(nodes)
    for (const node of nodes) {
      const parent = parents.get(node.id) ?? rootID
      const siblings = this.below.get(parent)
      if (siblings) siblings.push(node)
      else this.below.set(parent, [node])
    }
    if (chosen.some) this.kept = withAncestors(nodes, chosen, parents)
  }

  root(): Item {
    const children = this.childrenOf(rootID)
    return {
      id: rootID,
      is: 'application',
      kind: 'Application',
      count: 1,
      trouble: Math.max(0, ...children.map((c) => c.trouble)),
      foldable: false,
      folded: false,
      hidden: 0,
      dim: false,
      children,
    }
  }

  private childrenOf(parent: string): Item[] {
    const nodes = (this.below.get(parent) ?? []).filter((node) => !this.kept || this.kept.has(node.id))
    const kinds = new Map<string, Node[]>()
    for (const node of nodes) {
      const key = `${node.group ?? ''}/${node.kind}`
      const same = kinds.get(key)
      if (same) same.push(node)
      else kinds.set(key, [node])
    }
    const out: Item[] = []
    for (const same of kinds.values()) {
      same.sort((a, b) => this.worstIn(b.id, b) - this.worstIn(a.id, a) || compare(a.name, b.name))
      if (same.length > many) out.push(...this.grouped(parent, same))
      else out.push(...same.map((node) => this.object(node)))
    }
    return out.sort((a, b) => b.trouble - a.trouble || compare(a.kind, b.kind))
  }

  /** Those of a kind that are in trouble stand for themselves, as far as they are few; the rest is one group. */
  private grouped(parent: string, same: Node[]): Item[] {
    const id = groupID(parent, same[0]!.group ?? '', same[0]!.kind)
    if (!this.foldedAt(id, true)) return [this.group(id, same, false)]
    const troubled = same.filter((node) => this.worstIn(node.id, node) > 1).slice(0, shownTroubled)
    const rest = same.slice(troubled.length)
    const out = troubled.map((node) => this.object(node))
    if (rest.length > 0) out.push(this.group(id, rest, true))
    return out
  }

  private group(id: string, nodes: Node[], folded: boolean): Item {
    return {
      id,
      is: 'group',
      kind: nodes[0]!.kind,
      count: nodes.length,
      trouble: Math.max(0, ...nodes.map((node) => this.worstIn(node.id, node))),
      foldable: true,
      folded,
      hidden: folded ? nodes.reduce((sum, node) => sum + this.size(node.id), 0) : 0,
      dim: false,
      children: folded ? [] : nodes.map((node) => this.object(node)),
    }
  }

  private object(node: Node): Item {
    const foldable = (this.below.get(node.id) ?? []).some((child) => !this.kept || this.kept.has(child.id))
    const worst = this.worstIn(node.id, node)
    const folded = foldable && this.foldedAt(node.id, this.calm && worst <= 1)
    return {
      id: node.id,
      is: 'object',
      kind: node.kind,
      count: 1,
      trouble: worst,
      foldable,
      folded,
      hidden: folded ? this.size(node.id) - 1 : 0,
      dim: this.chosen.some && !matches(node, this.chosen),
      children: foldable && !folded ? this.childrenOf(node.id) : [],
    }
  }

  private foldedAt(id: string, otherwise: boolean): boolean {
    if (this.folds.open.has(id)) return false
    if (this.folds.shut.has(id)) return true
    if (this.folds.mode === 'none' || this.chosen.some) return false
    return this.folds.mode === 'all' || otherwise
  }

  private worstIn(id: string, node: Node): number {
    const known = this.worst.get(id)
    if (known !== undefined) return known
    let worst = trouble(node)
    for (const child of this.below.get(id) ?? []) worst = Math.max(worst, this.worstIn(child.id, child))
    this.worst.set(id, worst)
    return worst
  }

  private size(id: string): number {
    const known = this.sizes.get(id)
    if (known !== undefined) return known
    let size = 1
    for (const child of this.below.get(id) ?? []) size += this.size(child.id)
    this.sizes.set(id, size)
    return size
  }
}

/**
 * The parent below which each object is drawn: the first of its parents that is there. Objects that are their own ancestors, which
 * the cluster does not forbid, are drawn below the application.
 */
function parentsOf(nodes: Node[]): Map<string, string> {
  const there = new Set(nodes.map((node) => node.id))
  const parents = new Map<string, string>()
  for (const node of nodes) {
    const parent = node.parents?.find((id) => id !== node.id && there.has(id))
    if (parent !== undefined) parents.set(node.id, parent)
  }
  const safe = new Set<string>([rootID])
  for (const node of nodes) {
    const way = new Set<string>()
    let at: string | undefined = node.id
    while (at !== undefined && !safe.has(at) && !way.has(at)) {
      way.add(at)
      at = parents.get(at)
    }
    if (at !== undefined && way.has(at)) parents.delete(at)
    for (const id of way) safe.add(id)
  }
  return parents
}

function withAncestors(nodes: Node[], chosen: Chosen, parents: Map<string, string>): Set<string> {
  const kept = new Set<string>()
  for (const node of nodes) {
    if (!matches(node, chosen)) continue
    let at: string | undefined = node.id
    while (at !== undefined && !kept.has(at)) {
      kept.add(at)
      at = parents.get(at)
    }
  }
  return kept
}

/** An order of names in which 2 comes before 10. Faster than the browser's own comparison by language. */
export function compare(a: string, b: string): number {
  if (a === b) return 0
  return a.length !== b.length && a.replace(/\d+$/, '') === b.replace(/\d+$/, '') ? a.length - b.length : a < b ? -1 : 1
}
