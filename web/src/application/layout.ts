// SPDX-License-Identifier: Apache-2.0

import type { Item } from './forest'

/** The sizes of the drawing, in its own units. */
export const card = { width: 232, height: 46 }
const pitch = { row: 54, column: 276 }
const margin = 20

/** An item with its place. parent is its number in the drawing; children are those of what hangs directly below. */
export interface Placed {
  item: Item
  x: number
  y: number
  depth: number
  parent: number
  children: number[]
  /** Its place among its siblings, from 1, and how many they are. */
  at: number
  of: number
}

export interface Drawing {
  /** All items, each before what hangs below it, in the order in which they are read from the top. */
  placed: Placed[]
  byID: Map<string, number>
  width: number
  height: number
}

/**
 * Gives each item its place: left to right, the first child beside its parent and the others below, so that reading begins at the
 * top left, where the worst is. A subtree begins as far up as there is room for all of it: what has no children goes up beside the
 * deep ones.
 */
export function layOut(root: Item): Drawing {
  const drawing: Drawing = { placed: [], byID: new Map(), width: 0, height: 0 }
  const free: number[] = [] // the first free row of each column
  const depths = new Map<Item, number>()
  place(root, -1, 0, 0, 1, 1)
  return drawing

  function place(item: Item, parent: number, depth: number, least: number, at: number, of: number): number {
    let row = least
    for (let d = depth; d <= depth + reach(item); d++) row = Math.max(row, free[d] ?? 0)
    const index = drawing.placed.length
    const placed: Placed = {
      item,
      x: margin + depth * pitch.column,
      y: margin + row * pitch.row,
      depth,
      parent,
      children: [],
      at,
      of,
    }
    drawing.placed.push(placed)
    drawing.byID.set(item.id, index)
    drawing.width = Math.max(drawing.width, placed.x + card.width + margin)
    drawing.height = Math.max(drawing.height, placed.y + card.height + margin)
    free[depth] = row + 1
    let next = row
    item.children.forEach((child, n) => {
      placed.children.push(drawing.placed.length)
      next = place(child, index, depth + 1, next, n + 1, item.children.length) + 1
    })
    // Nothing stands between a parent and its last child: the line down to it passes there.
    if (next > row) free[depth + 1] = Math.max(free[depth + 1] ?? 0, next)
    return row
  }

  /** How many columns hang below an item. */
  function reach(item: Item): number {
    const known = depths.get(item)
    if (known !== undefined) return known
    let deepest = 0
    for (const child of item.children) deepest = Math.max(deepest, 1 + reach(child))
    depths.set(item, deepest)
    return deepest
  }
}

/** Whether two drawings show the same. */
export function sameDrawing(a: Drawing, b: Drawing): boolean {
  if (a.placed.length !== b.placed.length) return false
  return a.placed.every((one, index) => {
    const other = b.placed[index]!
    const [x, y] = [one.item, other.item]
    return (
      x.id === y.id &&
      one.parent === other.parent &&
      x.trouble === y.trouble &&
      x.foldable === y.foldable &&
      x.hidden === y.hidden &&
      x.count === y.count &&
      x.dim === y.dim
    )
  })
}

/** A part of the drawing, in its units. */
export interface Box {
  left: number
  top: number
  right: number
  bottom: number
}

/** The numbers of the items that are in a part of the drawing. */
export function within(drawing: Drawing, box: Box): number[] {
  const out: number[] = []
  drawing.placed.forEach((p, index) => {
    if (p.x < box.right && p.x + card.width > box.left && p.y < box.bottom && p.y + card.height > box.top) {
      out.push(index)
    }
  })
  return out
}

const bend = 8

/**
 * The lines from parents to children in a part of the drawing, as one path: for each parent a trunk, cut to the part, and for each
 * child in it a twig.
 */
export function lines(drawing: Drawing, box: Box): string {
  const out: string[] = []
  for (const parent of drawing.placed) {
    const last = drawing.placed[parent.children.at(-1) ?? -1]
    if (!last) continue
    const from = parent.x + card.width
    const trunk = from + (pitch.column - card.width) / 2
    const top = parent.y + card.height / 2
    const bottom = last.y + card.height / 2 - bend
    if (from > box.right || last.x < box.left || top > box.bottom || bottom + bend < box.top) continue
    out.push(`M${from} ${top}H${trunk}`)
    if (bottom > top) out.push(`M${trunk} ${Math.max(box.top, top)}V${Math.min(box.bottom, bottom)}`)
    for (const at of parent.children) {
      const child = drawing.placed[at]!
      const y = child.y + card.height / 2
      if (y < box.top - bend || y > box.bottom + bend) continue
      out.push(y <= top ? `M${trunk} ${y}H${child.x}` : `M${trunk} ${y - bend}q0 ${bend} ${bend} ${bend}H${child.x}`)
    }
  }
  return out.join('')
}

/** Where the arrow keys lead from an item: up and down in the order of reading, left to the parent, right to the first child. */
export function step(drawing: Drawing, from: number, key: string): number {
  const here = drawing.placed[from]
  if (!here) return 0
  const last = drawing.placed.length - 1
  switch (key) {
    case 'ArrowDown':
      return Math.min(last, from + 1)
    case 'ArrowUp':
      return Math.max(0, from - 1)
    case 'ArrowLeft':
      return Math.max(0, here.parent)
    case 'ArrowRight':
      return here.children[0] ?? from
    case 'Home':
      return 0
    case 'End':
      return last
  }
  return from
}
