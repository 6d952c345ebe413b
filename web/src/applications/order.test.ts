// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { Order } from './order'

function known(order: Order, total: number) {
  return Array.from({ length: total }, (_, at) => order.at(at) ?? '.').join('')
}

test('a window is put beside what is known already', () => {
  const order = new Order()
  order.put(0, ['a', 'b', 'c'], 8)
  order.put(4, ['e', 'f'], 8)
  expect(known(order, 8)).toBe('abc.ef..')
  order.put(2, ['c', 'd', 'e'], 8)
  expect(known(order, 8)).toBe('abcdef..')
})

test('an application stands at one place: where it was told last', () => {
  const order = new Order()
  order.put(0, ['a', 'b', 'c', 'd'], 8)
  order.put(4, ['b', 'e'], 8)
  expect(known(order, 8)).toBe('a.cdbe..')
  expect(order.placeOf('b')).toBe(4)
})

test('a window whose rows changed places', () => {
  const order = new Order()
  order.put(0, ['a', 'b', 'c'], 3)
  order.put(0, ['c', 'a', 'b'], 3)
  expect(known(order, 3)).toBe('cab')
  expect(order.placeOf('d')).toBeUndefined()
})

test('what is behind the end is gone', () => {
  const order = new Order()
  order.put(0, ['a', 'b', 'c', 'd'], 4)
  order.put(0, ['a', 'b'], 2)
  expect(known(order, 4)).toBe('ab..')
  expect(order.placeOf('c')).toBeUndefined()
})

test('a range is both ways, without what is not known', () => {
  const order = new Order()
  order.put(0, ['a', 'b'], 6)
  order.put(3, ['d', 'e'], 6)
  expect(order.between(4, 1)).toEqual(['b', 'd', 'e'])
  expect(order.between(0, 0)).toEqual(['a'])
})
