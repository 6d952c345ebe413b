// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { colourOf, pieces, plain } from './ansi'

test('colours become classes, and end where they are ended', () => {
  expect(pieces('a \x1b[33mWARN\x1b[0m b')).toEqual([
    { text: 'a ', look: '' },
    { text: 'WARN', look: 'ansi-f3' },
    { text: ' b', look: '' },
  ])
  expect(pieces('\x1b[1;4;91mx\x1b[22my\x1b[mz').map((p) => p.look)).toEqual([
    'ansi-bold ansi-underline ansi-f9',
    'ansi-underline ansi-f9',
    '',
  ])
})

test('the palettes of 256 and of all colours become colours', () => {
  expect(pieces('\x1b[38;5;196mx\x1b[48;2;1;2;3my')).toEqual([
    { text: 'x', look: '', fore: 'rgb(255, 0, 0)' },
    { text: 'y', look: '', fore: 'rgb(255, 0, 0)', back: 'rgb(1, 2, 3)' },
  ])
  expect(pieces('\x1b[38;5;2mx')[0]!.look).toBe('ansi-f2')
  expect(colourOf(232)).toBe('rgb(8, 8, 8)')
})

test('inverse swaps what is written and what it is written on, also where nothing was said of either', () => {
  expect(pieces('\x1b[7mx')[0]).toEqual({ text: 'x', look: 'ansi-fback ansi-bfore' })
  expect(pieces('\x1b[7;31mx')[0]).toEqual({ text: 'x', look: 'ansi-fback ansi-b1' })
})

test.each([
  ['a title', '\x1b]0;pwned\x07text'],
  ['a title with the other end', '\x1b]2;pwned\x1b\\text'],
  ['a clipboard', '\x1b]52;c;cHduZWQ=\x07text'],
  ['a link', '\x1b]8;;javascript:alert(1)\x07text\x1b]8;;\x07'],
  ['a device string', '\x1bPq#0;2;0;0;0\x1b\\text'],
  ['a clearing of the screen', '\x1b[2J\x1b[Htext'],
  ['C1 controls', '\x9b31mtext\x9d0;x\x9c'],
  ['a private sequence', '\x1b[?1049htext\x1b[>4;2m'],
  ['a reset', '\x1bctext'],
  ['other controls', 'te\x00\x08\x07xt\x7f'],
  ['signs that turn the direction', 'te\u202ext\u2066'],
  ['a colour that is none', '\x1b[38;5;999mtext'],
  ['a sequence without end', 'text\x1b[31'],
  ['a string without end', 'text\x1b]0;never'],
  ['an escape at the end', 'text\x1b'],
])('%s leaves text only', (_, line) => {
  expect(plain(line)).toBe('text')
  expect(
    pieces(line)
      .map((p) => p.text)
      .join(''),
  ).toBe('text')
  expect(pieces(line).every((p) => (p.fore ?? p.back) === undefined)).toBe(true)
})

test('markup is text, and tabs stay', () => {
  expect(pieces('<img src=x onerror=alert(1)>\tx')).toEqual([{ text: '<img src=x onerror=alert(1)>\tx', look: '' }])
})

test('a line of nothing but sequences is empty', () => {
  expect(plain('\x1b]'.repeat(20_000) + '\x1b['.repeat(20_000))).toBe('')
})
