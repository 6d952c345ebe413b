// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { compact, type DiffRow, diffRows, inline, marks } from './hunks'

const short = (rows: DiffRow[]) => rows.map((r) => `${r.kind} ${r.left?.text ?? ''}|${r.right?.text ?? r.count ?? ''}`)

test('lines that were replaced stand beside each other, with the part that differs', () => {
  const rows = diffRows(['a', 'image: web:1', 'z'], ['a', 'image: web:2', 'z'])
  expect(short(rows)).toEqual(['same a|a', 'changed image: web:1|image: web:2', 'same z|z'])
  expect(rows[1]!.left!.mark).toEqual([11, 12])
  expect(rows[2]).toEqual({ kind: 'same', left: { at: 3, text: 'z' }, right: { at: 3, text: 'z' } })
})

test('what is on one side only leaves the other empty, and numbers go on', () => {
  const rows = diffRows(['a', 'b', 'c', 'd'], ['a', 'x', 'd', 'e'])
  expect(short(rows)).toEqual(['same a|a', 'changed b|x', 'removed c|', 'same d|d', 'added |e'])
  expect(rows[4]!.right!.at).toBe(4)
})

test('nothing differs, or everything does', () => {
  expect(diffRows(['a'], ['a']).every((r) => r.kind === 'same')).toBe(true)
  expect(short(diffRows([], ['a', 'b']))).toEqual(['added |a', 'added |b'])
  const many = (of: string) => Array.from({ length: 3_000 }, (_, i) => `${of}${i}`)
  const rows = diffRows(many('a'), many('b'))
  expect(rows).toHaveLength(3_000)
  expect(rows.every((r) => r.kind === 'changed')).toBe(true)
})

test('the parts that differ do not overlap where both ends are alike', () => {
  expect(marks('aa', 'aaa')).toEqual([
    [2, 2],
    [2, 3],
  ])
  expect(marks('', 'x')).toEqual([
    [0, 0],
    [0, 1],
  ])
})

test('compact keeps what is near a difference, and opens a gap when asked', () => {
  const left = Array.from({ length: 20 }, (_, i) => `${i}`)
  const right = left.with(10, 'x')
  const rows = compact(diffRows(left, right), 2)
  expect(short(rows)).toEqual(['gap |8', 'same 8|8', 'same 9|9', 'changed 10|x', 'same 11|11', 'same 12|12', 'gap |7'])
  expect(compact(diffRows(left, right), 2, new Set([0]))).toHaveLength(14)
  expect(short(compact(diffRows(left, left)))).toEqual(['gap |20'])
})

test('inline shows what was removed before what was added', () => {
  expect(short(inline(diffRows(['a', 'b', 'z'], ['c', 'd', 'z'])))).toEqual([
    'removed a|',
    'removed b|',
    'added |c',
    'added |d',
    'same z|z',
  ])
})
