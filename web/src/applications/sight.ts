// SPDX-License-Identifier: Apache-2.0

import type { RefObject } from 'preact'
import { useEffect, useLayoutEffect, useState } from 'preact/hooks'

/** The part of an element that is seen, as heights from its top. */
export interface Sight {
  from: number
  to: number
}

const grain = 128

/** What is to be drawn of an element that scrolls with the page: what is seen, with a screen more on both sides, in coarse steps. */
export function around(top: number, seen: number): Sight {
  return {
    from: Math.max(0, Math.floor((top - seen / 2) / grain) * grain),
    to: Math.ceil((top + seen * 1.5) / grain) * grain,
  }
}

/** Follows what is seen of an element while the page scrolls. height is its own: a list that became shorter is looked at anew. */
export function useSight(element: RefObject<HTMLElement | null>, height: number): Sight {
  // At first only what is seen, for it to be there soon; what is around it follows after the first painting.
  const [sight, setSight] = useState<Sight>(() => ({ from: 0, to: window.innerHeight - grain }))
  useEffect(() => {
    let frame = 0
    const look = () => {
      frame = 0
      if (!element.current) return
      const next = around(Math.max(0, -element.current.getBoundingClientRect().top), window.innerHeight)
      setSight((was) => (was.from === next.from && was.to === next.to ? was : next))
    }
    const soon = () => {
      if (!frame) frame = requestAnimationFrame(look)
    }
    look()
    window.addEventListener('scroll', soon, { passive: true })
    window.addEventListener('resize', soon)
    return () => {
      cancelAnimationFrame(frame)
      window.removeEventListener('scroll', soon)
      window.removeEventListener('resize', soon)
    }
  }, [element, height])
  return sight
}

/** The width of an element, known before it is painted and followed. */
export function useWidth(element: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(window.innerWidth)
  useLayoutEffect(() => {
    if (!element.current) return
    const observer = new ResizeObserver((entries) => {
      const now = entries[0]?.contentRect.width
      if (now) setWidth(Math.floor(now))
    })
    setWidth(Math.floor(element.current.clientWidth))
    observer.observe(element.current)
    return () => observer.disconnect()
  }, [element])
  return width
}
