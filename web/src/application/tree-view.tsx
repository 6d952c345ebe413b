// SPDX-License-Identifier: Apache-2.0

import type { RefObject } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Folds } from './forest'
import { type Box, card, type Drawing, lines, step, within } from './layout'
import type { Live } from './live'
import { Card } from './tree-card'
import type { Zoom } from './zoom'

interface Props {
  view: RefObject<HTMLDivElement | null>
  live: Live
  drawing: Drawing
  zoom: Zoom
  selected: string | undefined
  mode: Folds['mode']
  onOpen: (id: string) => void
  onFold: (id: string, shut: boolean) => void
}

/** The drawing of a tree: only what is in view is in the document. The keys of a tree move in it. */
export function TreeView({ view, live, drawing, zoom, selected, onOpen, onFold }: Props) {
  const [active, setActive] = useState(selected ?? '')
  const box = useBox(view, drawing, zoom.value)
  const at = drawing.byID.get(active) ?? 0
  const chosen = drawing.byID.get(selected ?? '') ?? -1
  useEffect(() => {
    // A link to an object leads to it, also when it comes later than the page.
    if (chosen > 0) show(view.current, drawing, chosen, zoom.value)
  }, [selected, chosen > 0])
  const drawn = within(drawing, box)
  if (!drawn.includes(at)) drawn.push(at) // what has the focus has to be in the document
  const go = (to: number) => {
    setActive(drawing.placed[to]?.item.id ?? '')
    show(view.current, drawing, to, zoom.value)
  }
  const keys = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const item = drawing.placed[at]?.item
    const shut = foldKeys[event.key] ?? (event.key === 'ArrowRight' && item?.folded ? false : undefined)
    if (item && shut !== undefined) {
      if (item.foldable && item.folded !== shut) onFold(item.id, shut)
    } else if (item && (event.key === 'Enter' || event.key === ' ')) choose(item.id)
    else if (event.key in zoomKeys) zoom.by(zoomKeys[event.key]!)
    else if (event.key === '0') zoom.to(1)
    else if (step(drawing, at, event.key) !== at || arrows.has(event.key)) go(step(drawing, at, event.key))
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  const choose = (id: string) => {
    const item = drawing.placed[drawing.byID.get(id) ?? -1]?.item
    if (item?.is === 'group') onFold(id, !item.folded)
    else onOpen(id)
  }
  const click = (event: MouseEvent) => {
    const target = event.target as Element
    const id = target.closest<HTMLElement>('[data-item]')?.dataset.item
    if (id === undefined || target.closest('a')) return
    setActive(id)
    view.current?.focus() // and not the card, which may leave the document
    const item = drawing.placed[drawing.byID.get(id) ?? -1]?.item
    if (item && target.closest('[data-fold]')) onFold(id, !item.folded)
    else choose(id)
  }
  return (
    <div
      ref={view}
      class="tree-view"
      role="tree"
      tabIndex={0}
      data-keys="own"
      aria-label="Objects"
      aria-activedescendant={`item-${at}`}
      onKeyDown={keys}
      onClick={click}
      onPointerDown={pan}
    >
      <div
        class="tree-sheet"
        role="none"
        style={{ width: `${drawing.width * zoom.value}px`, height: `${drawing.height * zoom.value}px` }}
      >
        <div
          class="tree-layer"
          role="none"
          style={{
            width: `${drawing.width}px`,
            height: `${drawing.height}px`,
            transform: zoom.value === 1 ? 'none' : `scale(${zoom.value})`,
          }}
        >
          <svg class="tree-lines" width={drawing.width} height={drawing.height} aria-hidden="true" focusable="false">
            <path d={lines(drawing, box)} />
          </svg>
          {drawn.map((index) => {
            const placed = drawing.placed[index]!
            const { id } = placed.item
            return (
              <Card
                key={id}
                live={live}
                placed={placed}
                index={index}
                active={index === at}
                selected={id === selected}
              />
            )
          })}
        </div>
      </div>
    </div>
  )
}

const arrows = new Set(['ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight', 'Home', 'End'])
const foldKeys: Record<string, boolean> = { '+': false, '-': true, '=': false }
const zoomKeys: Record<string, number> = { ']': 1.25, '[': 0.8 }

/** Space around the view that is drawn too, and the grid to which the view is rounded: scrolling a little draws nothing anew. */
const spare = 240

/** The part of the drawing that is in view. */
function useBox(view: RefObject<HTMLElement | null>, drawing: Drawing, zoom: number): Box {
  const [box, setBox] = useState<Box>({ left: -1, top: -1, right: 2000, bottom: 1400 })
  useEffect(() => {
    const seen = view.current
    if (!seen) return
    let frame = 0
    const look = () => {
      frame = 0
      const next = boxOf(seen, zoom)
      setBox((was) => (same(was, next) ? was : next))
    }
    const soon = () => {
      if (!frame) frame = requestAnimationFrame(look)
    }
    look()
    seen.addEventListener('scroll', soon, { passive: true })
    const size = new ResizeObserver(soon)
    size.observe(seen)
    return () => {
      cancelAnimationFrame(frame)
      seen.removeEventListener('scroll', soon)
      size.disconnect()
    }
  }, [drawing, zoom])
  return box
}

function boxOf(seen: HTMLElement, zoom: number): Box {
  const down = (n: number) => Math.floor(n / zoom / spare - 1) * spare
  const up = (n: number) => Math.ceil(n / zoom / spare + 1) * spare
  return {
    left: down(seen.scrollLeft),
    top: down(seen.scrollTop),
    right: up(seen.scrollLeft + seen.clientWidth),
    bottom: up(seen.scrollTop + seen.clientHeight),
  }
}

function same(a: Box, b: Box): boolean {
  return a.left === b.left && a.top === b.top && a.right === b.right && a.bottom === b.bottom
}

/** Scrolls an item into view, and no further than needed. */
function show(seen: HTMLElement | null, drawing: Drawing, index: number, zoom: number) {
  const placed = drawing.placed[index]
  if (!seen || !placed) return
  const edge = 24
  const near = (scrolled: number, length: number, from: number, to: number) =>
    from * zoom - edge < scrolled
      ? from * zoom - edge
      : to * zoom + edge > scrolled + length
        ? to * zoom + edge - length
        : scrolled
  seen.scrollTo({
    left: near(seen.scrollLeft, seen.clientWidth, placed.x, placed.x + card.width),
    top: near(seen.scrollTop, seen.clientHeight, placed.y, placed.y + card.height),
  })
}

/** Moves the drawing with the mouse, where it is not on a card. Fingers scroll by themselves. */
function pan(event: PointerEvent & { currentTarget: HTMLElement }) {
  const seen = event.currentTarget
  if (event.pointerType !== 'mouse' || event.button !== 0 || (event.target as Element).closest('[data-item]')) return
  const box = seen.getBoundingClientRect()
  if (event.clientX - box.left > seen.clientWidth || event.clientY - box.top > seen.clientHeight) return // a scroll bar
  const from = { x: event.clientX + seen.scrollLeft, y: event.clientY + seen.scrollTop }
  const move = (moved: PointerEvent) => seen.scrollTo(from.x - moved.clientX, from.y - moved.clientY)
  const end = () => {
    seen.removeEventListener('pointermove', move)
    seen.classList.remove('tree-panning')
  }
  seen.setPointerCapture(event.pointerId)
  seen.classList.add('tree-panning')
  seen.addEventListener('pointermove', move)
  seen.addEventListener('pointerup', end, { once: true })
  seen.addEventListener('pointercancel', end, { once: true })
}
