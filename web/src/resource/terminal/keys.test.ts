// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { pasted, sequenceOf } from './keys'

const press = (name: string, cursor = false) => {
  const parts = name === '+' ? ['+'] : name.split('+')
  return sequenceOf(
    {
      key: parts.at(-1)!,
      ctrlKey: parts.includes('Ctrl'),
      altKey: parts.includes('Alt'),
      shiftKey: parts.includes('Shift'),
      metaKey: parts.includes('Meta'),
    },
    cursor,
  )
}

test.each([
  ['Enter', '\r'],
  ['Backspace', '\x7f'],
  ['Tab', '\t'],
  ['Shift+Tab', '\x1b[Z'],
  ['Ctrl+c', '\x03'],
  ['Ctrl+d', '\x04'],
  ['Ctrl+[', '\x1b'],
  ['Alt+b', '\x1bb'],
  ['ArrowUp', '\x1b[A'],
  ['Ctrl+ArrowLeft', '\x1b[1;5D'],
  ['Delete', '\x1b[3~'],
  ['Shift+PageUp', '\x1b[5;2~'],
  ['F1', '\x1bOP'],
  ['F5', '\x1b[15~'],
])('%s', (name, want) => {
  expect(press(name)).toBe(want)
})

test('programs that ask for it get other arrows', () => {
  expect(press('ArrowUp', true)).toBe('\x1bOA')
  expect(press('Shift+ArrowUp', true)).toBe('\x1b[1;2A')
})

test.each(['a', 'Ctrl+v', 'Meta+c', 'Ctrl+Shift+C', 'F6', 'Shift', 'Dead', 'Ctrl+Alt+q'])(
  '%s is left to the browser',
  (name) => {
    expect(press(name)).toBeUndefined()
  },
)

test('what is pasted cannot end its brackets', () => {
  expect(pasted('a\nb\r\n', false)).toBe('a\rb\r')
  expect(pasted('x\x1b[201~rm -rf /\n', true)).toBe('\x1b[200~x[201~rm -rf /\r\x1b[201~')
})
