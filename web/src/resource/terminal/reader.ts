// SPDX-License-Identifier: Apache-2.0

import { turned } from '../ansi'
import type { Engine } from './engine'

// A string up to its end; a sequence with parameters; an escape with one letter.
const whole =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  /\x1b(?:[P\]X^_](?:[^\x07\x1b]|\x1b(?!\\))*(?:\x07|\x1b\\)|\[([<-?]*)([\d;:]*)([ -/]*)([@-~])|([ -/]*)([0-OQ-WYZ\\`-~]))/y

/** Longer than this no sequence is that means anything. */
const longest = 65_536

/** Reads what a program writes, in pieces that may end anywhere, and has the engine do it. */
export class Reader {
  private rest = ''

  constructor(private readonly engine: Engine) {}

  read(more: string) {
    const text = this.rest + more
    this.rest = ''
    for (let at = 0; at < text.length; ) {
      const code = text.charCodeAt(at)
      if (code === 0x1b) {
        whole.lastIndex = at
        const found = whole.exec(text)
        if (found) {
          at += found[0].length
          this.sequence(found)
        } else if (incomplete(text, at)) {
          this.rest = text.length - at < longest ? text.slice(at) : ''
          return
        } else at++ // no sequence: what follows is text
      } else if (code < 0x20 || (code >= 0x7f && code < 0xa0)) {
        this.control(code)
        at++
      } else {
        const sign = String.fromCodePoint(text.codePointAt(at)!)
        this.engine.print(sign)
        at += sign.length
      }
    }
  }

  private control(code: number) {
    const { engine } = this
    if (code === 8) engine.step(-1, 0)
    else if (code === 9) engine.tab(1)
    else if (code >= 10 && code <= 12) engine.feed()
    else if (code === 13) engine.move(0, engine.y - (engine.modes.origin ? engine.top : 0))
    else if (code === 14 || code === 15) engine.shiftTo(code === 14 ? 1 : 0)
  }

  private sequence([, prefix = '', parameters = '', between = '', final, intermediate = '', letter]: RegExpExecArray) {
    if (letter !== undefined) this.escape(intermediate, letter)
    else if (final !== undefined) this.numbered(prefix, parameters, between, final)
  }

  private escape(intermediate: string, letter: string) {
    const { engine } = this
    if (intermediate === '(' || intermediate === ')') engine.charset(intermediate === '(' ? 0 : 1, letter)
    if (intermediate !== '') return
    if (letter === '7') engine.save()
    else if (letter === '8') engine.restore()
    else if (letter === 'D') engine.feed()
    else if (letter === 'E') {
      engine.x = 0
      engine.feed()
    } else if (letter === 'M') engine.back()
    else if (letter === 'H') engine.setTab(true)
    else if (letter === 'c') engine.reset()
  }

  private numbered(prefix: string, parameters: string, between: string, final: string) {
    const numbers = parameters.split(/[;:]/).map((text) => Math.min(Number(text) || 0, 9_999))
    if (prefix === '?' && between === '' && (final === 'h' || final === 'l')) {
      for (const n of numbers) this.privateMode(n, final === 'h')
    } else if (prefix === '>' && final === 'c') this.engine.reply('\x1b[>0;276;0c')
    else if (prefix === '' && between === '!' && final === 'p') this.engine.soften()
    else if (prefix === '' && between === '' && final === 'm') this.engine.pen = turned(this.engine.pen, parameters)
    else if (between === '' && (prefix === '' || (prefix === '?' && 'JK'.includes(final)))) this.plain(final, numbers)
  }

  private plain(final: string, numbers: number[]) {
    const { engine } = this
    const [first = 0, second = 0] = numbers
    const n = Math.max(1, first)
    const row = engine.y - (engine.modes.origin ? engine.top : 0)
    const moves: Record<string, () => void> = {
      A: () => engine.step(0, -n),
      B: () => engine.step(0, n),
      C: () => engine.step(n, 0),
      D: () => engine.step(-n, 0),
      E: () => {
        engine.step(0, n)
        engine.x = 0
      },
      F: () => {
        engine.step(0, -n)
        engine.x = 0
      },
      G: () => engine.move(n - 1, row),
      '`': () => engine.move(n - 1, row),
      a: () => engine.step(n, 0),
      d: () => engine.move(engine.x, n - 1),
      e: () => engine.step(0, n),
      H: () => engine.move(Math.max(1, second) - 1, n - 1),
      f: () => engine.move(Math.max(1, second) - 1, n - 1),
      I: () => engine.tab(n),
      Z: () => engine.tab(-n),
      J: () => this.eraseScreen(first),
      K: () => this.eraseLine(first),
      L: () => engine.insertLines(n),
      M: () => engine.insertLines(-n),
      P: () => engine.insert(-n),
      '@': () => engine.insert(n),
      X: () => engine.erase(engine.x, engine.x + n),
      S: () => engine.scroll(n),
      T: () => engine.scroll(-n),
      b: () => engine.repeat(n),
      g: () => engine.setTab(false, first === 3),
      r: () => engine.region(n - 1, second || engine.rows),
      s: () => engine.save(),
      u: () => engine.restore(),
      n: () => this.report(first, row),
      c: () => engine.reply('\x1b[?1;2c'),
      h: () => this.mode(first, true),
      l: () => this.mode(first, false),
    }
    moves[final]?.()
  }

  private mode(which: number, on: boolean) {
    if (which === 4) this.engine.modes.insert = on
  }

  private report(what: number, row: number) {
    if (what === 5) this.engine.reply('\x1b[0n')
    if (what === 6) this.engine.reply(`\x1b[${row + 1};${this.engine.x + 1}R`)
  }

  private eraseLine(what: number) {
    const { engine } = this
    if (what === 0) engine.erase(engine.x, engine.cols)
    else if (what === 1) engine.erase(0, engine.x + 1)
    else if (what === 2) engine.erase(0, engine.cols)
  }

  private eraseScreen(what: number) {
    const { engine } = this
    if (what === 3) engine.forget()
    if (what > 2) return
    this.eraseLine(what)
    if (what !== 1) engine.eraseRows(engine.y + 1, engine.rows)
    if (what !== 0) engine.eraseRows(0, engine.y)
  }

  private privateMode(which: number, on: boolean) {
    const { engine } = this
    if (which === 1) engine.modes.cursorKeys = on
    else if (which === 6) {
      engine.modes.origin = on
      engine.move(0, 0)
    } else if (which === 7) engine.modes.wrap = on
    else if (which === 25) engine.modes.cursor = on
    else if (which === 2004) engine.modes.bracketedPaste = on
    else if (which === 47 || which === 1047) engine.alternate(on)
    else if (which === 1048 || which === 1049) {
      if (on) engine.save()
      if (which === 1049) engine.alternate(on)
      if (!on) engine.restore()
    }
  }
}

/** Whether a sequence that begins here may still become one when more comes. */
function incomplete(text: string, at: number): boolean {
  const rest = text.slice(at + 1, at + longest)
  if (/^[P\]X^_]/.test(rest)) return true
  return /^(?:\[[<-?]*[\d;:]*[ -/]*|[ -/]*)$/.test(rest)
}
