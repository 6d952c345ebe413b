// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { around } from './sight'

test('more than what is seen is drawn, on both sides, and in steps that little scrolling does not leave', () => {
  const at = around(5_000, 900)
  expect(at.from).toBeLessThanOrEqual(5_000 - 300)
  expect(at.to).toBeGreaterThanOrEqual(5_900 + 300)
  expect(around(5_010, 900)).toEqual(at)
  expect(around(0, 900).from).toBe(0)
})
