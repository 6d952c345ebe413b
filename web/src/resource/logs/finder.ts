// SPDX-License-Identifier: Apache-2.0

import { type Piece, plain } from '../ansi'
import { found, type Line } from './buffer'

/** The lines that hold a text, by their numbers. Of a log that grows, only what came is looked at. */
export class Finder {
  /** The IDs of the lines, ascending. */
  hits: number[] = []
  private upto = 0

  constructor(
    readonly wanted: string,
    readonly matchCase: boolean,
  ) {}

  look(lines: readonly Line[]) {
    const [first] = lines
    if (this.wanted === '' || !first) {
      this.hits = []
      return
    }
    if (this.hits[0] !== undefined && this.hits[0] < first.id) this.hits = this.hits.filter((id) => id >= first.id)
    for (let at = Math.max(0, this.upto + 1 - first.id); at < lines.length; at++) {
      const line = lines[at]!
      if (found(plain(line.text), this.wanted, this.matchCase).length > 0) this.hits.push(line.id)
      this.upto = line.id
    }
  }

  /** The place of a hit in the order of hits, from 1; 0 if there is none. */
  placeOf(id: number | undefined): number {
    return id === undefined ? 0 : this.hits.indexOf(id) + 1
  }

  /** The hit that is a step further than the present one; without a present one the newest. */
  step(from: number | undefined, by: number): number | undefined {
    const count = this.hits.length
    if (count === 0) return undefined
    const at = from === undefined ? -1 : this.hits.indexOf(from)
    return at < 0 ? this.hits[count - 1] : this.hits[(at + by + count) % count]
  }
}

/** A piece, and whether it is what was looked for. */
export interface MarkedPiece extends Piece {
  hit?: boolean
}

/** How many places of one line are marked: a line that is made of nothing else would be a document of its own. */
export const mostMarks = 1_000

/** Pieces cut where what is looked for begins and ends. */
export function marked(pieces: readonly Piece[], wanted: string, matchCase: boolean): MarkedPiece[] {
  if (wanted === '') return [...pieces]
  const places = found(pieces.map((piece) => piece.text).join(''), wanted, matchCase).slice(0, mostMarks)
  const out: MarkedPiece[] = []
  let next = 0
  let from = 0
  for (const piece of pieces) {
    const end = from + piece.text.length
    for (let at = from; at < end; ) {
      while (next < places.length && places[next]! + wanted.length <= at) next++
      const place = places[next] ?? end
      const hit = place <= at
      const cut = Math.min(end, hit ? place + wanted.length : place)
      out.push({ ...piece, text: piece.text.slice(at - from, cut - from), ...(hit && { hit }) })
      at = cut
    }
    from = end
  }
  return out
}
