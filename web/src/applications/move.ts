// SPDX-License-Identifier: Apache-2.0

import { type Layout, topOf } from './layout'
import { select } from './selection'
import { list } from './store'

/** Moves the focus through the list. */
export interface Mover {
  by: (steps: number) => void
  /** The application that has the focus. */
  key: () => string | undefined
  press: (event: KeyboardEvent) => void
}

/** The place that the focus goes to: some steps on, but not out of the list; the first that is seen if it was nowhere. */
export function nextPlace(now: number | undefined, steps: number, seen: number, total: number): number {
  if (total === 0) return -1
  if (now === undefined) return Math.min(seen, total - 1)
  return Math.min(total - 1, Math.max(0, now + steps))
}

/** How many steps a key makes; undefined if it makes none. */
export function stepsOf(key: string, columns: number, total: number): number | undefined {
  switch (key) {
    case 'j':
      return 1
    case 'k':
      return -1
    case 'ArrowDown':
      return columns
    case 'ArrowUp':
      return -columns
    case 'ArrowRight':
      return columns > 1 ? 1 : undefined
    case 'ArrowLeft':
      return columns > 1 ? -1 : undefined
    case 'Home':
      return -total
    case 'End':
      return total
    default:
      return undefined
  }
}

export function mover(body: { current: HTMLElement | null }, layout: Layout): Mover {
  const total = layout.blocks.reduce((sum, b) => sum + b.count, 0)
  const focused = () => {
    const at = document.activeElement?.closest<HTMLElement>('[data-place]')
    return at && body.current?.contains(at) ? Number(at.dataset.place) : undefined
  }
  const focus = (place: number) => {
    const link = body.current?.querySelector<HTMLElement>(`[data-place="${place}"] a`)
    link?.focus({ preventScroll: true })
    link?.closest('[data-place]')?.scrollIntoView({ block: 'nearest' })
    return link !== null && link !== undefined
  }
  const by = (steps: number) => {
    const place = nextPlace(focused(), steps, firstSeen(body.current), total)
    if (place < 0 || focus(place) || !body.current) return
    // It is not drawn: the page scrolls there first, and the row may still have to come from the server.
    const top = body.current.getBoundingClientRect().top + window.scrollY + topOf(layout, place)
    window.scrollTo(0, top - window.innerHeight / 2)
    let tries = 30
    const again = () => {
      if (!focus(place) && tries-- > 0) requestAnimationFrame(again)
    }
    requestAnimationFrame(again)
  }
  const key = () => {
    const place = focused()
    return place === undefined ? undefined : list.order.at(place)
  }
  const press = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    if (event.key === 'x') {
      const now = key()
      if (now) select(now, list.order)
    } else {
      const steps = stepsOf(event.key, layout.sizes.columns, total)
      if (steps === undefined) return
      by(steps)
    }
    event.preventDefault()
  }
  return { by, key, press }
}

/** The place of the first row whose top is below what sticks at the top of the page. */
function firstSeen(body: HTMLElement | null): number {
  for (const row of body?.querySelectorAll<HTMLElement>('[data-place]') ?? []) {
    if (row.getBoundingClientRect().top >= 90) return Number(row.dataset.place)
  }
  return 0
}
