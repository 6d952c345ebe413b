// SPDX-License-Identifier: Apache-2.0

import './compare.css'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { Button, CheckField, IconButton, useWindowed } from '../kit'
import { upright } from '../safe/text'
import { lineHeight, Tokens } from './code'
import { compact, type DiffRow, diffRows, inline, type Side } from './hunks'

export interface CompareProps {
  left: string
  right: string
  /** What the sides are called. */
  leftName: string
  rightName: string
  /** How it is shown; kept by whoever shows it. */
  how: How
  onHow: (how: How) => void
}

export interface How {
  sides: boolean
  whole: boolean
}

/** Two texts of YAML, with what differs between them. */
export function Compare({ left, right, leftName, rightName, how, onHow }: CompareProps) {
  const [opened, setOpened] = useState<ReadonlySet<number>>(new Set())
  const rows = useMemo(() => diffRows(linesOf(left), linesOf(right)), [left, right])
  const shown = useMemo(() => {
    const some = how.whole ? rows : compact(rows, 3, opened)
    return how.sides ? some : inline(some)
  }, [rows, how.whole, how.sides, opened])
  const starts = useMemo(() => startsOf(shown), [shown])
  const scroller = useRef<HTMLElement>(null)
  const [at, setAt] = useState(-1)
  useEffect(() => setAt(-1), [how.whole, how.sides])
  const go = (step: number) => {
    const next = (at + step + starts.length) % starts.length
    setAt(next)
    scroller.current?.scrollTo({ top: Math.max(0, starts[next]! * lineHeight - 60) })
  }
  return (
    <div class="code">
      <div class="code-bar">
        <fieldset class="compare-how">
          <legend class="unseen">How the comparison is shown</legend>
          <Button small aria-pressed={how.sides} onClick={() => onHow({ ...how, sides: true })}>
            Side by side
          </Button>
          <Button small aria-pressed={!how.sides} onClick={() => onHow({ ...how, sides: false })}>
            Inline
          </Button>
        </fieldset>
        <CheckField
          label="Only what differs"
          checked={!how.whole}
          onChange={(only) => onHow({ ...how, whole: !only })}
        />
        <span class="soft tabular code-count" role="status">
          {starts.length} {starts.length === 1 ? 'place' : 'places'}
        </span>
        <IconButton small label="Previous difference" icon="up" disabled={starts.length === 0} onClick={() => go(-1)} />
        <IconButton small label="Next difference" icon="down" disabled={starts.length === 0} onClick={() => go(1)} />
      </div>
      {how.sides && (
        <div class="compare-heads soft">
          <span>{leftName}</span>
          <span>{rightName}</span>
        </div>
      )}
      <Rows
        rows={shown}
        sides={how.sides}
        scroller={scroller}
        label={`Differences between ${leftName.toLowerCase()} and ${rightName.toLowerCase()}`}
        onOpen={(first) => setOpened(new Set([...opened, first]))}
      />
    </div>
  )
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n')
}

/** The rows where runs of differences begin. */
function startsOf(rows: readonly DiffRow[]): number[] {
  const differs = (row: DiffRow | undefined) => row !== undefined && row.kind !== 'same' && row.kind !== 'gap'
  return rows.flatMap((row, at) => (differs(row) && !differs(rows[at - 1]) ? [at] : []))
}

function Rows({
  rows,
  sides,
  scroller,
  label,
  onOpen,
}: {
  rows: readonly DiffRow[]
  sides: boolean
  scroller: preact.RefObject<HTMLElement | null>
  label: string
  onOpen: (first: number) => void
}) {
  const slice = useWindowed(scroller, rows.length, lineHeight, true)
  const widest = useMemo(
    () => rows.reduce((most, row) => Math.max(most, row.left?.text.length ?? 0, row.right?.text.length ?? 0), 0),
    [rows],
  )
  return (
    <section
      class={sides ? 'code-lines compare-sides' : 'code-lines'}
      ref={scroller}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard
      tabIndex={0}
      aria-label={label}
      onScroll={(event) => event.currentTarget.style.setProperty('--sideways', `${event.currentTarget.scrollLeft}px`)}
    >
      <div
        class="code-all"
        style={{ height: `${slice.height}px`, minWidth: sides ? `calc(50% + ${widest + 9}ch)` : `${widest + 14}ch` }}
      >
        <div style={{ transform: `translateY(${slice.top}px)` }}>
          {rows.slice(slice.first, slice.last).map((row, at) => (
            <Row key={slice.first + at} row={row} sides={sides} onOpen={onOpen} />
          ))}
        </div>
      </div>
    </section>
  )
}

function Row({ row, sides, onOpen }: { row: DiffRow; sides: boolean; onOpen: (first: number) => void }) {
  if (row.kind === 'gap') {
    return (
      <button type="button" class="compare-gap" onClick={() => onOpen(row.first!)}>
        Show {row.count} equal {row.count === 1 ? 'line' : 'lines'}
      </button>
    )
  }
  if (sides) {
    return (
      <div class="compare-row">
        <Half side={row.left} look={row.kind === 'same' ? '' : row.left ? 'compare-removed' : 'compare-none'} />
        <Half side={row.right} look={row.kind === 'same' ? '' : row.right ? 'compare-added' : 'compare-none'} />
      </div>
    )
  }
  const sign = row.kind === 'removed' ? '−' : row.kind === 'added' ? '+' : ''
  return (
    <div class={`code-line ${row.kind === 'same' ? '' : `compare-${row.kind}`}`}>
      <span class="code-number compare-number" data-number={row.left?.at ?? ''} />
      <span class="code-number compare-number" data-number={row.right?.at ?? ''} />
      <span class="compare-sign">{sign}</span>
      <Text side={(row.right ?? row.left)!} />
    </div>
  )
}

function Half({ side, look }: { side: Side | undefined; look: string }) {
  return (
    <div class={`code-line compare-half ${look}`}>
      <span class="code-number compare-number" data-number={side?.at ?? ''} />
      <span class="compare-sign">{look === 'compare-removed' ? '−' : look === 'compare-added' ? '+' : ''}</span>
      {side && <Text side={side} />}
    </div>
  )
}

function Text({ side }: { side: Side }) {
  const { text, mark } = side
  // A line of which nothing is left has no part to point at.
  if (!mark || mark[0] === mark[1] || (mark[0] === 0 && mark[1] === text.length)) return <Tokens line={text} />
  return (
    <span class="code-text">
      {upright(text.slice(0, mark[0]))}
      <mark>{upright(text.slice(...mark))}</mark>
      {upright(text.slice(mark[1]))}
    </span>
  )
}
