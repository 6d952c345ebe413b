// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { foldsOf, linesWith, shownLines, textLines, tokensOf } from './tokens'

const kinds = (line: string) => tokensOf(line).map((t) => `${t.kind}:${t.text}`)

test.each([
  ['a: b', ['key:a', 'mark::', 'plain: b']],
  ['  - name: web', ['mark:  - ', 'key:name', 'mark::', 'plain: web']],
  ['replicas: 3', ['key:replicas', 'mark::', 'number: 3']],
  ['on: true # why', ['key:on', 'mark::', 'word: true', 'comment: # why']],
  ['"a: b": "c # d"', ['key:"a: b"', 'mark::', 'text: "c # d"']],
  ['image: registry:5000/a:1', ['key:image', 'mark::', 'plain: registry:5000/a:1']],
  ['example.org/team: a', ['key:example.org/team', 'mark::', 'plain: a']],
  ['- -1', ['mark:- ', 'number:-1']],
  ['spec:', ['key:spec', 'mark::']],
  ['# only', ['comment:# only']],
  ['text: |', ['key:text', 'mark::', 'mark: |']],
  ['<script>alert(1)</script>', ['plain:<script>alert(1)</script>']],
])('%s', (line, want) => {
  expect(kinds(line)).toEqual(want)
})

test('parts always say the whole line', () => {
  for (const line of ['', '   ', '- ', '---', ': : :', '"unclosed: x', "'", '{a: b}', '\t#', '- - - x: y', '?']) {
    expect(
      tokensOf(line)
        .map((t) => t.text)
        .join(''),
    ).toBe(line)
  }
})

test('a text of several lines is text until it ends, whatever it says', () => {
  const lines = [
    'data:',
    '  a: |-',
    '    x: 1',
    '',
    '    # no comment',
    '  b: 2',
    'list:',
    '  - |',
    '    c: d',
    '  - e: >',
    '      f: g',
    '    h: i',
  ]
  expect(textLines(lines)).toEqual([false, false, true, true, true, false, false, false, true, false, true, false])
})

test('what is indented below a line folds with it; a single line does not fold', () => {
  const lines = ['a:', '  b:', '    c: 1', '    d: 2', '  e: 3', 'f:', '  g: 1', '']
  const folds = foldsOf(lines)
  expect([...folds].sort()).toEqual([
    [0, 5],
    [1, 4],
  ])
  expect(shownLines(8, folds, new Set([1]))).toEqual([0, 1, 4, 5, 6, 7])
  expect(shownLines(8, folds, new Set([0, 1]))).toEqual([0, 5, 6, 7])
})

test('search finds lines whatever the case', () => {
  expect(linesWith(['Alpha', 'beta', 'alphabet'], 'ALPHA')).toEqual([0, 2])
  expect(linesWith(['a'], '')).toEqual([])
})

test('lines of strangers are read in a moment, whatever is in them', () => {
  for (const part of ['- ', '# ', '|#', '> ', '-x ', '"\\', "''", 'a: ', ' ', ': ', '1_']) {
    const line = `${part.repeat(200_000)}\u2028`
    textLines([line])
    expect(
      tokensOf(line)
        .map((t) => t.text)
        .join(''),
    ).toBe(line)
  }
})
