// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { some, valuesOf } from './filters'

const told = (pairs: [string, number][]) => pairs.map(([value, count]) => ({ value, count }))

test('the values of a state are all there, in their order, whatever they count', () => {
  expect(
    valuesOf(
      'sync',
      told([
        ['Synced', 4],
        ['OutOfSync', 1],
      ]),
      [],
    ),
  ).toEqual(
    told([
      ['OutOfSync', 1],
      ['Unknown', 0],
      ['Synced', 4],
    ]),
  )
})

test('other values are in the order of their names, with those that are chosen and count nothing', () => {
  expect(
    valuesOf(
      'projects',
      told([
        ['web', 9],
        ['data', 1],
      ]),
      ['old'],
    ),
  ).toEqual(
    told([
      ['data', 1],
      ['old', 0],
      ['web', 9],
    ]),
  )
})

test('a long facet begins with what counts most and what is chosen', () => {
  const values = told([
    ['a', 1],
    ['b', 5],
    ['c', 2],
    ['d', 9],
  ])
  expect(some(values, ['a'], 2)).toEqual(
    told([
      ['a', 1],
      ['b', 5],
      ['d', 9],
    ]),
  )
  expect(some(values, [], 4)).toBe(values)
})
