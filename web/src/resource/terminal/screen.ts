// SPDX-License-Identifier: Apache-2.0

import { dressed, type Piece, plainPen } from '../ansi'
import type { Cell, Line } from './engine'

/** A piece of a row; the cursor is a piece of its own. */
export interface ScreenPiece extends Piece {
  cursor?: boolean
}

/** The pieces of a row of a terminal. cursor is the column where the cursor stands, or -1. Blanks at the end are left out. */
export function rowPieces(line: Line | undefined, cursor = -1): ScreenPiece[] {
  const out: ScreenPiece[] = []
  if (!line) return out
  let end = line.length
  while (end > 0 && end - 1 !== cursor && empty(line[end - 1]!)) end--
  for (let at = 0; at < end; ) {
    const from = at
    const { pen } = line[at]!
    let text = ''
    while (at < end && line[at]!.pen === pen && (at === from || (at !== cursor && from !== cursor)))
      text += textOf(line[at++]!)
    if (from !== cursor) {
      if (text !== '') add(out, dressed(text, pen))
      continue
    }
    const piece = dressed(text, pen)
    out.push({ ...piece, look: `${piece.look} screen-cursor`.trim(), cursor: true })
  }
  return out
}

/** Adds a piece, to the one before if that looks the same. */
function add(out: ScreenPiece[], piece: Piece) {
  const last = out.at(-1)
  if (last && !last.cursor && last.look === piece.look && last.fore === piece.fore && last.back === piece.back)
    last.text += piece.text
  else out.push(piece)
}

function textOf(cell: Cell): string {
  if (cell.width === 0) return ''
  return cell.pen.hidden ? ' '.repeat(cell.width) : cell.text || ' '
}

function empty(cell: Cell): boolean {
  return cell.text === '' && cell.width === 1 && (cell.pen === plainPen || cell.pen.back === undefined)
}
