// SPDX-License-Identifier: Apache-2.0

import { useEffect, useRef, useState } from 'preact/hooks'
import { Button, IconButton } from '../kit'
import type { QueryChange } from '../route/query'
import { useCommands } from '../shell/commands'
import { filtersShown, sheetOpen } from './filters'
import { facetNames, facetWords, type Question, sorts, worstFirst } from './question'
import { type Facets, list } from './store'
import { ViewsMenu } from './viewsmenu'

/** Changes the question. With push it is a step that the browser's back button undoes. */
export type Change = (change: QueryChange, push?: boolean) => void

interface ToolsProps {
  q: Question
  change: Change
  facets: Facets
  chosen: number
}

/** Searching, grouping, sorting, and how it is shown. */
export function Tools({ q, change, facets, chosen }: ToolsProps) {
  return (
    <div class="apps-tools">
      <Button
        icon="filter"
        class="apps-filters-open"
        aria-expanded={filtersShown.value}
        onClick={() => {
          if (matchMedia('(max-width: 1023px)').matches) sheetOpen.value = true
          else filtersShown.value = !filtersShown.value
        }}
      >
        Filters{chosen > 0 && ` (${chosen})`}
      </Button>
      <Search value={q.search} change={change} />
      <Choose
        label="Group by"
        value={q.group}
        options={groupings(facets, q.group)}
        onChange={(group) => change({ group, folded: undefined }, true)}
      />
      <Choose
        label="Sort"
        value={q.sort}
        options={sorts.some((s) => s.value === q.sort) ? sorts : [...sorts, { value: q.sort, label: q.sort }]}
        onChange={(sort) => change({ sort: sort === worstFirst ? '' : sort })}
      />
      <fieldset class="apps-shape" aria-label="Show as">
        <IconButton label="List" icon="list" aria-pressed={!q.tiles} onClick={() => change({ view: '' })} />
        <IconButton label="Tiles" icon="tiles" aria-pressed={q.tiles} onClick={() => change({ view: 'tiles' })} />
      </fieldset>
      <ViewsMenu q={q} />
    </div>
  )
}

/** What can be grouped by: each facet but the labels as a whole, and each key of them. */
export function groupings(facets: Facets, now: string): { value: string; label: string }[] {
  const keys = new Set((facets.labels ?? []).map((l) => l.value.slice(0, l.value.indexOf('='))))
  if (now.startsWith('label:')) keys.add(now.slice('label:'.length))
  return [
    { value: '', label: 'Nothing' },
    ...facetNames.filter((f) => f !== 'labels').map((f) => ({ value: f, label: facetWords[f] })),
    ...[...keys].sort().map((key) => ({ value: `label:${key}`, label: `Label ${key}` })),
  ]
}

function Choose({
  label,
  value,
  options,
  onChange,
}: {
  label: string
  value: string
  options: { value: string; label: string }[]
  onChange: (value: string) => void
}) {
  return (
    <label class="apps-choose">
      <span class="soft">{label}</span>
      <select class="input" value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {options.map((o) => (
          <option key={o.value} value={o.value}>
            {o.label}
          </option>
        ))}
      </select>
    </label>
  )
}

/** How long typing rests before the list is asked: letters that follow each other closely ask once. */
const rest = 80

const firstFound = () => document.querySelector<HTMLElement>('[data-place] a')

/** What the list that is shown was searched for. */
function searched(of: string | undefined): string {
  return of ? ((JSON.parse(of) as { search?: string }).search ?? '').trim() : ''
}

/** The search; Enter opens the first that is found. What is typed shows at once; the address and the list follow. */
function Search({ value, change }: { value: string; change: Change }) {
  const input = useRef<HTMLInputElement>(null)
  const [typed, setTyped] = useState(value)
  const sent = useRef(value)
  const [opening, setOpening] = useState<string>()
  useEffect(() => {
    // The address changed by something else than typing: a view, a chip, the back button.
    if (value !== sent.current) setTyped(value)
    sent.current = value
  }, [value])
  useEffect(() => {
    if (typed === sent.current) return
    const timer = setTimeout(() => {
      sent.current = typed
      change({ search: typed })
    }, rest)
    return () => clearTimeout(timer)
  }, [typed, change])
  const answered = list.summary.value?.of
  useEffect(() => {
    // Only what was found by all that was typed: before that the list begins with something else.
    if (opening !== typed || searched(answered) !== typed.trim()) return
    setOpening(undefined)
    firstFound()?.click()
  }, [opening, typed, answered])
  useCommands(
    () => [
      {
        id: 'apps-search',
        label: 'Search applications',
        group: 'List',
        icon: 'search',
        keys: '/',
        run: () => {
          input.current?.focus()
          input.current?.select()
        },
      },
    ],
    [],
  )
  return (
    <input
      ref={input}
      type="search"
      class="input apps-search"
      aria-label="Search applications"
      aria-keyshortcuts="/"
      placeholder={matchMedia('(pointer: fine)').matches ? 'Search applications  ( / )' : 'Search applications'}
      spellcheck={false}
      autocomplete="off"
      value={typed}
      onInput={(event) => setTyped(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === 'ArrowDown') {
          event.preventDefault()
          firstFound()?.focus()
        } else if (event.key === 'Enter' && typed.trim() !== '') {
          setOpening(typed)
        } else if (event.key === 'Escape' && typed === '') {
          event.currentTarget.blur()
        }
      }}
    />
  )
}
