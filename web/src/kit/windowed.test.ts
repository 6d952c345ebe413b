// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { sliceOf } from './windowed'

test('only what is seen is drawn, with some around', () => {
  expect(sliceOf(10_000, 36, 36_000, 720, 8)).toEqual({ first: 992, last: 1028, top: 992 * 36, height: 360_000 })
  expect(sliceOf(10_000, 36, 0, 720, 8)).toEqual({ first: 0, last: 28, top: 0, height: 360_000 })
})

test('a list that became shorter than what was scrolled is drawn to its end', () => {
  expect(sliceOf(5, 36, 9_000, 720)).toEqual({ first: 5, last: 5, top: 180, height: 180 })
  expect(sliceOf(0, 36, 0, 720)).toEqual({ first: 0, last: 0, top: 0, height: 0 })
})
