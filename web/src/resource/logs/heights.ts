// SPDX-License-Identifier: Apache-2.0

/** How wide a sign is in columns: signs of East Asia and pictures take two. */
export function wide(code: number): boolean {
  return (
    code >= 0x1100 &&
    (code <= 0x115f ||
      (code >= 0x2e80 && code <= 0xa4cf) ||
      (code >= 0xac00 && code <= 0xd7a3) ||
      (code >= 0xf900 && code <= 0xfaff) ||
      (code >= 0xfe30 && code <= 0xfe6f) ||
      (code >= 0xff00 && code <= 0xff60) ||
      (code >= 0xffe0 && code <= 0xffe6) ||
      (code >= 0x1f300 && code <= 0x1faff) ||
      (code >= 0x20000 && code <= 0x3fffd))
  )
}

/** How many columns a text takes. */
export function columnsOf(text: string): number {
  if (!/[^\x20-\x7e]/.test(text)) return text.length
  let columns = 0
  for (const sign of text) columns += sign === '\t' ? 8 - (columns % 8) : wide(sign.codePointAt(0)!) ? 2 : 1
  return columns
}

/** Where the rows of a list stand whose lines take more than one row each. */
export class Heights {
  /** tops[i] is how many rows are before line i; the last is how many there are. */
  private tops: number[] = [0]

  get rows(): number {
    return this.tops.at(-1)!
  }

  get count(): number {
    return this.tops.length - 1
  }

  /** Adds a line that takes that many rows. */
  add(rows: number) {
    this.tops.push(this.rows + rows)
  }

  /** Takes lines away from the beginning. Returns how many rows they took. */
  drop(lines: number): number {
    const gone = this.top(lines)
    this.tops = this.tops.slice(lines).map((top) => top - gone)
    return gone
  }

  /** How many rows are before a line. */
  top(line: number): number {
    return this.tops[Math.min(line, this.count)]!
  }

  /** The line that a row is of. */
  lineAt(row: number): number {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.tops[middle]! <= row) low = middle
      else high = middle - 1
    }
    return Math.min(low, Math.max(0, this.count - 1))
  }
}
