// SPDX-License-Identifier: Apache-2.0

import type { IBufferCell, IBufferLine } from '@xterm/headless'
import { colourOf, type Piece } from '../ansi'

/** What of a cell is drawn. */
type Cell = Pick<
  IBufferCell,
  | 'getChars'
  | 'getWidth'
  | 'isBold'
  | 'isDim'
  | 'isItalic'
  | 'isUnderline'
  | 'isStrikethrough'
  | 'isInverse'
  | 'isInvisible'
  | 'isFgPalette'
  | 'isFgRGB'
  | 'isBgPalette'
  | 'isBgRGB'
  | 'getFgColor'
  | 'getBgColor'
>

/** A line of a terminal as it is read for drawing. */
export interface ScreenLine {
  length: number
  getCell(at: number): Cell | undefined
}

/** A piece of a row; the cursor is a piece of its own. */
export interface ScreenPiece extends Piece {
  cursor?: boolean
}

/** The pieces of a row of a terminal. cursor is the column where the cursor stands, or -1. Blanks at the end are left out. */
export function rowPieces(line: ScreenLine | IBufferLine | undefined, columns: number, cursor = -1): ScreenPiece[] {
  const out: ScreenPiece[] = []
  if (!line) return out
  for (let at = 0; at < Math.min(columns, line.length); at++) {
    const cell = line.getCell(at)
    if (!cell || cell.getWidth() === 0) continue // the second half of a wide sign
    const text = cell.isInvisible() ? ' ' : cell.getChars() || ' '
    const dressed =
      at === cursor
        ? { text, look: `${lookOf(cell).look} screen-cursor`.trim(), cursor: true }
        : { text, ...lookOf(cell) }
    const before = out.at(-1)
    if (before && alike(before, dressed)) before.text += text
    else out.push(dressed)
  }
  if (cursor >= line.length) out.push({ text: ' ', look: 'screen-cursor', cursor: true })
  const last = out.at(-1)
  if (last && last.look === '' && !last.back && !last.cursor) last.text = last.text.trimEnd()
  return out.filter((piece) => piece.text !== '')
}

function alike(a: ScreenPiece, b: ScreenPiece): boolean {
  return a.look === b.look && a.fore === b.fore && a.back === b.back && !a.cursor && !b.cursor
}

function lookOf(cell: Cell): Omit<Piece, 'text'> {
  const look: string[] = []
  if (cell.isBold()) look.push('ansi-bold')
  if (cell.isDim()) look.push('ansi-dim')
  if (cell.isItalic()) look.push('ansi-italic')
  if (cell.isUnderline()) look.push('ansi-underline')
  if (cell.isStrikethrough()) look.push('ansi-struck')
  const fore = cell.isFgRGB() ? rgb(cell.getFgColor()) : cell.isFgPalette() ? cell.getFgColor() : undefined
  const back = cell.isBgRGB() ? rgb(cell.getBgColor()) : cell.isBgPalette() ? cell.getBgColor() : undefined
  const inverse = cell.isInverse() !== 0
  const out: Omit<Piece, 'text'> = { look: '' }
  put(out, look, 'fore', inverse ? back : fore, inverse)
  put(out, look, 'back', inverse ? fore : back, inverse)
  out.look = look.join(' ')
  return out
}

function put(
  out: Omit<Piece, 'text'>,
  look: string[],
  side: 'fore' | 'back',
  colour: number | string | undefined,
  inverse: boolean,
) {
  const letter = side === 'fore' ? 'f' : 'b'
  if (colour === undefined) {
    if (inverse) look.push(side === 'fore' ? 'ansi-fback' : 'ansi-bfore')
  } else if (typeof colour === 'number' && colour < 16) look.push(`ansi-${letter}${colour}`)
  else out[side] = colourOf(colour)
}

function rgb(colour: number): string {
  return `rgb(${(colour >> 16) & 255}, ${(colour >> 8) & 255}, ${colour & 255})`
}
