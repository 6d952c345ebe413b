// SPDX-License-Identifier: Apache-2.0

import type { Group } from '../api'

/** How large things are. Rows are lines of one column, tiles of several. */
export interface Sizes {
  columns: number
  line: number
  head: number
}

/** A group with where it stands, or all rows where nothing is grouped. */
export interface Block {
  group: Group | undefined
  top: number
  height: number
  /** Height of the group's head, 0 without one. */
  head: number
  /** The place of the first row in the list, and how many are shown: none of a folded group. */
  first: number
  count: number
}

export interface Layout {
  blocks: Block[]
  height: number
  sizes: Sizes
}

/** Where everything stands in a list of so many rows. */
export function layoutOf(total: number, groups: readonly Group[], sizes: Sizes): Layout {
  const blocks: Block[] = []
  let top = 0
  let first = 0
  const add = (group: Group | undefined, count: number) => {
    const head = group ? sizes.head : 0
    const height = head + Math.ceil(count / sizes.columns) * sizes.line
    blocks.push({ group, top, height, head, first, count })
    top += height
    first += count
  }
  if (groups.length === 0) add(undefined, total)
  for (const group of groups) add(group, group.folded ? 0 : group.count)
  return { blocks, height: top, sizes }
}

/** A block of which something is to be drawn: the rows from first to last (behind the end), as places in the list. */
export interface Part {
  block: Block
  first: number
  last: number
}

/** What is to be drawn between two heights of the list. */
export function partsOf(layout: Layout, from: number, to: number): Part[] {
  const { columns, line } = layout.sizes
  const out: Part[] = []
  for (let i = firstBelow(layout.blocks, from); i < layout.blocks.length; i++) {
    const block = layout.blocks[i]!
    if (block.top >= to) break
    const begin = block.top + block.head
    const lines = Math.ceil(block.count / columns)
    const firstLine = Math.min(lines, Math.max(0, Math.floor((from - begin) / line)))
    const lastLine = Math.min(lines, Math.max(0, Math.ceil((to - begin) / line)))
    out.push({
      block,
      first: block.first + Math.min(block.count, firstLine * columns),
      last: block.first + Math.min(block.count, lastLine * columns),
    })
  }
  return out
}

/** The first block that ends below a height. */
function firstBelow(blocks: Block[], height: number): number {
  let low = 0
  let high = blocks.length
  while (low < high) {
    const middle = (low + high) >> 1
    const block = blocks[middle]!
    if (block.top + block.height <= height) low = middle + 1
    else high = middle
  }
  return low
}

/** Where a row stands within its block: from its top and, for tiles, in which column. */
export function spotOf(layout: Layout, block: Block, place: number): { top: number; column: number } {
  const within = place - block.first
  return {
    top: block.head + Math.floor(within / layout.sizes.columns) * layout.sizes.line,
    column: within % layout.sizes.columns,
  }
}

/** The height at which a row of the list begins. */
export function topOf(layout: Layout, place: number): number {
  const block = layout.blocks.findLast((b) => b.first <= place && b.count > 0)
  return block ? block.top + spotOf(layout, block, place).top : 0
}

/** The rows that are seen of what is drawn: from the first to behind the last, as places in the list. */
export function reach(parts: readonly Part[]): { first: number; last: number } {
  const shown = parts.filter((p) => p.last > p.first)
  return { first: shown[0]?.first ?? 0, last: shown.at(-1)?.last ?? 0 }
}
