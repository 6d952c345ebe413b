// SPDX-License-Identifier: Apache-2.0

import { signal } from '@preact/signals'
import { useId, useState } from 'preact/hooks'
import type { FacetCount } from '../api'
import { Button, Dialog, Skeleton, Status } from '../kit'
import { favourites } from './favourites'
import { kept } from './kept'
import { cleared, type Facet, facetNames, facetWords, type Question, toggled } from './question'
import type { Facets } from './store'
import type { Change } from './tools'
import { count, statusOf, valueOrder, valueWord } from './words'

/** Whether the filters stand beside the list; kept in the browser. */
export const filtersShown = kept('bowline.filters', (value) => value !== false)

/** Whether they lie over the list, where there is no room beside it. */
export const sheetOpen = signal(false)

interface FiltersProps {
  q: Question
  change: Change
  facets: Facets
}

/** The filters beside the list. */
export function FilterPanel(props: FiltersProps) {
  if (!filtersShown.value) return null
  return (
    <aside class="apps-filters" aria-label="Filters">
      <Filters {...props} />
    </aside>
  )
}

/** The filters over the list, on a small screen. */
export function FilterSheet({ found, ...props }: FiltersProps & { found: number }) {
  if (!sheetOpen.value) return null
  const close = () => {
    sheetOpen.value = false
  }
  return (
    <Dialog
      title="Filters"
      onClose={close}
      actions={
        <>
          <Button onClick={() => props.change(cleared(), true)}>Clear all</Button>
          <Button looks="primary" onClick={close}>
            Show {count(found)}
          </Button>
        </>
      }
    >
      <Filters {...props} />
    </Dialog>
  )
}

const open: Facet[] = ['health', 'sync', 'projects', 'clusters']

function Filters({ q, change, facets }: FiltersProps) {
  const id = useId()
  if (Object.keys(facets).length === 0) return <Skeleton lines={8} />
  return (
    <>
      <div class="facet-value">
        <input
          id={id}
          type="checkbox"
          checked={q.favourites}
          onChange={() => change({ favourites: q.favourites ? '' : 'true' }, true)}
        />
        <label for={id}>Favourites</label>
        <span class="faint tabular">{count(favourites.value.length)}</span>
      </div>
      {facetNames.map((facet) => (
        <FacetPart key={facet} facet={facet} q={q} change={change} counts={facets[facet] ?? []} />
      ))}
    </>
  )
}

interface FacetProps {
  facet: Facet
  q: Question
  change: Change
  counts: FacetCount[]
}

const atFirst = 8
const searchable = 12

/** A facet that folds. What is folded is not drawn: the page has many values. */
function FacetPart(props: FacetProps) {
  const { facet, q, counts } = props
  const chosen = q.chosen[facet]
  const [shown, setShown] = useState(open.includes(facet) || chosen.length > 0)
  const values = valuesOf(facet, counts, chosen)
  if (values.length === 0) return null
  return (
    <details class="facet" open={shown} onToggle={(event) => setShown(event.currentTarget.open)}>
      <summary>
        <h2 class="facet-title">{facetWords[facet]}</h2>
        {chosen.length > 0 && <span class="facet-chosen tabular">{chosen.length}</span>}
      </summary>
      {shown && <Values {...props} values={values} />}
    </details>
  )
}

function Values({ facet, q, change, values }: FacetProps & { values: FacetCount[] }) {
  const [all, setAll] = useState(false)
  const [typed, setTyped] = useState('')
  const wanted = typed.trim().toLowerCase()
  const found = wanted ? values.filter((v) => v.value.toLowerCase().includes(wanted)) : values
  const shown = all || wanted ? found : some(found, q.chosen[facet], atFirst)
  return (
    <>
      {values.length > searchable && (
        <input
          class="input facet-search"
          type="search"
          aria-label={`Find in ${facetWords[facet].toLowerCase()}`}
          placeholder="Find"
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
      )}
      <ul>
        {shown.map((v) => (
          <Value key={v.value} facet={facet} q={q} change={change} of={v} />
        ))}
      </ul>
      {wanted && found.length === 0 && <p class="soft facet-none">Nothing of that name</p>}
      {!wanted && values.length > shown.length && (
        <Button small looks="quiet" onClick={() => setAll(true)}>
          Show all {count(values.length)}
        </Button>
      )}
      {all && !wanted && values.length > atFirst && (
        <Button small looks="quiet" onClick={() => setAll(false)}>
          Show fewer
        </Button>
      )}
    </>
  )
}

function Value({ facet, q, change, of }: { facet: Facet; q: Question; change: Change; of: FacetCount }) {
  const id = useId()
  const status = statusOf(facet)
  return (
    <li class={of.count === 0 ? 'facet-value facet-zero' : 'facet-value'}>
      <input
        id={id}
        type="checkbox"
        checked={q.chosen[facet].includes(of.value)}
        onChange={() => change(toggled(q, facet, of.value), true)}
      />
      <label for={id} class="clip" title={of.value}>
        {status ? <Status of={status} value={of.value} /> : valueWord(facet, of.value)}
      </label>
      <span class="faint tabular">{count(of.count)}</span>
    </li>
  )
}

/**
 * The values of a facet for showing. Those of a state are always all there and in their order, others by name: nothing moves while
 * the numbers change. What is chosen is there even if it counts nothing, or it could not be taken back.
 */
export function valuesOf(facet: Facet, counts: readonly FacetCount[], chosen: readonly string[]): FacetCount[] {
  const known = new Map(counts.map((c) => [c.value, c.count]))
  const order = valueOrder(facet)
  for (const value of [...order, ...chosen]) if (!known.has(value)) known.set(value, 0)
  const place = (value: string) => (order.includes(value) ? order.indexOf(value) : order.length)
  return [...known]
    .map(([value, count]) => ({ value, count }))
    .sort((a, b) => place(a.value) - place(b.value) || a.value.localeCompare(b.value, undefined, { numeric: true }))
}

/** The values that count most, and those that are chosen; in the order that they had. */
export function some(values: FacetCount[], chosen: readonly string[], limit: number): FacetCount[] {
  if (values.length <= limit) return values
  const most = [...values].sort((a, b) => b.count - a.count).slice(0, limit)
  return values.filter((v) => most.includes(v) || chosen.includes(v.value))
}
