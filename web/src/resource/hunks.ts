// SPDX-License-Identifier: Apache-2.0

import { diffArrays } from 'diff'

/** A line of one side, with its number from 1. mark is the part of it that differs: from, to. */
export interface Side {
  at: number
  text: string
  mark?: [number, number]
}

/** A row of a comparison: the same on both sides, on one side only, or differing; or how many equal rows are left out. */
export interface DiffRow {
  kind: 'same' | 'changed' | 'removed' | 'added' | 'gap'
  left?: Side
  right?: Side
  /** Of a gap: how many rows, and which is the first. */
  count?: number
  first?: number
}

/** Past this many differing lines the rest is not matched line by line: it would take longer than anybody waits. */
const mostEdits = 2_000

/** The rows of two texts beside each other. */
export function diffRows(left: readonly string[], right: readonly string[]): DiffRow[] {
  const found = diffArrays([...left], [...right], { maxEditLength: mostEdits })
  const parts = found ?? [
    { value: [...left], removed: true, added: false },
    { value: [...right], removed: false, added: true },
  ]
  const rows: DiffRow[] = []
  let l = 0
  let r = 0
  for (let at = 0; at < parts.length; at++) {
    const part = parts[at]!
    if (!part.added && !part.removed) {
      for (const text of part.value) rows.push({ kind: 'same', left: { at: ++l, text }, right: { at: ++r, text } })
      continue
    }
    const next = parts[at + 1]
    const pair = next !== undefined && part.removed !== next.removed && part.added !== next.added
    const removed = part.removed ? part.value : pair ? next.value : []
    const added = part.added ? part.value : pair ? next.value : []
    if (pair) at++
    for (let i = 0; i < Math.max(removed.length, added.length); i++) {
      rows.push(
        rowOf(i < removed.length ? [++l, removed[i]!] : undefined, i < added.length ? [++r, added[i]!] : undefined),
      )
    }
  }
  return rows
}

function rowOf(left: [number, string] | undefined, right: [number, string] | undefined): DiffRow {
  if (!left || !right) {
    if (left) return { kind: 'removed', left: { at: left[0], text: left[1] } }
    return { kind: 'added', right: { at: right![0], text: right![1] } }
  }
  const [l, r] = marks(left[1], right[1])
  return {
    kind: 'changed',
    left: { at: left[0], text: left[1], mark: l },
    right: { at: right[0], text: right[1], mark: r },
  }
}

/** The parts of two lines that differ: what is between their common beginning and their common end. */
export function marks(left: string, right: string): [[number, number], [number, number]] {
  const most = Math.min(left.length, right.length)
  let head = 0
  while (head < most && left[head] === right[head]) head++
  let tail = 0
  while (tail < most - head && left[left.length - 1 - tail] === right[right.length - 1 - tail]) tail++
  return [
    [head, left.length - tail],
    [head, right.length - tail],
  ]
}

/** The rows with those left out that are far from any difference, but for gaps that were opened (by their first row). */
export function compact(rows: readonly DiffRow[], around = 3, opened: ReadonlySet<number> = new Set()): DiffRow[] {
  const near = new Uint8Array(rows.length)
  rows.forEach((row, at) => {
    if (row.kind !== 'same') near.fill(1, Math.max(0, at - around), at + around + 1)
  })
  const out: DiffRow[] = []
  for (let at = 0; at < rows.length; ) {
    let end = at
    while (end < rows.length && !near[end]) end++
    // A gap of one row takes as much room as the row.
    if (end - at > 1 && !opened.has(at)) {
      out.push({ kind: 'gap', count: end - at, first: at })
      at = end
    } else {
      do out.push(rows[at++]!)
      while (at < end)
    }
  }
  return out
}

/** The rows one below the other: what was removed of a run of differences, then what was added. */
export function inline(rows: readonly DiffRow[]): DiffRow[] {
  const out: DiffRow[] = []
  let added: DiffRow[] = []
  const flush = () => {
    out.push(...added)
    added = []
  }
  for (const row of rows) {
    if (row.kind === 'same' || row.kind === 'gap') {
      flush()
      out.push(row)
      continue
    }
    if (row.left) out.push({ kind: 'removed', left: row.left })
    if (row.right) added.push({ kind: 'added', right: row.right })
  }
  flush()
  return out
}
