// SPDX-License-Identifier: Apache-2.0

import { type Pen, plainPen } from '../ansi'
import { wide } from '../logs/heights'
import { Reader } from './reader'

/** A place on the screen. What stands in two columns has its text in the first; the second has none. */
export interface Cell {
  text: string
  width: 0 | 1 | 2
  pen: Pen
}

export type Line = Cell[]

/** What programs switched on or off. */
export interface Modes {
  cursorKeys: boolean
  bracketedPaste: boolean
  cursor: boolean
  wrap: boolean
  origin: boolean
  insert: boolean
}

const usual: Modes = {
  cursorKeys: false,
  bracketedPaste: false,
  cursor: true,
  wrap: true,
  origin: false,
  insert: false,
}

interface Saved {
  x: number
  y: number
  pen: Pen
  origin: boolean
  graphics: boolean[]
  shifted: number
}

/** Signs of boxes that programs draw with letters. */
const boxes: Record<string, string> = Object.fromEntries(
  [...'`afgjklmnopqrstuvwxyz{|}~'].map((letter, at) => [letter, [...'◆▒°±┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·'][at]!]),
)

/** What stays of a pen where something is erased: the colour behind it. */
function erased(pen: Pen): Pen {
  return pen.back === undefined ? plainPen : { ...plainPen, back: pen.back }
}

const mark = /^(?:\p{M}|\u200d|\ufe0e|\ufe0f)$/u

/** How long a letter is with its marks: programs may write any number of them. */
const mostMarked = 32

/**
 * A terminal as programs know it: an xterm without mouse, pictures and titles. It is told what a program writes, and has lines to
 * draw: the last rows are the screen, those before it went out of view.
 * What the sequences mean: https://invisible-island.net/xterm/ctlseqs/ctlseqs.html
 */
export class Engine {
  modes: Modes = { ...usual }
  x = 0
  y = 0
  pen: Pen = plainPen
  /** The first and the last row that scroll. */
  top = 0
  bottom: number
  lines: Line[] = []
  private main: Line[] | undefined // while another screen is shown
  private saved: Saved | undefined
  private savedMain: Saved | undefined
  private pending = false // the last column is written: the next letter begins a new line
  private tabs = new Set<number>()
  private graphics = [false, false]
  private shifted = 0
  private last = ''
  private readonly reader = new Reader(this)

  constructor(
    public cols: number,
    public rows: number,
    private readonly kept: number,
    readonly reply: (text: string) => void,
  ) {
    this.bottom = rows - 1
    this.reset()
  }

  write(text: string) {
    this.reader.read(text)
  }

  /** The number of lines before the screen. */
  get base(): number {
    return this.lines.length - this.rows
  }

  reset() {
    this.lines = this.screen()
    this.main = undefined
    this.saved = this.savedMain = undefined
    this.tabs = new Set(Array.from({ length: 40 }, (_, at) => at * 8))
    this.soften()
    this.move(0, 0)
  }

  /** What a soft reset puts back: all but the screen. */
  soften() {
    this.modes = { ...usual }
    this.pen = plainPen
    this.graphics = [false, false]
    this.shifted = 0
    this.top = 0
    this.bottom = this.rows - 1
  }

  private blank(pen = erased(this.pen)): Cell {
    return { text: '', width: 1, pen }
  }

  private blankLine(): Line {
    return Array.from({ length: this.cols }, () => this.blank())
  }

  private screen(): Line[] {
    return Array.from({ length: this.rows }, () => this.blankLine())
  }

  private get line(): Line {
    return this.lines[this.base + this.y]!
  }

  print(sign: string) {
    const drawn = this.graphics[this.shifted] ? (boxes[sign] ?? sign) : sign
    if (mark.test(drawn)) {
      this.combine(drawn)
      return
    }
    const width = wide(drawn.codePointAt(0)!) ? 2 : 1
    if (this.modes.wrap && (this.pending || this.x + width > this.cols)) {
      this.x = 0
      this.feed()
    } else if (this.x + width > this.cols) this.x = this.cols - width
    this.pending = false
    if (this.modes.insert) this.insert(width)
    this.put(this.x, { text: drawn, width, pen: this.pen })
    if (width === 2) this.put(this.x + 1, { text: '', width: 0, pen: this.pen })
    this.last = sign
    this.x += width
    if (this.x >= this.cols) {
      this.x = this.cols - 1
      this.pending = true
    }
  }

  /** Adds a mark to the letter before. */
  private combine(sign: string) {
    const { line } = this
    let at = this.pending ? this.x : this.x - 1
    if (line[at]?.width === 0) at--
    const before = line[at]
    if (before && before.text.length < mostMarked) line[at] = { ...before, text: before.text + sign }
  }

  /** Writes a cell; of a wide letter that loses its other half nothing is left. */
  private put(at: number, cell: Cell) {
    const { line } = this
    const was = line[at]
    if (was?.width === 0 && cell.width !== 0 && line[at - 1]?.width === 2) line[at - 1] = this.blank()
    if (was?.width === 2 && line[at + 1]?.width === 0) line[at + 1] = this.blank()
    line[at] = cell
  }

  repeat(times: number) {
    if (this.last === '') return
    for (let n = 0; n < Math.min(times, this.cols * this.rows); n++) this.print(this.last)
  }

  /** Goes to a place of the screen, or of what scrolls if a program said so. */
  move(x: number, y: number) {
    const [least, most] = this.modes.origin ? [this.top, this.bottom] : [0, this.rows - 1]
    this.x = Math.max(0, Math.min(this.cols - 1, x))
    this.y = Math.max(least, Math.min(most, y + (this.modes.origin ? this.top : 0)))
    this.pending = false
  }

  /** Goes some rows and columns, and not out of what scrolls if it is there. */
  step(x: number, y: number) {
    const least = this.y >= this.top ? this.top : 0
    const most = this.y <= this.bottom ? this.bottom : this.rows - 1
    this.x = Math.max(0, Math.min(this.cols - 1, this.x + x))
    this.y = Math.max(y < 0 ? least : 0, Math.min(y > 0 ? most : this.rows - 1, this.y + y))
    this.pending = false
  }

  /** Goes down a row; at the end of what scrolls it scrolls. */
  feed() {
    if (this.y === this.bottom) this.advance()
    else if (this.y < this.rows - 1) this.y++
    this.pending = false
  }

  /** Goes up a row; at the beginning of what scrolls it scrolls back. */
  back() {
    if (this.y === this.top) this.scroll(-1)
    else if (this.y > 0) this.y--
    this.pending = false
  }

  tab(times: number) {
    if (this.pending && times > 0) return
    for (let n = 0; n < Math.min(Math.abs(times), this.cols); n++) {
      const step = times > 0 ? 1 : -1
      let at = this.x + step
      while (at > 0 && at < this.cols - 1 && !this.tabs.has(at)) at += step
      this.x = Math.max(0, Math.min(this.cols - 1, at))
    }
    this.pending = false
  }

  setTab(on: boolean, all = false) {
    if (all) this.tabs.clear()
    else if (on) this.tabs.add(this.x)
    else this.tabs.delete(this.x)
  }

  /** Scrolls forward, or back if negative. */
  scroll(times: number) {
    if (times > 0) this.shift(this.top, times)
    else this.open(this.top, -times)
  }

  /** Scrolls by a row. What leaves the main screen at its top is kept. */
  private advance() {
    if (this.top > 0 || this.main) {
      this.shift(this.top, 1)
      return
    }
    this.lines.splice(this.base + this.bottom + 1, 0, this.blankLine())
    if (this.lines.length > this.rows + this.kept) this.lines.shift()
  }

  /** Takes lines away at a row and brings blank ones in at the end of what scrolls. */
  private shift(at: number, times: number) {
    for (let n = 0; n < Math.min(times, this.rows); n++) {
      const { base } = this
      this.lines.splice(base + at, 1)
      this.lines.splice(base + this.bottom, 0, this.blankLine())
    }
  }

  /** Brings blank lines in at a row and takes away those at the end of what scrolls. */
  private open(at: number, times: number) {
    for (let n = 0; n < Math.min(times, this.rows); n++) {
      const { base } = this
      this.lines.splice(base + this.bottom, 1)
      this.lines.splice(base + at, 0, this.blankLine())
    }
  }

  /** Inserts blank lines where the cursor is, or deletes lines if negative. */
  insertLines(times: number) {
    if (this.y < this.top || this.y > this.bottom) return
    if (times < 0) this.shift(this.y, -times)
    else this.open(this.y, times)
    this.x = 0
    this.pending = false
  }

  /** Inserts blanks where the cursor is, or deletes letters if negative. */
  insert(times: number) {
    const count = Math.min(Math.abs(times), this.cols - this.x)
    const blanks = Array.from({ length: count }, () => this.blank())
    const { line } = this
    if (times > 0) {
      line.splice(this.x, 0, ...blanks)
      line.length = this.cols
    } else {
      line.splice(this.x, count)
      line.push(...blanks)
    }
    this.mend(line)
    this.pending = false
  }

  /** Erases columns of the line of the cursor. */
  erase(from: number, to: number) {
    const { line } = this
    for (let at = Math.max(0, from); at < Math.min(this.cols, to); at++) line[at] = this.blank()
    this.mend(line)
    this.pending = false
  }

  /** Halves of wide letters are none. */
  private mend(line: Line) {
    line.forEach((cell, at) => {
      if (cell.width === 2 && line[at + 1]?.width !== 0) line[at] = this.blank()
      if (cell.width === 0 && line[at - 1]?.width !== 2) line[at] = this.blank()
    })
  }

  /** Erases rows of the screen. */
  eraseRows(from: number, to: number) {
    for (let at = from; at < to; at++) this.lines[this.base + at] = this.blankLine()
  }

  forget() {
    if (!this.main) this.lines.splice(0, this.base)
  }

  region(top: number, bottom: number) {
    const last = Math.min(bottom, this.rows) - 1
    if (top >= last) return
    this.top = top
    this.bottom = last
    this.move(0, 0)
  }

  save() {
    const { x, y, pen, graphics, shifted } = this
    this.saved = { x, y, pen, graphics: [...graphics], shifted, origin: this.modes.origin }
  }

  restore() {
    const from = this.saved ?? { x: 0, y: 0, pen: plainPen, graphics: [false, false], shifted: 0, origin: false }
    this.pen = from.pen
    this.graphics = [...from.graphics]
    this.shifted = from.shifted
    this.modes.origin = from.origin
    this.x = Math.min(from.x, this.cols - 1)
    this.y = Math.min(from.y, this.rows - 1)
    this.pending = false
  }

  /** Shows another screen, or the main one again. */
  alternate(on: boolean) {
    if (on === (this.main !== undefined)) return
    if (on) {
      this.savedMain = this.saved
      this.main = this.lines
      this.lines = this.screen()
    } else {
      this.lines = this.main!
      this.main = undefined
      this.saved = this.savedMain
    }
    this.pending = false
  }

  charset(place: number, name: string) {
    this.graphics[place] = name === '0'
  }

  shiftTo(place: number) {
    this.shifted = place
  }

  resize(cols: number, rows: number) {
    const shown = this.lines
    const cursor = this.base + this.y
    if (this.main) this.main = this.fitted(this.main, cols, rows, this.main.length - 1)
    this.lines = this.fitted(shown, cols, rows, cursor)
    // Another screen keeps nothing: what does not fit above the cursor is gone.
    const gone = this.main ? this.lines.splice(0, this.lines.length - rows).length : 0
    this.cols = cols
    this.rows = rows
    this.top = 0
    this.bottom = rows - 1
    this.x = Math.min(this.x, cols - 1)
    this.y = Math.max(0, Math.min(rows - 1, cursor - gone - this.base))
    this.pending = false
  }

  /** Lines for a screen of another size. Of one that is lower, rows below the cursor go first; those above go out of view. */
  private fitted(lines: Line[], cols: number, rows: number, cursor: number): Line[] {
    const fresh = (): Cell => ({ text: '', width: 1, pen: plainPen })
    const out = lines.map((line) => {
      const next = line.slice(0, cols)
      while (next.length < cols) next.push(fresh())
      this.mend(next)
      return next
    })
    const base = out.length - this.rows
    while (out.length - base > rows && out.length - 1 > cursor) out.pop()
    while (out.length < rows) out.push(Array.from({ length: cols }, fresh))
    return out
  }
}
