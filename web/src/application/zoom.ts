// SPDX-License-Identifier: Apache-2.0

import type { RefObject } from 'preact'
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { Drawing } from './layout'

export interface Zoom {
  value: number
  to: (value: number, at?: { x: number; y: number }) => void
  by: (factor: number, at?: { x: number; y: number }) => void
  fit: () => void
}

const least = 0.25
const most = 2

/** How large a drawing is shown. What is at a point of the view stays there while it grows or shrinks; the middle without a point. */
export function useZoom(view: RefObject<HTMLElement | null>, drawing: Drawing): Zoom {
  const [value, setValue] = useState(1)
  const now = useRef(value)
  const scroll = useRef<{ left: number; top: number } | undefined>(undefined)
  const to = useCallback((wanted: number, at?: { x: number; y: number }) => {
    const next = Math.min(most, Math.max(least, Math.abs(wanted - 1) < 0.04 ? 1 : wanted))
    const seen = view.current
    if (seen) {
      const x = at?.x ?? seen.clientWidth / 2
      const y = at?.y ?? seen.clientHeight / 2
      const grown = next / now.current
      scroll.current = { left: (seen.scrollLeft + x) * grown - x, top: (seen.scrollTop + y) * grown - y }
    }
    now.current = next
    setValue(next)
  }, [])
  const by = useCallback((factor: number, at?: { x: number; y: number }) => to(now.current * factor, at), [to])
  const fit = useCallback(() => {
    const seen = view.current
    if (seen) to(Math.min(1, seen.clientWidth / drawing.width, seen.clientHeight / drawing.height))
  }, [drawing, to])
  useLayoutEffect(() => {
    if (scroll.current && view.current) view.current.scrollTo(scroll.current)
    scroll.current = undefined
  }, [value])
  useWheel(view, by)
  return { value, to, by, fit }
}

function useWheel(view: RefObject<HTMLElement | null>, by: Zoom['by']) {
  useEffect(() => {
    const wheel = (event: WheelEvent) => {
      const seen = view.current
      // A pinch on a touchpad comes as a wheel with Control.
      if (!event.ctrlKey || !seen || !(event.target instanceof Node) || !seen.contains(event.target)) return
      event.preventDefault()
      const place = seen.getBoundingClientRect()
      by(Math.exp(-event.deltaY / 300), { x: event.clientX - place.left, y: event.clientY - place.top })
    }
    // A listener that may prevent has to say so; and the view may come after this.
    document.addEventListener('wheel', wheel, { passive: false })
    return () => document.removeEventListener('wheel', wheel)
  }, [by])
}
