// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { columnsOf, Heights } from './heights'

test('columns count wide signs twice and tabs to their stop', () => {
  expect(columnsOf('abc')).toBe(3)
  expect(columnsOf('日本')).toBe(4)
  expect(columnsOf('ab\tc')).toBe(9)
  expect(columnsOf('é')).toBe(1)
})

test('rows are found by line and lines by row, also after old ones went', () => {
  const heights = new Heights()
  for (const rows of [1, 3, 1, 2]) heights.add(rows)
  expect([heights.count, heights.rows]).toEqual([4, 7])
  expect([0, 1, 3, 4, 5, 6, 99].map((row) => heights.lineAt(row))).toEqual([0, 1, 1, 2, 3, 3, 3])
  expect(heights.drop(2)).toBe(4)
  expect([heights.count, heights.rows, heights.top(1)]).toEqual([2, 3, 1])
  expect(new Heights().lineAt(5)).toBe(0)
})
