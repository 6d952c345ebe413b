// SPDX-License-Identifier: Apache-2.0

import oracle from '@xterm/headless'
import { expect, test } from 'vitest'
import { Engine } from './engine'

const cols = 12
const rows = 5

function ours(text: string, pieces = [text]) {
  const engine = new Engine(cols, rows, 100, () => {})
  for (const piece of pieces) engine.write(piece)
  return shown(engine)
}

function shown(engine: Engine) {
  const line = (cells: Engine['lines'][number]) =>
    cells
      .map((cell) => (cell.width === 0 ? '' : cell.text || ' '))
      .join('')
      .trimEnd()
  return { lines: engine.lines.map(line), cursor: [engine.x, engine.y], base: engine.base }
}

/** What xterm.js shows: the engine is to be like it. */
async function theirs(text: string) {
  const terminal = new oracle.Terminal({ cols, rows, scrollback: 100, allowProposedApi: true })
  await new Promise<void>((done) => terminal.write(text, done))
  const buffer = terminal.buffer.active
  const lines = Array.from({ length: buffer.length }, (_, at) => buffer.getLine(at)!.translateToString(true).trimEnd())
  // It lets the cursor stand behind the last column until the next letter comes.
  return { lines, cursor: [Math.min(buffer.cursorX, cols - 1), buffer.cursorY], base: buffer.baseY }
}

test.each([
  ['text that wraps', 'hello wide world\r\nnext'],
  ['lines that scroll out of view', Array.from({ length: 12 }, (_, i) => `line ${i}`).join('\r\n')],
  ['a letter in the last column', '123456789012\b!\r\nx'],
  ['backspaces and tabs', 'ab\b\bX\tT\tU\rR'],
  ['moves that go nowhere', '\x1b[99;99Hx\x1b[H\x1b[Ay\x1b[99B\x1b[99Cz'],
  ['erasing in lines', 'abcdefgh\x1b[4D\x1b[K\r\nabcdefgh\x1b[4D\x1b[1K\r\nabc\x1b[2K!'],
  ['erasing below', 'a\r\nb\r\nc\x1b[2;1H\x1b[J'],
  ['erasing above', 'a\r\nb\r\nc\x1b[2;1H\x1b[1J'],
  ['erasing all', 'a\r\nb\x1b[2Jc'],
  ['inserting and deleting lines', '1\r\n2\r\n3\r\n4\r\n5\x1b[2;1H\x1b[2L\x1b[4;1H\x1b[M'],
  ['inserting and deleting letters', 'abcdef\x1b[3G\x1b[2@\x1b[6G\x1b[P\x1b[2X'],
  ['insert mode', 'abc\x1b[1G\x1b[4hXY\x1b[4lZ'],
  ['a region that scrolls', '\x1b[2;4r\x1b[2;1Ha\r\nb\r\nc\r\nd\r\ne'],
  ['scrolling back at the top', 'a\r\nb\x1b[H\x1bM\x1bMc'],
  ['scrolling by command', 'a\r\nb\r\nc\x1b[S\x1b[2T'],
  ['origin mode', '\x1b[2;4r\x1b[?6h\x1b[1;1Ha\x1b[9;1Hb\x1b[?6l\x1b[1;1Hc'],
  ['saving and restoring', 'ab\x1b7\x1b[4;4Hx\x1b8c\x1b[s\x1b[H\x1b[ud'],
  ['no wrapping', '\x1b[?7labcdefghijklmnop\x1b[?7hq'],
  ['boxes', '\x1b(0lqk\x1b(Bx\x0e\x1b)0q\x0fq'],
  ['wide letters', '日本語\b\bx\x1b[2G!'],
  ['a wide letter that does not fit', '12345678901日x'],
  ['marks over letters', 'e\u0301a\u0308o'],
  ['repeated letters', 'ab\x1b[3b'],
  ['tab stops', '\x1b[3g\x1b[5G\x1bH\r\tx\x1b[Zy'],
  ['another screen', 'main\x1b[?1049h\x1b[Hother\x1b[?1049l!'],
  ['strings that are not shown', 'a\x1b]0;title\x07b\x1bPq#1\x1b\\c\x1b_x\x1b\\d'],
  ['a reset', 'abc\x1b[31m\x1bcd'],
  ['a soft reset', '\x1b[2;3r\x1b[?6h\x1b[!pab\x1b[9;9Hc'],
  ['sequences that mean nothing here', '\x1b[?1000h\x1b[>4;2m\x1b[22;0;0t\x1b=a\x1b>b\x1b[5 qc'],
  ['next line and index', 'ab\x1bEc\x1bDd\x1b[2Ee\x1b[Ff'],
  ['columns and rows by number', 'x\x1b[5G5\x1b[3d3\x1b[2`2\x1b[2aa\x1b[1ee'],
])('%s', async (_, text) => {
  expect(ours(text)).toEqual(await theirs(text))
})

test('what comes in pieces is the same wherever it is cut', () => {
  const text = 'a\x1b[1;31mb\x1b]0;t\x1b\\c\x1b[2;3Hd\x1b(0q\x1b(B日e\u0301'
  for (let cut = 1; cut < text.length; cut++)
    expect(ours(text, [text.slice(0, cut), text.slice(cut)])).toEqual(ours(text))
  expect(ours('', [...text])).toEqual(ours(text))
})

/** Numbers that look random and are the same each time. */
function dice(seed: number) {
  let state = seed
  return (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 8) % below
  }
}

const finals = [...'ABCEFGHJKLMPSTX@`adfrg', '[4h', '[4l']

/** A program that does anything in any order, but writes past no last column: what comes of that has cases of its own. */
function wild(seed: number): string {
  const next = dice(seed)
  let out = ''
  for (let n = 0; n < 60; n++) {
    const what = next(10)
    if (what < 4) out += `\x1b[${1 + next(5)}G${'abcdefg'.slice(0, 1 + next(6))}`
    else if (what === 4) out += ['\r\n', '\n', '\r', '\b', '\t'][next(5)]
    else if (what === 5) out += ['\x1bM', '\x1bD', '\x1bE'][next(3)]
    else {
      const final = finals[next(finals.length)]!
      if (final.length > 1) out += `\x1b${final}`
      else
        out += `\x1b[${next(3) === 0 ? '' : next(final === 'J' ? 3 : 8)}${'Hfr'.includes(final) ? `;${next(8)}` : ''}${final}`
    }
  }
  return out
}

test('it shows what xterm shows of programs that do anything', { timeout: 60_000 }, async () => {
  for (let seed = 1; seed <= 150; seed++) {
    const text = wild(seed)
    expect({ seed, text, ...ours(text) }).toEqual({ seed, text, ...(await theirs(text)) })
  }
})

test('it answers who asks, and nothing that a program could have typed', () => {
  const answers: string[] = []
  const engine = new Engine(cols, rows, 10, (text) => answers.push(text))
  engine.write('ab\x1b[6n\x1b[5n\x1b[c\x1b[>c\x1b]52;c;?\x07\x1b[21t\x1b]10;?\x07\x05')
  expect(answers).toEqual(['\x1b[1;3R', '\x1b[0n', '\x1b[?1;2c', '\x1b[>0;276;0c'])
})

test('modes that the keyboard asks for are told', () => {
  const engine = new Engine(cols, rows, 10, () => {})
  engine.write('\x1b[?1h\x1b[?2004h\x1b[?25l')
  expect(engine.modes).toMatchObject({ cursorKeys: true, bracketedPaste: true, cursor: false })
})

test('another size keeps what is near the cursor, and its place', () => {
  const engine = new Engine(cols, rows, 100, () => {})
  engine.write('1\r\n2\r\n3\r\n4')
  engine.resize(6, 2)
  expect(shown(engine)).toEqual({ lines: ['1', '2', '3', '4'], cursor: [1, 1], base: 2 })
  engine.resize(20, 6)
  expect(shown(engine)).toEqual({ lines: ['1', '2', '3', '4', '', ''], cursor: [1, 3], base: 0 })
  engine.write('\x1b[?1049h\x1b[6;1Hx')
  engine.resize(4, 3)
  expect(shown(engine)).toMatchObject({ lines: ['', '', 'x'], cursor: [1, 2], base: 0 })
  engine.write('\x1b[?1049l')
  expect(engine.lines.every((line) => line.length === 4)).toBe(true)
  expect(engine.lines.length).toBeGreaterThanOrEqual(3)
})

test('only so many lines are kept, and a string without end takes no more room than it may', () => {
  const engine = new Engine(cols, rows, 10, () => {})
  engine.write('x\r\n'.repeat(100))
  expect(engine.lines).toHaveLength(15)
  engine.write(`\x1b]0;${'x'.repeat(70_000)}`)
  engine.write('text')
  expect(shown(engine).lines.at(-1)).toBe('text')
})

test('a letter takes a bounded number of marks', () => {
  const engine = new Engine(cols, rows, 100, () => {})
  engine.write(`a${'\u0301'.repeat(100_000)}b`)
  const [first, second] = engine.lines[0]!
  expect(first!.text.length).toBeLessThan(100)
  expect(second!.text).toBe('b')
})
