// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { counted, found, linesOf } from './filter'

test.each([
  ['', true],
  ['shop', true],
  ['SHOP git', true],
  ['shop tools', false],
])('the search %j finds it: %j', (search, want) => {
  expect(found(search, 'Shop', undefined, 'https://git.example.com/shop')).toBe(want)
})

test('words of a search do not run from one text into the next', () => {
  expect(found('ab', 'a', 'b')).toBe(false)
})

test('a count has its noun in the right number', () => {
  expect([counted(0, 'project'), counted(1, 'project'), counted(1200, 'repository', 'repositories')]).toEqual([
    '0 projects',
    '1 project',
    '1,200 repositories',
  ])
})

test('each line is a value', () => {
  expect(linesOf(' a \n\n  b,c\n')).toEqual(['a', 'b,c'])
})
