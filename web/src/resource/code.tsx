// SPDX-License-Identifier: Apache-2.0

import './code.css'
import type { ComponentChildren } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { Copy, IconButton, useWindowed } from '../kit'
import { upright } from '../safe/text'
import { foldsOf, linesWith, shownLines, textLines, tokensOf } from './tokens'

/** Height of a line of code, as in the style sheet. */
export const lineHeight = 20

/** Long texts in YAML are folded from the beginning past this many lines: nobody reads them first. */
const longFold = 200

/** A text of YAML to read: numbered, folding, to be searched, copied and saved. */
export function Code({
  text,
  label,
  file,
  children,
}: {
  text: string
  label: string
  file: string
  children?: ComponentChildren
}) {
  const lines = useMemo(() => text.replace(/\n$/, '').split('\n'), [text])
  const folds = useMemo(() => foldsOf(lines), [lines])
  const [toggled, setToggled] = useState<ReadonlySet<string>>(new Set())
  // By what a line says and not by its number: what is above it may change while one reads.
  const isFolded = (at: number) => (folds.get(at)! - at > longFold && at > 0) !== toggled.has(nameOf(lines, at))
  const folded = useMemo(() => new Set([...folds.keys()].filter(isFolded)), [folds, toggled])
  const shown = useMemo(() => shownLines(lines.length, folds, folded), [lines, folds, folded])
  const [search, setSearch] = useState('')
  const hits = useMemo(() => linesWith(lines, search), [lines, search])
  const [hit, setHit] = useState(0)
  const toggle = (at: number) => {
    const next = new Set(toggled)
    if (!next.delete(nameOf(lines, at))) next.add(nameOf(lines, at))
    setToggled(next)
  }
  const at = hits.length > 0 ? hits[hit % hits.length] : undefined
  return (
    <div class="code">
      <div class="code-bar">
        <CodeSearch
          label={label}
          value={search}
          onInput={(value) => {
            setSearch(value)
            setHit(0)
          }}
          count={hits.length}
          at={hits.length > 0 ? (hit % hits.length) + 1 : 0}
          go={(step) => setHit((n) => (n + step + hits.length) % Math.max(1, hits.length))}
        />
        {children}
        <Copy text={text} what={label} />
        <IconButton small label={`Download ${file}`} icon="download" onClick={() => download(text, file)} />
      </div>
      <Lines
        lines={lines}
        shown={shown}
        folds={folds}
        folded={folded}
        onFold={toggle}
        label={label}
        hit={at}
        open={toggle}
      />
    </div>
  )
}

function nameOf(lines: readonly string[], at: number): string {
  return `${lines[at]!} ${lines[at + 1] ?? ''}`
}

/** A field that searches in what is shown, with how many places there are and the way from one to the next. */
export function CodeSearch({
  label,
  value,
  onInput,
  count,
  at,
  go,
}: {
  label: string
  value: string
  onInput: (value: string) => void
  count: number
  at: number
  go: (step: number) => void
}) {
  return (
    <div class="code-search">
      <input
        class="input"
        type="search"
        placeholder="Find"
        aria-label={`Find in ${label}`}
        value={value}
        onInput={(event) => onInput(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') go(event.shiftKey ? -1 : 1)
        }}
      />
      <span class="soft tabular code-count" role="status">
        {value !== '' && (count === 0 ? 'none' : at === 0 ? count : `${at} of ${count}`)}
      </span>
      <IconButton small label="Previous place" icon="up" disabled={count === 0} onClick={() => go(-1)} />
      <IconButton small label="Next place" icon="down" disabled={count === 0} onClick={() => go(1)} />
    </div>
  )
}

interface LinesProps {
  lines: readonly string[]
  shown: readonly number[]
  folds: Map<number, number>
  folded: ReadonlySet<number>
  onFold: (at: number) => void
  open: (at: number) => void
  label: string
  hit: number | undefined
}

/** The lines that are in view. */
function Lines({ lines, shown, folds, folded, onFold, open, label, hit }: LinesProps) {
  const scroller = useRef<HTMLElement>(null)
  const slice = useWindowed(scroller, shown.length, lineHeight, true)
  const texts = useMemo(() => textLines(lines), [lines])
  const widest = useMemo(() => lines.reduce((most, line) => Math.max(most, line.length), 0), [lines])
  useEffect(() => {
    if (hit === undefined) return
    for (const [from, end] of folds) if (from < hit && hit < end && folded.has(from)) open(from)
    const row = shown.indexOf(hit)
    const element = scroller.current
    if (element && row >= 0) element.scrollTop = Math.max(0, row * lineHeight - element.clientHeight / 3)
  }, [hit, shown])
  const digits = String(lines.length).length
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard
    <section class="code-lines" ref={scroller} tabIndex={0} aria-label={label}>
      <div class="code-all" style={{ height: `${slice.height}px`, minWidth: `${widest + digits + 6}ch` }}>
        <div style={{ transform: `translateY(${slice.top}px)` }}>
          {shown.slice(slice.first, slice.last).map((at) => (
            <div key={at} class={at === hit ? 'code-line code-hit' : 'code-line'}>
              <span class="code-number" style={{ width: `${digits + 1}ch` }} data-number={at + 1} />
              {folds.has(at) ? (
                <button
                  type="button"
                  class="code-fold"
                  aria-expanded={!folded.has(at)}
                  aria-label={`Lines ${at + 2} to ${folds.get(at)}`}
                  onClick={() => onFold(at)}
                >
                  {folded.has(at) ? '▸' : '▾'}
                </button>
              ) : (
                <span class="code-fold" />
              )}
              <Tokens line={lines[at]!} inside={texts[at]!} />
              {folded.has(at) && <span class="code-folded">{folds.get(at)! - at - 1} lines</span>}
            </div>
          ))}
        </div>
      </div>
    </section>
  )
}

/** A line of YAML in its colours. */
export function Tokens({ line, inside = false }: { line: string; inside?: boolean }) {
  return (
    <span class="code-text">
      {tokensOf(line, inside).map((token, at) => (
        <span key={at} class={token.kind === 'plain' ? undefined : `token-${token.kind}`}>
          {upright(token.text)}
        </span>
      ))}
    </span>
  )
}

/** Saves a text as a file. */
export function download(text: string, file: string) {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/plain' }))
  const link = document.createElement('a')
  link.href = address
  link.download = file
  link.click()
  setTimeout(() => URL.revokeObjectURL(address), 10_000)
}
