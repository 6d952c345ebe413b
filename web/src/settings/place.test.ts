// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { at, wordsOf } from './place'

test.each([
  ['/settings', '', []],
  ['/settings/', '', []],
  ['/settings/projects/shop', '', ['projects', 'shop']],
  ['/cd/settings/clusters/https%3A%2F%2Feast.example.com%3A6443', '/cd', ['clusters', 'https://east.example.com:6443']],
  ['/settings/projects/100%', '', ['projects', '100%']],
  ['/elsewhere', '', []],
])('%s below %j names %j', (path, base, want) => {
  expect(wordsOf(path, base)).toEqual(want)
})

test('an address leads back to what it was made of', () => {
  const words = ['clusters', 'https://east.example.com/a b?c#d']
  expect(wordsOf(at(...words), '')).toEqual(words)
})
