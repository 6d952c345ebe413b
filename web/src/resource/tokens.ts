// SPDX-License-Identifier: Apache-2.0

/** What a part of a line of YAML is, for its colour. */
export type TokenKind = 'key' | 'text' | 'number' | 'word' | 'comment' | 'mark' | 'plain'

export interface Token {
  kind: TokenKind
  text: string
}

/** How far a line is indented. */
export function indentOf(line: string): number {
  return line.length - line.trimStart().length
}

const block = /(^|[\s:-])[|>][+-]?\d?[+-]?\s*(#.*)?$/s

/** Which lines are inside a text of several lines: there nothing but text is to be read. */
export function textLines(lines: readonly string[]): boolean[] {
  const inside: boolean[] = new Array(lines.length).fill(false)
  let deep = -1 // how far the line is indented that began a text
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!
    if (deep >= 0 && (line.trim() === '' || indentOf(line) > deep)) {
      inside[at] = true
      continue
    }
    deep = block.test(line) && !/^\s*#/.test(line) ? keyIndent(line) : -1
  }
  return inside
}

/** Where the key of a line stands, behind the dashes of a list. */
function keyIndent(line: string): number {
  const dashes = /^\s*(?:- +)*/.exec(line)![0]
  return /^\s*- *[|>]/.test(line) ? indentOf(line) : dashes.length
}

const parts =
  /^(\s*(?:- +|-$)*)(?:("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s#'"[\]{}&*!|>%@`-][^#]*?|-[^\s#][^#]*?)(:)(?=\s|$))?(.*)$/s

/** The parts of a line of YAML. What they say together is the line. */
export function tokensOf(line: string, insideText = false): Token[] {
  if (insideText) return [{ kind: 'text', text: line }]
  if (/^\s*#/.test(line)) return [{ kind: 'comment', text: line }]
  const [, lead = '', key, colon, rest = ''] = parts.exec(line) ?? []
  const out: Token[] = []
  const put = (kind: TokenKind, text: string | undefined) => {
    if (text) out.push({ kind, text })
  }
  put('mark', lead)
  put('key', key)
  put('mark', colon)
  const comment = /(^|\s)#.*$/s.exec(/^\s*["']/.test(rest) ? '' : rest)
  const value = comment ? rest.slice(0, comment.index) : rest
  put(kindOf(value.trim()), value)
  put('comment', comment?.[0])
  return out
}

function kindOf(value: string): TokenKind {
  if (/^(true|false|null|~)$/.test(value)) return 'word'
  if (/^[-+]?(\d[\d_]*)(\.\d+)?([eE][-+]?\d+)?$/.test(value)) return 'number'
  if (/^["']/.test(value)) return 'text'
  if (/^([|>][+-]?\d?|\[\]|\{\}|---|\.\.\.)$/.test(value)) return 'mark'
  return 'plain'
}

/** The lines that can be folded, each with the line behind the last that goes with it. */
export function foldsOf(lines: readonly string[]): Map<number, number> {
  const out = new Map<number, number>()
  const open: { at: number; deep: number }[] = []
  let last = -1 // the last line that is not empty
  const close = (deep: number) => {
    for (let top = open.at(-1); top && top.deep >= deep; top = open.at(-1)) {
      open.pop()
      if (last > top.at + 1) out.set(top.at, last + 1)
    }
  }
  lines.forEach((line, at) => {
    if (line.trim() === '') return
    const deep = indentOf(line)
    close(deep)
    open.push({ at, deep })
    last = at
  })
  close(-1)
  return out
}

/** The numbers of the lines that are shown when some are folded. */
export function shownLines(count: number, folds: Map<number, number>, folded: ReadonlySet<number>): number[] {
  const out: number[] = []
  for (let at = 0; at < count; ) {
    out.push(at)
    at = (folded.has(at) && folds.get(at)) || at + 1
  }
  return out
}

/** The lines that hold a text, letter case aside. */
export function linesWith(lines: readonly string[], text: string): number[] {
  if (text === '') return []
  const wanted = text.toLowerCase()
  return lines.flatMap((line, at) => (line.toLowerCase().includes(wanted) ? [at] : []))
}
