// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { own } from './own'
import { authorOf, upright } from './text'

test('a text cannot read as another one than it is', () => {
  expect(upright('image: \u202egnp.x\u202c')).toBe('image: ⟨U+202E⟩gnp.x⟨U+202C⟩')
  expect(upright('\u061c\u2066\u200f')).toBe('⟨U+061C⟩⟨U+2066⟩⟨U+200F⟩')
  expect(upright('שלום, naïve 日本')).toBe('שלום, naïve 日本')
})

test.each([
  ['Ann Example <ann@example.com>', 'Ann Example'],
  ['Ann', 'Ann'],
  ['<ann@example.com>', ''],
  ['a < b', 'a < b'],
])('the author of %j is %j', (text, want) => {
  expect(authorOf(text)).toBe(want)
})

test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', undefined])('no table has %j', (name) => {
  expect(own({ a: 1 }, name)).toBeUndefined()
})

test('a table has what is its own', () => {
  expect(own({ constructor: 1 } as Record<string, number>, 'constructor')).toBe(1)
})
