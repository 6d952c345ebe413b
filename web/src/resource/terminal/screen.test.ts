// SPDX-License-Identifier: Apache-2.0

import { Terminal } from '@xterm/headless/lib-headless/xterm-headless.mjs'
import { expect, test } from 'vitest'
import { rowPieces } from './screen'

async function drawn(text: string, columns = 20) {
  const terminal = new Terminal({ cols: columns, rows: 3, allowProposedApi: true })
  await new Promise<void>((done) => terminal.write(text, done))
  return terminal.buffer.active
}

test('cells of equal look are one piece, and blanks at the end are none', async () => {
  const buffer = await drawn('a\x1b[1;32mgo\x1b[0m b')
  expect(rowPieces(buffer.getLine(0), 20)).toEqual([
    { text: 'a', look: '' },
    { text: 'go', look: 'ansi-bold ansi-f2' },
    { text: ' b', look: '' },
  ])
  expect(rowPieces(buffer.getLine(1), 20)).toEqual([])
  expect(rowPieces(undefined, 20)).toEqual([])
})

test('larger palettes are colours, and inverse swaps', async () => {
  const buffer = await drawn('\x1b[38;2;1;2;3mx\x1b[48;5;196my\x1b[0;7mz')
  expect(rowPieces(buffer.getLine(0), 3)).toEqual([
    { text: 'x', look: '', fore: 'rgb(1, 2, 3)' },
    { text: 'y', look: '', fore: 'rgb(1, 2, 3)', back: 'rgb(255, 0, 0)' },
    { text: 'z', look: 'ansi-fback ansi-bfore' },
  ])
})

test('the cursor is a piece of its own, also behind the text', async () => {
  const buffer = await drawn('ab')
  expect(rowPieces(buffer.getLine(0), 20, 1)).toEqual([
    { text: 'a', look: '' },
    { text: 'b', look: 'screen-cursor', cursor: true },
  ])
  expect(rowPieces(buffer.getLine(0), 20, 4).map((p) => p.text)).toEqual(['ab  ', ' '])
})

test('wide signs are drawn once, hidden text not at all', async () => {
  const buffer = await drawn('日x\x1b[8mpw\x1b[0m!')
  expect(
    rowPieces(buffer.getLine(0), 20)
      .map((p) => p.text)
      .join(''),
  ).toBe('日x  !')
})

test('what asks for more than drawing draws nothing', async () => {
  const buffer = await drawn('\x1b]0;title\x07\x1b]52;c;cHduZWQ=\x07\x1b]8;;javascript:alert(1)\x07link\x1b]8;;\x07<b>')
  expect(
    rowPieces(buffer.getLine(0), 20)
      .map((p) => p.text)
      .join(''),
  ).toBe('link<b>')
})
