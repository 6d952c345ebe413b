// SPDX-License-Identifier: Apache-2.0

import { type Signal, useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'

const key = 'bowline.panel'
const least = 380
const step = 40

function most(): number {
  return Math.max(least, window.innerWidth - 240)
}

function fitting(width: number): number {
  return Math.round(Math.min(most(), Math.max(least, width)))
}

function kept(): number {
  try {
    const width = Number(localStorage.getItem(key))
    if (width > 0) return width
  } catch {
    // The browser keeps nothing for this page.
  }
  return Math.min(820, window.innerWidth * 0.55)
}

/** The width of the panel, kept for the next time. */
export function useWidth(): Signal<number> {
  const width = useSignal(fitting(kept()))
  useEffect(() => {
    try {
      localStorage.setItem(key, String(width.value))
    } catch {
      // It counts for as long as the page is open.
    }
  }, [width.value])
  return width
}

/** The edge that makes the panel wider and narrower, by pointer and by arrows. */
export function Widener({ width }: { width: Signal<number> }) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a line cannot be moved
    <div
      class="widener"
      role="separator"
      aria-orientation="vertical"
      aria-label="Width of the panel"
      aria-valuemin={least}
      aria-valuemax={most()}
      aria-valuenow={width.value}
      tabIndex={0}
      onPointerDown={(event) => {
        event.preventDefault()
        event.currentTarget.setPointerCapture(event.pointerId)
      }}
      onPointerMove={(event) => {
        if (event.currentTarget.hasPointerCapture(event.pointerId))
          width.value = fitting(window.innerWidth - event.clientX)
      }}
      onKeyDown={(event) => {
        const by = event.key === 'ArrowLeft' ? step : event.key === 'ArrowRight' ? -step : 0
        if (by === 0) return
        event.preventDefault()
        width.value = fitting(width.value + by)
      }}
    />
  )
}
