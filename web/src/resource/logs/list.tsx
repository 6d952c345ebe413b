// SPDX-License-Identifier: Apache-2.0

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { Button } from '../../kit'
import { pieces, plain } from '../ansi'
import { type Line, localTime } from './buffer'
import { marked } from './finder'
import { columnsOf, Heights } from './heights'
import type { LogOptions } from './options'
import type { Log } from './source'

/** Height of a row, as in the style sheet. */
const rowHeight = 18

/** How near to the end one has to be to see what comes. */
const atEnd = 40

const spare = 20

interface ListProps {
  log: Log
  options: LogOptions
  pods: readonly string[]
  /** The ID of the line that the search is at. */
  hit: number | undefined
  /** Keys for the search, as in other programs: n is next, N is back. */
  onStep: (by: number) => void
  children?: preact.ComponentChildren
}

/** The lines that are in view. It stays at the newest line unless one scrolls away from it. */
export function LogList({ log, options, pods, hit, onStep, children }: ListProps) {
  const place = useRef<HTMLElement>(null)
  const size = useSize(place)
  const turn = log.turn.value
  const textColumns = Math.max(20, size.columns - (options.timestamps ? 25 : 0) - (pods.length > 1 ? 29 : 0) - 2)
  const heights = useHeights(log, options.wrap ? textColumns : 0)
  const [top, setTop] = useState(0)
  const [seen, setSeen] = useState<number | undefined>(undefined) // the newest line when one scrolled away
  const { lines } = log.buffer
  const newest = lines.at(-1)?.id ?? 0
  const jump = () => {
    setSeen(undefined)
    if (place.current) place.current.scrollTop = place.current.scrollHeight
  }
  useLayoutEffect(() => {
    const element = place.current
    if (!element) return
    if (seen === undefined) element.scrollTop = element.scrollHeight
    else if (heights.gone > 0) element.scrollTop -= heights.gone * rowHeight
    heights.gone = 0
  }, [turn, heights.all, options.timestamps, size.columns])
  useEffect(() => {
    const index = hit === undefined ? -1 : hit - (lines[0]?.id ?? 0)
    if (index < 0 || !place.current) return
    setSeen((was) => was ?? newest)
    place.current.scrollTop = Math.max(0, heights.all.top(index) * rowHeight - place.current.clientHeight / 3)
  }, [hit])
  const scrolled = (element: HTMLElement) => {
    setTop(element.scrollTop)
    const away = element.scrollHeight - element.scrollTop - element.clientHeight > atEnd
    setSeen((was) => (away ? (was ?? newest) : undefined))
  }
  const first = Math.max(0, heights.all.lineAt(Math.floor(top / rowHeight)) - spare)
  const last = Math.min(lines.length, heights.all.lineAt(Math.ceil((top + size.height) / rowHeight)) + 1 + spare)
  return (
    <div class="log-frame">
      <section
        ref={place}
        class={options.wrap ? 'log log-wrap' : 'log'}
        aria-label="Log"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard
        tabIndex={0}
        onScroll={(event) => scrolled(event.currentTarget)}
        onKeyDown={(event) => {
          if (event.key === 'n' || event.key === 'N') onStep(event.key === 'n' ? 1 : -1)
        }}
      >
        <div class="log-all" style={{ height: `${heights.all.rows * rowHeight}px` }}>
          <div style={{ transform: `translateY(${heights.all.top(first) * rowHeight}px)` }}>
            {lines.slice(first, last).map((line) => (
              <Row key={line.id} line={line} options={options} pods={pods} hit={line.id === hit} />
            ))}
          </div>
        </div>
        {children}
      </section>
      {seen !== undefined && (
        <div class="log-jump">
          <Button small looks="primary" icon="down" onClick={jump}>
            Jump to newest{newest > seen ? ` (${(newest - seen).toLocaleString('en')} new)` : ''}
          </Button>
        </div>
      )}
    </div>
  )
}

function Row({ line, options, pods, hit }: { line: Line; options: LogOptions; pods: readonly string[]; hit: boolean }) {
  const parts = useMemo(
    () => marked(pieces(line.text), options.find, options.matchCase),
    [line, options.find, options.matchCase],
  )
  const pod = pods.indexOf(line.pod)
  return (
    <div class={hit ? 'log-line log-hit' : 'log-line'}>
      {options.timestamps && (
        <span class="log-time" title={line.at}>
          {localTime(line.at)}
        </span>
      )}
      {pods.length > 1 && (
        <span class={`log-pod ansi-f${1 + (Math.max(0, pod) % 6)}`} title={line.pod}>
          {line.pod}
        </span>
      )}
      <span class="log-text">
        {parts.map((part, at) => {
          const style = part.fore || part.back ? { color: part.fore, backgroundColor: part.back } : undefined
          return part.hit ? (
            <mark key={at}>{part.text}</mark>
          ) : (
            <span key={at} class={part.look || undefined} style={style}>
              {part.text}
            </span>
          )
        })}
      </span>
    </div>
  )
}

/** How many rows each line takes, kept in step with the buffer. gone are rows that went since it was last looked at. */
interface Kept {
  all: Heights
  gone: number
  columns: number
  log: Log
  dropped: number
}

function useHeights(log: Log, columns: number): Kept {
  const kept = useRef<Kept | undefined>(undefined)
  const { lines, dropped } = log.buffer
  const before = kept.current
  const cleared = before && (dropped < before.dropped || lines.length < before.all.count - (dropped - before.dropped))
  if (!before || before.log !== log || before.columns !== columns || cleared) {
    kept.current = { all: new Heights(), gone: 0, columns, log, dropped }
  }
  const now = kept.current!
  if (dropped > now.dropped) {
    now.gone += now.all.drop(Math.min(dropped - now.dropped, now.all.count))
    now.dropped = dropped
  }
  for (let at = now.all.count; at < lines.length; at++) {
    now.all.add(columns === 0 ? 1 : Math.max(1, Math.ceil(columnsOf(plain(lines[at]!.text)) / columns)))
  }
  return now
}

/** How much room there is: in columns of letters, and in height. */
function useSize(place: preact.RefObject<HTMLElement | null>): { columns: number; height: number } {
  const [size, setSize] = useState({ columns: 100, height: 600 })
  useLayoutEffect(() => {
    const element = place.current
    if (!element) return
    const probe = document.createElement('span')
    probe.className = 'log-probe'
    probe.textContent = '0'.repeat(50)
    element.append(probe)
    const letter = probe.getBoundingClientRect().width / 50
    probe.remove()
    const look = () =>
      setSize({ columns: Math.floor(element.clientWidth / (letter || 8)), height: element.clientHeight })
    look()
    const observer = new ResizeObserver(look)
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  return size
}
