// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { partsOf } from './session'

test('what is pasted goes in parts that cut no letter', () => {
  expect(partsOf('')).toEqual([])
  expect(partsOf('abcde', 2)).toEqual(['ab', 'cd', 'e'])
  expect(partsOf('a🙂b', 2)).toEqual(['a', '🙂', 'b'])
})
