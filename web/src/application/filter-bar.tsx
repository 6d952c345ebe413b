// SPDX-License-Identifier: Apache-2.0

import type { ComponentChildren } from 'preact'
import type { Node } from '../api'
import { Button, Icon, lookOf, Menu, type StatusKind } from '../kit'
import { useQuery } from '../route/query'
import { type Chosen, type Count, chosenIn, countsOf } from './filter'
import { useApplication } from './store'

/** What the address chooses of the objects. */
export function useChosen(): Chosen {
  return chosenIn(useQuery().query)
}

interface BarProps {
  /** How many answer the filter. */
  shown: number
  /** Which objects the view is about, and what one of them is called. */
  only?: (node: Node) => boolean
  noun?: string
  children?: ComponentChildren
}

/** Looks for objects by name, kind, health and sync; the same for all views. children come at the end. */
export function FilterBar({ shown, only, noun = 'object', children }: BarProps) {
  const live = useApplication()
  const { query, set } = useQuery()
  void live.settled.value
  const all = only ? live.all().filter(only) : live.all()
  const counts = countsOf(all)
  const chosen = chosenIn(query)
  const total = chosen.orphans ? all.length : all.length - counts.orphans
  return (
    <div class="filter-bar">
      <div class="filter-search">
        <Icon name="search" />
        <input
          type="search"
          class="input"
          aria-label="Search objects"
          placeholder="Search objects"
          value={query.get('q') ?? ''}
          onInput={(event) => set({ q: event.currentTarget.value })}
        />
      </div>
      {!only && <KindMenu counts={counts.kinds} chosen={chosen.kinds} onChange={(kind) => set({ kind })} />}
      <Toggles of="health" counts={counts.healths} chosen={chosen.healths} onChange={(health) => set({ health })} />
      <Toggles of="sync" counts={counts.syncs} chosen={chosen.syncs} onChange={(sync) => set({ sync })} />
      {counts.orphans > 0 && (
        <Button
          small
          aria-pressed={chosen.orphans}
          title="Objects of the namespace that belong to no application"
          onClick={() => set({ orphans: chosen.orphans ? undefined : '1' })}
        >
          Orphans <span class="tabular faint">{counts.orphans}</span>
        </Button>
      )}
      {chosen.some && (
        <Button
          small
          looks="quiet"
          icon="cross"
          onClick={() => set({ q: undefined, kind: undefined, health: undefined, sync: undefined })}
        >
          Clear
        </Button>
      )}
      <span class="filter-count soft tabular" role="status">
        {chosen.some ? `${shown.toLocaleString()} of ${total.toLocaleString()}` : total.toLocaleString()}
        {total === 1 ? ` ${noun}` : ` ${noun}s`}
      </span>
      <div class="row">{children}</div>
    </div>
  )
}

function toggled(list: string[], value: string): string[] {
  return list.includes(value) ? list.filter((one) => one !== value) : [...list, value]
}

function KindMenu({
  counts,
  chosen,
  onChange,
}: {
  counts: Count[]
  chosen: string[]
  onChange: (kinds: string[]) => void
}) {
  // What is looked for stays in the menu, whether there is one or not.
  const word = chosen.length === 0 ? 'Kind' : chosen.length === 1 ? chosen[0] : `${chosen.length} kinds`
  const gone = chosen.filter((kind) => counts.every((count) => count.value !== kind))
  return (
    <Menu
      small
      label={chosen.length === 0 ? 'Kind' : `Kind: ${word}`}
      items={[...counts, ...gone.map((value) => ({ value, count: 0 }))].map(({ value, count }) => ({
        label: `${value} (${count})`,
        chosen: chosen.includes(value),
        onSelect: () => onChange(toggled(chosen, value)),
      }))}
    >
      {word}
    </Menu>
  )
}

function Toggles({
  of,
  counts,
  chosen,
  onChange,
}: {
  of: StatusKind
  counts: Count[]
  chosen: string[]
  onChange: (values: string[]) => void
}) {
  if (counts.length === 0) return null
  return (
    <fieldset class="toggles">
      <legend class="unseen">By {of}</legend>
      {counts.map(({ value, count }) => {
        const look = lookOf(of, value)
        return (
          <button
            key={value}
            type="button"
            class={`toggle tone-${look.tone}`}
            aria-pressed={chosen.includes(value)}
            aria-label={`${look.word}, ${count}`}
            title={look.word}
            onClick={() => onChange(toggled(chosen, value))}
          >
            <Icon name={look.icon} size={14} />
            <span class="tabular">{count}</span>
          </button>
        )
      })}
    </fieldset>
  )
}
