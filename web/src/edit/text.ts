// SPDX-License-Identifier: Apache-2.0

import { type Document, isCollection, isMap, LineCounter, type ParsedNode, parseDocument } from 'yaml'

/** A place in the manifest: names of fields and positions in lists. */
export type Path = (string | number)[]

/** Where a text is no manifest, and why. */
export interface Wrong {
  message: string
  line: number
}

/**
 * A manifest as text and as what it says, in step: a change of a field changes just that in the text, so that comments, order and
 * fields that no form knows stay as they were written.
 */
export class Manifest {
  readonly text: string
  readonly wrong: Wrong | undefined
  private readonly document: Document.Parsed<ParsedNode> | undefined
  private readonly said: unknown

  constructor(text: string) {
    this.text = text
    const counter = new LineCounter()
    const document = parseDocument(text, { lineCounter: counter, prettyErrors: false })
    const [error] = document.errors
    if (error) {
      this.wrong = { message: error.message.replace(/\n[\s\S]*$/, ''), line: counter.linePos(error.pos[0]).line }
      return
    }
    if (!isMap(document.contents)) {
      this.wrong = { message: 'it is no manifest: fields with values are expected', line: 1 }
      return
    }
    try {
      this.said = document.toJS({ maxAliasCount: 50 })
    } catch (thrown) {
      this.wrong = { message: thrown instanceof Error ? thrown.message : String(thrown), line: 1 }
      return
    }
    this.document = document
  }

  /** What the manifest says; undefined while it is wrong. */
  get value(): unknown {
    return this.said
  }

  /** The value at a place; undefined if there is none. */
  at(path: Path): unknown {
    let value = this.said
    for (const step of path) {
      if (value === null || typeof value !== 'object') return undefined
      value = (value as Record<string | number, unknown>)[step]
    }
    return value
  }

  /** The text at a place, as a form shows it. */
  word(path: Path): string {
    const value = this.at(path)
    return typeof value === 'string'
      ? value
      : value === undefined || value === null || typeof value === 'object'
        ? ''
        : String(value)
  }

  /** The manifest with another value at a place. undefined takes the field away, and what is empty without it. */
  with(path: Path, value: unknown): Manifest {
    if (!this.document) return this
    const document = this.document.clone() as Document
    if (value === undefined) without(document, path)
    else document.setIn(path, plain(value) ? value : document.createNode(value))
    return new Manifest(printed(document))
  }

  /** The manifest with a field under another name, its value as it was written. */
  moved(from: Path, to: Path): Manifest {
    if (!this.document) return this
    const document = this.document.clone() as Document
    const node = document.getIn(from, true)
    if (node === undefined) return this
    document.deleteIn(from)
    document.setIn(to, node)
    return new Manifest(printed(document))
  }

  /** The line of a place in the text, from 1; that of what is around it if there is no such place. */
  line(path: Path): number {
    const counter = new LineCounter()
    const document = parseDocument(this.text, { lineCounter: counter })
    for (let length = path.length; length > 0; length--) {
      const parent = length > 1 ? document.getIn(path.slice(0, length - 1), true) : document.contents
      const step = path[length - 1]
      if (isMap(parent)) {
        const key = parent.items.find((pair) => String((pair.key as { value?: unknown })?.value) === step)?.key
        const range = (key as { range?: number[] } | undefined)?.range
        if (range) return counter.linePos(range[0] ?? 0).line
      } else if (isCollection(parent) && typeof step === 'number') {
        const range = (parent.items[step] as { range?: number[] } | undefined)?.range
        if (range) return counter.linePos(range[0] ?? 0).line
      }
    }
    return 1
  }
}

function plain(value: unknown): boolean {
  return value === null || typeof value !== 'object'
}

/** What has to be there in every Application stays, however empty. */
const kept = new Set(['metadata', 'spec', 'spec.destination', 'spec.source'])

/** Takes a field away, and the maps and lists around it that hold nothing any more. */
function without(document: Document, path: Path) {
  if (!document.hasIn(path)) return
  document.deleteIn(path)
  for (let length = path.length - 1; length > 0; length--) {
    const around = path.slice(0, length)
    const node = document.getIn(around, true)
    // An element of a list is one of several, empty or not: only people take it out. "automated: {}" means something.
    if (!isCollection(node) || node.items.length > 0 || typeof around.at(-1) === 'number') return
    if (kept.has(around.join('.')) || around.at(-1) === 'automated') return
    document.deleteIn(around)
  }
}

function printed(document: Document): string {
  return document.toString({ lineWidth: 0, indentSeq: false })
}
