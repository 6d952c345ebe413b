// SPDX-License-Identifier: Apache-2.0

import type { RefObject } from 'preact'
import { useEffect, useState } from 'preact/hooks'

/** The part of a list that is drawn: rows first to last (behind the end), and where the first stands. */
export interface Slice {
  first: number
  last: number
  top: number
  height: number
}

/** Which rows of equal height are to be drawn, with some before and behind what is seen. */
export function sliceOf(count: number, rowHeight: number, scrolled: number, seen: number, spare = 8): Slice {
  const first = Math.max(0, Math.min(count, Math.floor(scrolled / rowHeight) - spare))
  const last = Math.min(count, Math.ceil((scrolled + seen) / rowHeight) + spare)
  return { first, last: Math.max(first, last), top: first * rowHeight, height: count * rowHeight }
}

/**
 * The rows of a long list that are to be drawn now. The list scrolls with the page, or within the element when inner is set.
 */
export function useWindowed(
  element: RefObject<HTMLElement | null>,
  count: number,
  rowHeight: number,
  inner = false,
): Slice {
  const [slice, setSlice] = useState<Slice>(() => sliceOf(count, rowHeight, 0, 1200))
  useEffect(() => {
    let frame = 0
    const look = () => {
      frame = 0
      const list = element.current
      if (!list) return
      const scrolled = inner ? list.scrollTop : -list.getBoundingClientRect().top
      const next = sliceOf(count, rowHeight, Math.max(0, scrolled), inner ? list.clientHeight : window.innerHeight)
      setSlice((was) => (was.first === next.first && was.last === next.last && was.height === next.height ? was : next))
    }
    const soon = () => {
      if (!frame) frame = requestAnimationFrame(look)
    }
    look()
    const target: EventTarget = inner && element.current ? element.current : window
    target.addEventListener('scroll', soon, { passive: true })
    window.addEventListener('resize', soon)
    return () => {
      cancelAnimationFrame(frame)
      target.removeEventListener('scroll', soon)
      window.removeEventListener('resize', soon)
    }
  }, [element, count, rowHeight, inner])
  return slice
}
