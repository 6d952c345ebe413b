// SPDX-License-Identifier: Apache-2.0

import { useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState } from 'preact/hooks'
import { sliceOf } from '../../kit'
import { plain } from '../ansi'
import { Engine } from './engine'
import { pasted, sequenceOf } from './keys'
import { rowPieces } from './screen'
import { type Place, Session } from './session'

/** Height of a row, as in the style sheet. */
const rowHeight = 18

/** How many lines are kept that went out of view. */
const scrollback = 5_000

/** A terminal in a container: its engine, its connection and what is drawn of it. */
export function useTerminal(place: Place, again: number) {
  const key = JSON.stringify([place, again])
  const [drawn, draw] = useReducer((n: number) => n + 1, 0)
  const [said, say] = useState('')
  const made = useMemo(() => {
    const answering: { to?: Session } = {}
    return { key, answering, terminal: new Engine(80, 24, scrollback, (text) => answering.to?.type(text)) }
  }, [key])
  const [session, setSession] = useState<Session | undefined>(undefined)
  useEffect(() => {
    const { terminal, answering } = made
    let frame = 0
    let heard = ''
    let speaking: ReturnType<typeof setTimeout> | undefined
    const soon = () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0
        draw(0)
      })
    }
    const opened = new Session(place, (text) => {
      terminal.write(text)
      soon()
      heard = (heard + plain(text)).slice(-1_000)
      // Those who listen are told what came when it has come to rest.
      clearTimeout(speaking)
      speaking = setTimeout(() => {
        say(heard)
        heard = ''
      }, 600)
    })
    answering.to = opened
    setSession(opened)
    return () => {
      cancelAnimationFrame(frame)
      clearTimeout(speaking)
      opened.close()
    }
  }, [made])
  return { terminal: made.terminal, session, drawn, said }
}

interface ViewProps {
  terminal: Engine
  session: Session
  drawn: number
  said: string
  label: string
}

/** The screen of a terminal and what went out of it. What is typed goes to a field that nobody sees, as input methods need one. */
export function TerminalView({ terminal, session, drawn, said, label }: ViewProps) {
  const place = useRef<HTMLDivElement>(null)
  const field = useRef<HTMLTextAreaElement>(null)
  const [view, setView] = useState({ top: 0, height: 400 })
  const pinned = useRef(true)
  useFitting(place, terminal, session, (height) => setView((was) => ({ ...was, height })))
  useLayoutEffect(() => {
    const element = place.current
    if (element && pinned.current) element.scrollTop = element.scrollHeight
  }, [drawn, terminal.lines.length, view.height])
  useEffect(() => field.current?.focus(), [session])
  const slice = sliceOf(terminal.lines.length, rowHeight, view.top, view.height, 10)
  const cursor = terminal.base + terminal.y
  const showsCursor = terminal.modes.cursor && session.state.value.is === 'open'
  const type = (text: string) => {
    pinned.current = true
    session.type(text)
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a click leads to the field, which has the keyboard already
    // biome-ignore lint/a11y/useKeyWithClickEvents: as above
    <div
      class="screen"
      onClick={() => window.getSelection()?.isCollapsed !== false && field.current?.focus({ preventScroll: true })}
    >
      <div
        class="screen-scroll"
        ref={place}
        onScroll={(event) => {
          const element = event.currentTarget
          pinned.current = element.scrollHeight - element.scrollTop - element.clientHeight < rowHeight * 2
          setView((was) => ({ ...was, top: element.scrollTop }))
        }}
      >
        <div class="screen-all" aria-hidden="true" style={{ height: `${slice.height}px` }}>
          <div style={{ transform: `translateY(${slice.top}px)` }}>
            {Array.from({ length: slice.last - slice.first }, (_, i) => slice.first + i).map((at) => (
              <Row key={at} pieces={rowPieces(terminal.lines[at], at === cursor && showsCursor ? terminal.x : -1)} />
            ))}
          </div>
        </div>
      </div>
      <Field field={field} label={label} terminal={terminal} type={type} />
      <p class="unseen" role="log" aria-label="Output" aria-live="polite">
        {said}
      </p>
    </div>
  )
}

function Row({ pieces }: { pieces: ReturnType<typeof rowPieces> }) {
  return (
    <div class="screen-row">
      {pieces.map((piece, at) => (
        <span
          key={at}
          class={piece.look || undefined}
          style={piece.fore || piece.back ? { color: piece.fore, backgroundColor: piece.back } : undefined}
        >
          {piece.text}
        </span>
      ))}
    </div>
  )
}

function Field({
  field,
  label,
  terminal,
  type,
}: {
  field: preact.RefObject<HTMLTextAreaElement | null>
  label: string
  terminal: Engine
  type: (text: string) => void
}) {
  const send = (element: HTMLTextAreaElement) => {
    const text = element.value
    element.value = ''
    if (text !== '') type(text.replace(/\n/g, '\r'))
  }
  return (
    <textarea
      ref={field}
      class="screen-field"
      aria-label={label}
      autocomplete="off"
      autocapitalize="off"
      spellcheck={false}
      rows={1}
      onKeyDown={(event) => {
        if (event.isComposing) return
        if (event.key === 'F6') {
          event.preventDefault()
          event.currentTarget.closest<HTMLElement>('.resource')?.focus()
          return
        }
        // Copying what is marked is not an interrupt.
        if (event.ctrlKey && event.key === 'c' && window.getSelection()?.isCollapsed === false) return
        const sequence = sequenceOf(event, terminal.modes.cursorKeys)
        if (sequence === undefined) return
        event.preventDefault()
        event.stopPropagation()
        type(sequence)
      }}
      onInput={(event) => {
        if (!event.isComposing) send(event.currentTarget)
      }}
      onCompositionEnd={(event) => send(event.currentTarget)}
      onPaste={(event) => {
        event.preventDefault()
        type(pasted(event.clipboardData?.getData('text') ?? '', terminal.modes.bracketedPaste))
      }}
    />
  )
}

/** Makes the terminal as large as the room it has. */
function useFitting(
  place: preact.RefObject<HTMLElement | null>,
  terminal: Engine,
  session: Session,
  onHeight: (height: number) => void,
) {
  useLayoutEffect(() => {
    const element = place.current
    if (!element) return
    const probe = document.createElement('span')
    probe.textContent = '0'.repeat(50)
    element.append(probe)
    const letter = probe.getBoundingClientRect().width / 50 || 8
    probe.remove()
    const adapt = () => {
      const cols = Math.max(20, Math.floor((element.clientWidth - 16) / letter))
      const rows = Math.max(5, Math.floor(element.clientHeight / rowHeight))
      onHeight(element.clientHeight)
      if (cols === terminal.cols && rows === terminal.rows && element.dataset.fit === 'yes') return
      element.dataset.fit = 'yes'
      terminal.resize(cols, rows)
      session.resize(cols, rows)
    }
    delete element.dataset.fit
    adapt()
    const observer = new ResizeObserver(adapt)
    observer.observe(element)
    return () => observer.disconnect()
  }, [terminal, session])
}
