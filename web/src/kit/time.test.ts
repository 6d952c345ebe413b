// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { duration, relative } from './time'

test.each([
  [-5, '0 s'],
  [59_999, '59 s'],
  [60_000, '1 min'],
  [3 * 3_600_000 + 20 * 60_000, '3 h 20 min'],
  [11 * 3_600_000 + 20 * 60_000, '11 h'],
  [5 * 86_400_000, '5 d'],
  [70 * 86_400_000, '2 months'],
  [800 * 86_400_000, '2 years'],
])('%d ms are %s', (ms, want) => {
  expect(duration(ms)).toBe(want)
})

test('what was a moment ago, or lies a moment ahead because clocks differ, is now', () => {
  expect(relative(1_000, 3_000)).toBe('now')
  expect(relative(4_000, 1_000)).toBe('now')
  expect(relative(0, 60_000)).toBe('1 min ago')
  expect(relative(120_000, 0)).toBe('in 2 min')
})
