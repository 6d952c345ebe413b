// SPDX-License-Identifier: Apache-2.0

import type { RefObject } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Folds } from './forest'
import { type Box, type Drawing, lines, within } from './layout'
import type { Live } from './live'
import { pan, useMoves } from './moves'
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
export function TreeView(props: Props) {
  const { view, drawing, zoom } = props
  const { at, keys, click } = useMoves(props)
  const size = { width: `${drawing.width * zoom.value}px`, height: `${drawing.height * zoom.value}px` }
  return (
    <div
      ref={view}
      class="tree-view"
      role="tree"
      tabIndex={0}
      aria-label="Objects"
      aria-activedescendant={`item-${at}`}
      onKeyDown={keys}
      onClick={click}
      onPointerDown={pan}
    >
      <div class="tree-sheet" role="none" style={size}>
        <Layer {...props} at={at} />
      </div>
    </div>
  )
}

/** What of the drawing is in view, in its own size. */
function Layer({ view, live, drawing, zoom, selected, at }: Props & { at: number }) {
  const box = useBox(view, drawing, zoom.value)
  const drawn = within(drawing, box)
  if (!drawn.includes(at)) drawn.push(at) // what has the focus has to be in the document
  const transform = zoom.value === 1 ? 'none' : `scale(${zoom.value})`
  return (
    <div
      class="tree-layer"
      role="none"
      style={{ width: `${drawing.width}px`, height: `${drawing.height}px`, transform }}
    >
      <svg class="tree-lines" width={drawing.width} height={drawing.height} aria-hidden="true" focusable="false">
        <path d={lines(drawing, box)} />
      </svg>
      {drawn.map((index) => {
        const placed = drawing.placed[index]!
        const { id } = placed.item
        return (
          <Card key={id} live={live} placed={placed} index={index} active={index === at} selected={id === selected} />
        )
      })}
    </div>
  )
}

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
