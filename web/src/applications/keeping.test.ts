// SPDX-License-Identifier: Apache-2.0

import { beforeEach, expect, test } from 'vitest'
import { nextPlace, stepsOf } from './move'
import { Order } from './order'
import { nameOf, select, selection, selectNone } from './selection'
import { keepView, sameQuery } from './views'

beforeEach(() => selectNone())

const order = new Order()
order.put(0, ['n/a', 'n/b', 'n/c', 'n/d'], 4)

test('a range is selected from where the selection was changed last', () => {
  select('n/b', order)
  select('n/d', order, true)
  expect([...selection.value]).toEqual(['n/b', 'n/c', 'n/d'])
  select('n/c', order, true)
  expect([...selection.value]).toEqual(['n/b'])
})

test('a range whose beginning is gone is the one alone', () => {
  select('n/gone', order)
  select('n/b', order, true)
  expect([...selection.value]).toEqual(['n/gone', 'n/b'])
})

test('names are split at their first slash', () => {
  expect(nameOf('team-a/web')).toEqual({ namespace: 'team-a', name: 'web' })
})

test('the focus stays in the list', () => {
  expect(nextPlace(undefined, 1, 7, 100)).toBe(7)
  expect(nextPlace(0, -1, 0, 100)).toBe(0)
  expect(nextPlace(98, 4, 0, 100)).toBe(99)
  expect(nextPlace(undefined, 1, 0, 0)).toBe(-1)
  expect(stepsOf('ArrowDown', 4, 100)).toBe(4)
  expect(stepsOf('ArrowRight', 1, 100)).toBeUndefined()
})

test('a view replaces the one of its name, and is known by what it asks', () => {
  const kept = keepView([{ name: 'mine', query: '?a=1' }], { name: 'mine', query: '?b=2' })
  expect(kept).toEqual([{ name: 'mine', query: '?b=2' }])
  expect(sameQuery('?a=1&b=2', '?b=2&a=1&folded=x')).toBe(true)
  expect(sameQuery('?a=1', '?a=2')).toBe(false)
})
