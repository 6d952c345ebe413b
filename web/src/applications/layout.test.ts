// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import type { Group } from '../api'
import { layoutOf, partsOf, reach, spotOf, topOf } from './layout'

const rows = { columns: 1, line: 40, head: 30 }
const tiles = { columns: 3, line: 100, head: 30 }
const groups: Group[] = [
  { value: 'a', count: 5, attention: {} },
  { value: 'b', count: 7, folded: true, attention: {} },
  { value: 'c', count: 4, attention: {} },
]

test('without groups all rows are one block', () => {
  const layout = layoutOf(10_000, [], rows)
  expect(layout.height).toBe(400_000)
  const parts = partsOf(layout, 4_000, 4_800)
  expect(reach(parts)).toEqual({ first: 100, last: 120 })
  expect(spotOf(layout, parts[0]!.block, 100)).toEqual({ top: 4_000, column: 0 })
})

test('groups have heads, and folded ones nothing else', () => {
  const layout = layoutOf(9, groups, rows)
  expect(layout.blocks.map((b) => [b.top, b.height, b.first, b.count])).toEqual([
    [0, 230, 0, 5],
    [230, 30, 5, 0],
    [260, 190, 5, 4],
  ])
  expect(layout.height).toBe(450)
})

test('only the groups that are seen are drawn, with only their rows', () => {
  const layout = layoutOf(9, groups, rows)
  const parts = partsOf(layout, 150, 300)
  expect(parts.map((p) => [p.block.group?.value, p.first, p.last])).toEqual([
    ['a', 3, 5],
    ['b', 5, 5],
    ['c', 5, 6],
  ])
  expect(reach(parts)).toEqual({ first: 3, last: 6 })
  expect(partsOf(layout, 450, 900)).toEqual([])
})

test('tiles fill lines, each group beginning a new one', () => {
  const layout = layoutOf(9, groups, tiles)
  expect(layout.blocks.map((b) => [b.top, b.height])).toEqual([
    [0, 230],
    [230, 30],
    [260, 230],
  ])
  const [, , third] = layout.blocks
  expect(spotOf(layout, third!, 8)).toEqual({ top: 130, column: 0 })
  expect(reach(partsOf(layout, 0, 100))).toEqual({ first: 0, last: 3 })
})

test('where a row begins, also behind a folded group', () => {
  const layout = layoutOf(9, groups, rows)
  expect([0, 4, 5, 8].map((place) => topOf(layout, place))).toEqual([30, 190, 290, 410])
  expect(topOf(layoutOf(0, [], rows), 0)).toBe(0)
})
