// SPDX-License-Identifier: Apache-2.0

/** What of a key event decides what a terminal is sent. */
export interface Key {
  key: string
  ctrlKey: boolean
  altKey: boolean
  shiftKey: boolean
  metaKey: boolean
}

// Letters at the end of sequences of xterm (https://invisible-island.net/xterm/ctlseqs/ctlseqs.html).
const letters: Record<string, string> = {
  ArrowUp: 'A',
  ArrowDown: 'B',
  ArrowRight: 'C',
  ArrowLeft: 'D',
  Home: 'H',
  End: 'F',
  F1: 'P',
  F2: 'Q',
  F3: 'R',
  F4: 'S',
}

const numbers: Record<string, number> = {
  Insert: 2,
  Delete: 3,
  PageUp: 5,
  PageDown: 6,
  F5: 15,
  F7: 18,
  F8: 19,
  F9: 20,
  F10: 21,
  F12: 24,
}

const single: Record<string, string> = { Enter: '\r', Backspace: '\x7f', Escape: '\x1b', Tab: '\t' }

// What control does to keys that are no letters.
const controlled: Record<string, string> = {
  ' ': '\0',
  '@': '\0',
  '[': '\x1b',
  '\\': '\x1c',
  ']': '\x1d',
  '^': '\x1e',
  _: '\x1f',
  '/': '\x1f',
}

/**
 * What a key sends to a program in a terminal; undefined for a key that is left to the browser, such as copying, or that brings its
 * letter by itself. cursor is the mode in which programs ask for other arrows.
 */
export function sequenceOf(key: Key, cursor = false): string | undefined {
  if (key.metaKey || (key.ctrlKey && key.shiftKey && key.key.length === 1)) return undefined
  if (key.key === 'Tab' && key.shiftKey) return '\x1b[Z'
  const modifier = 1 + (key.shiftKey ? 1 : 0) + (key.altKey ? 2 : 0) + (key.ctrlKey ? 4 : 0)
  const letter = letters[key.key]
  if (letter) {
    if (modifier > 1) return `\x1b[1;${modifier}${letter}`
    return (cursor || letter > 'H' ? '\x1bO' : '\x1b[') + letter
  }
  const number = numbers[key.key]
  if (number) return modifier > 1 ? `\x1b[${number};${modifier}~` : `\x1b[${number}~`
  const plain = single[key.key]
  if (plain) return (key.altKey ? '\x1b' : '') + (key.ctrlKey && key.key === 'Backspace' ? '\b' : plain)
  if (key.key.length !== 1) return undefined
  return key.ctrlKey && !key.altKey ? control(key.key) : key.altKey && !key.ctrlKey ? `\x1b${key.key}` : undefined
}

function control(key: string): string | undefined {
  const letter = key.toLowerCase()
  if (letter >= 'a' && letter <= 'z') return letter === 'v' ? undefined : String.fromCharCode(letter.charCodeAt(0) - 96)
  return controlled[key]
}

/** Text that is pasted, as a program takes it. What would end the brackets is not part of it. */
export function pasted(text: string, bracketed: boolean): string {
  const lines = text.replace(/\r?\n/g, '\r')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: an escape in what is pasted could do what nobody typed
  return bracketed ? `\x1b[200~${lines.replace(/\x1b/g, '')}\x1b[201~` : lines
}
