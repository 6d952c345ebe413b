// SPDX-License-Identifier: Apache-2.0

/** A piece of text that looks the same throughout. */
export interface Piece {
  text: string
  /** Classes of the style sheet: bold, dim, italic, underline, struck, and the 16 colours as ansi-f0 and ansi-b0. */
  look: string
  /** A colour of the larger palettes. */
  fore?: string
  back?: string
}

/** How text is written at a place. Colours are numbers of the palette of 256, or rgb(…). */
export interface Pen {
  bold: boolean
  dim: boolean
  italic: boolean
  underline: boolean
  struck: boolean
  inverse: boolean
  hidden: boolean
  fore: number | string | undefined
  back: number | string | undefined
}

/** How text is written where nothing was said of it. */
export const plainPen: Pen = {
  bold: false,
  dim: false,
  italic: false,
  underline: false,
  struck: false,
  inverse: false,
  hidden: false,
  fore: undefined,
  back: undefined,
}

// Sequences of ECMA-48 (https://ecma-international.org/publications-and-standards/standards/ecma-48/): those with parameters, strings
// up to their end (or the end of the line), those with intermediate signs, and any other letter behind an escape.
const sequence =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  /(?:\x1b\[|\x9b)([0-?]*)[ -/]*([@-~]?)|(?:\x1b[PX\]^_]|[\x90\x98\x9d\x9e\x9f])(?:[^\x07\x1b\x9c]|\x1b(?!\\))*(?:\x07|\x1b\\|\x9c|$)|\x1b[ -/]*[0-~]?/g

// What draws nothing but does something: controls, and signs that turn the direction of what follows, which could make a line
// read as another one.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const harmful = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g

/** A line without colours and anything else that is not text. */
export function plain(line: string): string {
  return clean(line.includes('\x1b') || /[\x80-\x9f]/.test(line) ? line.replace(sequence, '') : line)
}

function clean(text: string): string {
  return text.replace(harmful, '')
}

/** How many pieces a line is cut into; what follows looks like the last: a line of nothing but colours would hold the page up. */
export const mostPieces = 1_000

/** A line cut into pieces of equal look. Sequences that do anything but colour are dropped. */
export function pieces(line: string): Piece[] {
  const out: Piece[] = []
  let pen = plainPen
  let from = 0
  const put = (to: number) => {
    const text = clean(line.slice(from, to))
    if (text !== '') out.push(dressed(text, pen))
  }
  for (const found of line.matchAll(sequence)) {
    put(found.index)
    from = found.index + found[0].length
    if (out.length >= mostPieces) break
    if (found[2] === 'm') pen = turned(pen, found[1] ?? '')
  }
  const rest = plain(line.slice(from))
  if (rest !== '') out.push(dressed(rest, pen))
  return out
}

/** A text as a pen writes it. */
export function dressed(text: string, pen: Pen): Piece {
  const look: string[] = []
  for (const name of ['bold', 'dim', 'italic', 'underline', 'struck'] as const) if (pen[name]) look.push(`ansi-${name}`)
  const [fore, back] = pen.inverse ? [pen.back ?? 'back', pen.fore ?? 'fore'] : [pen.fore, pen.back]
  const piece: Piece = { text, look: '' }
  if (fore === 'back' || back === 'fore') look.push(...(fore === 'back' ? ['ansi-fback'] : []))
  if (back === 'fore') look.push('ansi-bfore')
  if (typeof fore === 'number' && fore < 16) look.push(`ansi-f${fore}`)
  else if (fore !== undefined && fore !== 'back') piece.fore = colourOf(fore)
  if (typeof back === 'number' && back < 16) look.push(`ansi-b${back}`)
  else if (back !== undefined && back !== 'fore') piece.back = colourOf(back)
  piece.look = look.join(' ')
  return piece
}

const levels = [0, 95, 135, 175, 215, 255]

/** A colour of the palette of 256 beyond the first 16 (a cube, and greys), for a style. */
export function colourOf(colour: number | string): string {
  if (typeof colour === 'string') return colour
  if (colour >= 232) {
    const grey = 8 + (colour - 232) * 10
    return `rgb(${grey}, ${grey}, ${grey})`
  }
  const at = colour - 16
  return `rgb(${levels[Math.floor(at / 36)]}, ${levels[Math.floor(at / 6) % 6]}, ${levels[at % 6]})`
}

/** The pen after the parameters of a sequence that ends with m (SGR). */
export function turned(pen: Pen, parameters: string): Pen {
  if (!/^[\d;:]*$/.test(parameters)) return pen // a private one
  const codes = parameters.split(';').flatMap(codesOf)
  let now = { ...pen }
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at]!
    if (code === 38 || code === 48) {
      const [colour, used] = extended(codes, at + 1)
      if (colour !== undefined) now[code === 38 ? 'fore' : 'back'] = colour
      at += used
    } else now = simple(now, code)
  }
  return now
}

/** One parameter as codes: what follows a colon says more about it, such as how it is underlined, or which colour. */
function codesOf(parameter: string): number[] {
  const [code = 0, ...more] = parameter.split(':').map((text) => (text === '' ? 0 : Number(text)))
  if (more.length === 0) return [code]
  if (code === 4) return [more[0] === 0 ? 24 : 4]
  if (code !== 38 && code !== 48) return [code]
  // With colons a colour space may be named before red, green and blue.
  return [code, more[0]!, ...(more[0] === 2 && more.length > 4 ? more.slice(-3) : more.slice(1))]
}

const on: Record<number, Partial<Pen>> = {
  0: plainPen,
  1: { bold: true },
  2: { dim: true },
  3: { italic: true },
  4: { underline: true },
  7: { inverse: true },
  8: { hidden: true },
  9: { struck: true },
  22: { bold: false, dim: false },
  23: { italic: false },
  24: { underline: false },
  27: { inverse: false },
  28: { hidden: false },
  29: { struck: false },
  39: { fore: undefined },
  49: { back: undefined },
}

function simple(pen: Pen, code: number): Pen {
  if (code >= 30 && code <= 37) return { ...pen, fore: code - 30 }
  if (code >= 40 && code <= 47) return { ...pen, back: code - 40 }
  if (code >= 90 && code <= 97) return { ...pen, fore: code - 82 }
  if (code >= 100 && code <= 107) return { ...pen, back: code - 92 }
  return { ...pen, ...on[code] }
}

/** A colour that takes several parameters, and how many. */
function extended(codes: number[], at: number): [number | string | undefined, number] {
  const byte = (n: number | undefined) => n !== undefined && n >= 0 && n <= 255
  if (codes[at] === 5) return [byte(codes[at + 1]) ? codes[at + 1] : undefined, 2]
  if (codes[at] !== 2) return [undefined, 1]
  const rgb = codes.slice(at + 1, at + 4)
  return [rgb.length === 3 && rgb.every(byte) ? `rgb(${rgb.join(', ')})` : undefined, 4]
}
