// SPDX-License-Identifier: Apache-2.0

// biome-ignore-all lint/a11y/useSemanticElements: only the rows that are seen are drawn, each at its height; a real table would lay them out again

import type { JSX } from 'preact'
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import { useCommands } from '../shell/commands'
import { useFocusKept } from './focus'
import { GroupHead } from './group'
import { Heads } from './heads'
import { type Layout, layoutOf, type Part, partsOf, reach, type Sizes, spotOf } from './layout'
import { Line } from './line'
import { type Mover, mover } from './move'
import type { Question } from './question'
import { select } from './selection'
import { useSight, useWidth } from './sight'
import { list, type Summary } from './store'
import { Tile } from './tile'
import type { Change } from './tools'

const slimBelow = 720
const midBelow = 980
const tileLeast = 232
const tileGap = 10

/** How large rows and tiles are in a list of a width. */
export function sizesOf(tiles: boolean, width: number): Sizes & { tile: number } {
  if (tiles) {
    const columns = Math.max(1, Math.floor((width + tileGap) / (tileLeast + tileGap)))
    return { columns, line: 94 + tileGap, head: 44, tile: Math.floor((width - tileGap * (columns - 1)) / columns) }
  }
  return { columns: 1, line: width < slimBelow ? 66 : 48, head: 38, tile: 0 }
}

/** The applications as rows or tiles, of which only those that are seen are drawn. */
export function List({ q, change, summary }: { q: Question; change: Change; summary: Summary }) {
  const frame = useRef<HTMLDivElement | null>(null)
  const body = useRef<HTMLDivElement | null>(null)
  const width = useWidth(frame)
  const sizes = sizesOf(q.tiles, width)
  const layout = useMemo(
    () => layoutOf(summary.total, summary.groups, sizes),
    [summary.total, summary.groups, sizes.columns, sizes.line, sizes.head],
  )
  const sight = useSight(body, layout.height)
  const parts = partsOf(layout, sight.from, sight.to)
  const { first, last } = reach(parts)
  useEffect(() => list.see(first, last), [first, last, summary])
  useBeginning(body, JSON.stringify({ ...q, folded: [] }), summary.of)
  const move = useMemo(() => mover(body, layout), [layout])
  useMoves(move)
  useFocusKept(body, list.turn.value)
  const shape = width < slimBelow ? 'apps-slim' : width < midBelow ? 'apps-mid' : 'apps-wide'
  const busy = list.standing.value.is === 'connecting'
  const blocks = (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys move between the links of the rows, which have the focus
    <div ref={body} class="apps-body" style={{ height: `${layout.height}px` }} onKeyDown={move.press}>
      {parts.map((part) => (
        <BlockOf
          key={part.block.group?.value ?? ''}
          part={part}
          layout={layout}
          q={q}
          change={change}
          tile={sizes.tile}
        />
      ))}
    </div>
  )
  if (q.tiles) {
    return (
      <div ref={frame} class="apps-tiles" aria-busy={busy}>
        {blocks}
      </div>
    )
  }
  return (
    <div ref={frame} class="apps-frame">
      <div
        class={`apps-table ${shape}`}
        role="table"
        aria-label="Applications"
        aria-rowcount={1 + summary.total + summary.groups.length}
        aria-busy={busy}
      >
        <Heads q={q} change={change} found={summary.found} />
        {blocks}
      </div>
    </div>
  )
}

interface BlockProps {
  part: Part
  layout: Layout
  q: Question
  change: Change
  tile: number
}

/** A group, or all rows where nothing is grouped. */
function BlockOf({ part, layout, q, change, tile }: BlockProps) {
  const { block } = part
  const heads = block.group ? layout.blocks.indexOf(block) + 1 : 0
  const lines: JSX.Element[] = []
  for (let place = part.first; place < part.last; place++) {
    const key = list.order.at(place)
    const spot = spotOf(layout, block, place)
    const id = key ?? `#${place}`
    lines.push(
      q.tiles ? (
        <Tile key={id} of={key} place={place} top={spot.top} left={spot.column * (tile + tileGap)} width={tile} />
      ) : (
        <Line key={id} of={key} place={place} top={spot.top} index={2 + place + heads} />
      ),
    )
  }
  return (
    <div
      class="apps-block"
      role={q.tiles ? undefined : 'rowgroup'}
      style={{ top: `${block.top}px`, height: `${block.height}px` }}
    >
      {block.group && (
        <GroupHead group={block.group} q={q} change={change} index={1 + block.first + heads} height={block.head} />
      )}
      {q.tiles && lines.length > 0 ? <ul aria-label="Applications">{lines}</ul> : lines}
    </div>
  )
}

/** Another question is answered from its first row on: what was scrolled to belongs to the one before. */
function useBeginning(body: { current: HTMLElement | null }, question: string, answered: string) {
  const before = useRef(question)
  useLayoutEffect(() => {
    if (before.current === question) return
    before.current = question
    const above = body.current?.getBoundingClientRect().top ?? 0
    if (above < 0) window.scrollTo(0, Math.max(0, window.scrollY + above - 220))
  }, [answered])
}

/** Keys that move through the list wherever the focus is. */
function useMoves(move: Mover) {
  useCommands(
    () => [
      { id: 'apps-next', label: 'Next application', group: 'List', icon: 'down', keys: 'j', run: () => move.by(1) },
      { id: 'apps-last', label: 'Previous application', group: 'List', icon: 'up', keys: 'k', run: () => move.by(-1) },
      {
        id: 'apps-select',
        label: 'Select the application, or not any more',
        group: 'List',
        icon: 'check',
        keys: 'x',
        run: () => {
          const key = move.key()
          if (key) select(key, list.order)
        },
      },
    ],
    [move],
  )
}
