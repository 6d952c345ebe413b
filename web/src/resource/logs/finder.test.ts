// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { mostPieces, pieces, plain } from '../ansi'
import { LogBuffer } from './buffer'
import { Finder, marked, mostMarks } from './finder'

test('hits grow with the log, and go with lines that are dropped', () => {
  const log = new LogBuffer(10)
  const finder = new Finder('err', false)
  log.push([{ content: 'err 1' }, { content: 'ok' }, { content: 'ERR 2' }])
  finder.look(log.lines)
  expect(finder.hits).toEqual([1, 3])
  expect([finder.step(undefined, 1), finder.step(3, 1), finder.step(3, -1), finder.step(1, -1)]).toEqual([3, 1, 1, 3])
  expect(finder.placeOf(3)).toBe(2)
  log.push(Array.from({ length: 10 }, (_, i) => ({ content: i === 9 ? 'err' : 'x' })))
  finder.look(log.lines)
  expect(finder.hits).toEqual([13])
  expect(finder.step(1, 1)).toBe(13)
  log.clear()
  finder.look(log.lines)
  expect(finder.hits).toEqual([])
  expect(finder.step(undefined, 1)).toBeUndefined()
})

test('what is looked for is marked also across colours', () => {
  const parts = marked(pieces('a \x1b[31mer\x1b[0mror b'), 'ERROR', false)
  expect(parts.map((p) => [p.text, p.look, p.hit ?? false])).toEqual([
    ['a ', '', false],
    ['er', 'ansi-f1', true],
    ['ror', '', true],
    [' b', '', false],
  ])
  expect(marked(pieces('xx'), 'x', true).map((p) => p.text)).toEqual(['x', 'x'])
  expect(marked(pieces('abc'), 'z', false)).toEqual([{ text: 'abc', look: '' }])
})

test('a line that is made to hold the page up does not', () => {
  for (const line of ['ab'.repeat(32_000), '\x1b[31ma\x1b[32mb'.repeat(6_000), '\x1b[31mab'.repeat(9_000)]) {
    const parts = marked(pieces(line), 'ab', false)
    expect(parts.map((p) => p.text).join('')).toBe(plain(line))
    expect(parts.length).toBeLessThanOrEqual(mostPieces + 2 * mostMarks + 1)
  }
})
