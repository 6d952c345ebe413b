// SPDX-License-Identifier: Apache-2.0

import type { RefObject } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { card, type Drawing, step } from './layout'
import type { Zoom } from './zoom'

interface Moving {
  view: RefObject<HTMLDivElement | null>
  drawing: Drawing
  zoom: Zoom
  selected: string | undefined
  onOpen: (id: string) => void
  onFold: (id: string, shut: boolean) => void
}

/** How one moves in a tree, by keys and by mouse. at is the number of the item that has the focus. */
export function useMoves({ view, drawing, zoom, selected, onOpen, onFold }: Moving) {
  const [active, setActive] = useState(selected ?? '')
  const at = drawing.byID.get(active) ?? 0
  const chosen = drawing.byID.get(selected ?? '') ?? -1
  useEffect(() => {
    // A link to an object leads to it, also when it comes later than the page.
    if (chosen > 0) show(view.current, drawing, chosen, zoom.value)
  }, [selected, chosen > 0])
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
  return { at, keys, click }
}

const arrows = new Set(['ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight', 'Home', 'End'])
const foldKeys: Record<string, boolean> = { '+': false, '-': true, '=': false }
const zoomKeys: Record<string, number> = { ']': 1.25, '[': 0.8 }

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
export function pan(event: PointerEvent & { currentTarget: HTMLElement }) {
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
