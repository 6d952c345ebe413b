// SPDX-License-Identifier: Apache-2.0

import './tree.css'
import { useMemo, useRef } from 'preact/hooks'
import { Button, Empty, IconButton, Skeleton } from '../kit'
import { useQuery } from '../route/query'
import { found } from './filter'
import { FilterBar, useChosen } from './filter-bar'
import { foldsIn, withFold } from './folds'
import { forest, large } from './forest'
import { type Drawing, layOut, sameDrawing } from './layout'
import { useApplication } from './store'
import { TreeView } from './tree-view'
import { useZoom } from './zoom'

/** The objects of the application as a tree, from what is declared to what came of it. */
export function Tree() {
  const live = useApplication()
  const { query, set } = useQuery()
  const chosen = useChosen()
  const view = useRef<HTMLDivElement | null>(null)
  const drawing = useDrawing(query)
  const zoom = useZoom(view, drawing)
  const folds = foldsIn(query)
  const nothing = live.met.value && drawing.placed.length === 1
  const fold = (id: string, shut: boolean) => set(withFold(query, id, shut))
  const all = (mode: string | undefined) => set({ fold: mode, open: undefined, shut: undefined })
  return (
    <section class="tree-pane" aria-label="Tree of objects">
      <FilterBar shown={chosen.some ? found(live.all(), chosen).length : 0}>
        <Button small looks="quiet" onClick={() => all('all')}>
          Fold all
        </Button>
        <Button small looks="quiet" onClick={() => all(live.order.value.length > large ? 'none' : undefined)}>
          Unfold all
        </Button>
        <IconButton small label="Zoom out" icon="minus" onClick={() => zoom.by(1 / 1.25)} />
        <Button small looks="quiet" class="tabular zoom-reset" title="Zoom to 100%" onClick={() => zoom.to(1)}>
          {Math.round(zoom.value * 100)}%
        </Button>
        <IconButton small label="Zoom in" icon="plus" onClick={() => zoom.by(1.25)} />
        <IconButton small label="Fit the tree into the view" icon="full" onClick={zoom.fit} />
      </FilterBar>
      {!live.met.value && !live.unknown.value && <Skeleton lines={8} />}
      {nothing && <Nothing filtered={chosen.some} />}
      {!nothing && (live.met.value || live.order.value.length > 0) && (
        <TreeView
          view={view}
          live={live}
          drawing={drawing}
          zoom={zoom}
          selected={query.get('resource') ?? undefined}
          mode={folds.mode}
          onOpen={(id) => set(id === '' ? { tab: 'manifest' } : { resource: id }, true)}
          onFold={fold}
        />
      )}
    </section>
  )
}

function Nothing({ filtered }: { filtered: boolean }) {
  const { set } = useQuery()
  if (filtered) {
    return (
      <Empty
        icon="filter"
        title="No object answers the filter"
        action={
          <Button onClick={() => set({ q: undefined, kind: undefined, health: undefined, sync: undefined })}>
            Show all objects
          </Button>
        }
      />
    )
  }
  return (
    <Empty icon="tree" title="This application has no objects">
      Its source declares none, or it was never compared. Look at what is said above, or press Refresh.
    </Empty>
  )
}

const asked = ['q', 'kind', 'health', 'sync', 'orphans', 'fold', 'open', 'shut']

/** The drawing of what is known, the same one for as long as nothing in it changed. */
function useDrawing(query: URLSearchParams): Drawing {
  const live = useApplication()
  const kept = useRef<Drawing | undefined>(undefined)
  const chosen = useChosen()
  const wanted = [...query].filter(([name]) => asked.includes(name)).join('\n')
  return useMemo(() => {
    const drawing = layOut(forest(live.all(), chosen, foldsIn(query)))
    if (!kept.current || !sameDrawing(kept.current, drawing)) kept.current = drawing
    return kept.current
  }, [live.order.value, live.settled.value, wanted])
}
