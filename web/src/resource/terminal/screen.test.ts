// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { Engine } from './engine'
import { rowPieces } from './screen'

function drawn(text: string, cols = 20) {
  const engine = new Engine(cols, 3, 10, () => {})
  engine.write(text)
  return engine
}

test('cells of equal look are one piece, and blanks at the end are none', () => {
  const { lines } = drawn('a\x1b[1;32mgo\x1b[0m b')
  expect(rowPieces(lines[0])).toEqual([
    { text: 'a', look: '' },
    { text: 'go', look: 'ansi-bold ansi-f2' },
    { text: ' b', look: '' },
  ])
  expect(rowPieces(lines[1])).toEqual([])
  expect(rowPieces(undefined)).toEqual([])
})

test('larger palettes are colours, and inverse swaps', () => {
  expect(rowPieces(drawn('\x1b[38;2;1;2;3mx\x1b[48:5:196my\x1b[0;7mz').lines[0])).toEqual([
    { text: 'x', look: '', fore: 'rgb(1, 2, 3)' },
    { text: 'y', look: '', fore: 'rgb(1, 2, 3)', back: 'rgb(255, 0, 0)' },
    { text: 'z', look: 'ansi-fback ansi-bfore' },
  ])
})

test('what is erased keeps the colour behind it to the end of the line', () => {
  expect(rowPieces(drawn('\x1b[41m\x1b[K', 4).lines[0])).toEqual([{ text: '    ', look: 'ansi-b1' }])
  expect(rowPieces(drawn('\x1b[41mab\x1b[K\x1b[3G', 4).lines[0], 3).map((p) => p.look)).toEqual([
    'ansi-b1',
    'ansi-b1 screen-cursor',
  ])
})

test('the cursor is a piece of its own, also behind the text', () => {
  const { lines } = drawn('ab')
  expect(rowPieces(lines[0], 1)).toEqual([
    { text: 'a', look: '' },
    { text: 'b', look: 'screen-cursor', cursor: true },
  ])
  expect(rowPieces(lines[0], 4).map((p) => p.text)).toEqual(['ab  ', ' '])
  expect(rowPieces(lines[0], 0).map((p) => p.text)).toEqual(['a', 'b'])
})

test('wide signs are drawn once, hidden text not at all, and markup is text', () => {
  const text = (of: string) =>
    rowPieces(drawn(of).lines[0])
      .map((p) => p.text)
      .join('')
  expect(text('日x\x1b[8mpw\x1b[0m!')).toBe('日x  !')
  expect(text('\x1b]0;title\x07\x1b]52;c;cHduZWQ=\x07\x1b]8;;javascript:alert(1)\x07link\x1b]8;;\x07<b>')).toBe(
    'link<b>',
  )
})
