// SPDX-License-Identifier: Apache-2.0

import './list.css'
import './groups.css'
import './filters.css'
import './applications.css' // last: it says how a small screen differs
import { useCallback, useEffect, useMemo } from 'preact/hooks'
import { Cli, Empty, Failure, Icon, Skeleton, Staleness } from '../kit'
import { place } from '../route/place'
import { useQuery } from '../route/query'
import { BulkBar } from './bulk'
import { learnMayCreate, mayCreate } from './create'
import { favourites } from './favourites'
import { FilterPanel, FilterSheet } from './filters'
import { Found } from './found'
import { List } from './list'
import { asked, choices, cleared, type Question, questionOf, unrestricted } from './question'
import { list, type Summary } from './store'
import { Strip } from './strip'
import { type Change, Tools } from './tools'
import { verdict } from './words'

/** All applications: which ask for something, and why, worst first. */
export default function ApplicationsPage() {
  const { query, set } = useQuery()
  const q = useMemo(() => questionOf(query), [query])
  const change: Change = useCallback((next, push) => set(next, push), [set])
  const stars = q.favourites ? favourites.value : []
  const question = useMemo(() => asked(q, stars), [q, stars])
  useEffect(() => list.ask(question), [question])
  useEffect(() => {
    void learnMayCreate()
    return () => list.stop()
  }, [])
  const summary = list.summary.value
  useTitle(summary)
  return (
    <div class="apps">
      <div class="apps-top">
        <div class="apps-title">
          <h1>Applications</h1>
          <p class="soft clip">{summary && verdict(summary.attention, summary.all)}</p>
        </div>
        <Strip q={q} change={change} summary={summary} />
        {mayCreate.value !== false && <NewButton known={mayCreate.value === true} />}
      </div>
      <Staleness standing={list.standing.value} />
      <Tools q={q} change={change} facets={list.facets.value} chosen={choices(q).length} />
      <Found q={q} change={change} summary={summary} refused={list.standing.value.is === 'refused'} />
      <div class="apps-main">
        {(summary ? summary.all > 0 : list.standing.value.is !== 'refused') && (
          <FilterPanel q={q} change={change} facets={list.facets.value} />
        )}
        <section class="apps-content" aria-label="List">
          <Content q={q} change={change} summary={summary} />
        </section>
      </div>
      <FilterSheet q={q} change={change} facets={list.facets.value} found={summary?.found ?? 0} />
      <BulkBar q={q} found={summary?.found ?? 0} />
    </div>
  )
}

/** Its place is kept until it is known whether the reader may: nothing moves then. */
function NewButton({ known = true }: { known?: boolean }) {
  return (
    <a class={known ? 'button button-primary' : 'button button-primary apps-reserved'} href={place('/new')}>
      <Icon name="plus" />
      New application
    </a>
  )
}

function Content({ q, change, summary }: { q: Question; change: Change; summary: Summary | undefined }) {
  const standing = list.standing.value
  if (standing.is === 'refused') {
    return (
      <div class="stack">
        <Failure error={standing.error} doing="list applications" retry={() => list.again()} />
        <p>
          <a href={place('/applications')}>All applications, worst first</a>
        </p>
      </div>
    )
  }
  if (!summary) {
    // The banner above says that nobody answers; here is where the list would be.
    return <Skeleton lines={16} />
  }
  if (summary.all === 0) return <NothingYet />
  if (summary.found === 0) return <NothingFound q={q} change={change} />
  return <List q={q} change={change} summary={summary} />
}

function NothingYet() {
  const may = mayCreate.value
  return (
    <Empty icon="tiles" title="There is no application here yet" action={may && <NewButton />}>
      <div class="stack apps-nothing">
        <p>
          {may
            ? 'An application says which folder of a repository belongs into which cluster. Create the first one here, or on the command line:'
            : 'There is none, or none that you may see. Ask who runs this installation for a role in your project.'}
        </p>
        {may && (
          <Cli
            command={[
              ...['app', 'create', 'NAME', '--repo', 'URL', '--path', 'FOLDER'],
              ...['--dest-name', 'in-cluster', '--dest-namespace', 'NAMESPACE'],
            ]}
          />
        )}
      </div>
    </Empty>
  )
}

function NothingFound({ q, change }: { q: Question; change: Change }) {
  const all = choices(q)
  const empty = q.favourites && favourites.value.length === 0
  return (
    <Empty
      icon="search"
      title={empty ? 'You have no favourites yet' : 'No application is like that'}
      action={
        !unrestricted(q) && (
          <button type="button" class="button" onClick={() => change(cleared(), true)}>
            {all.length === 1 ? 'Show all applications' : 'Clear all filters'}
          </button>
        )
      }
    >
      {empty
        ? 'Press the star beside an application to find it here.'
        : 'Take something back of what is chosen above, or search for less: words all have to be found.'}
    </Empty>
  )
}

/** The title says how many are broken: a tab in the background is looked at too. */
function useTitle(summary: Summary | undefined) {
  const broken = summary?.attention.broken ?? 0
  useEffect(() => {
    document.title = `${broken > 0 ? `(${broken}) ` : ''}Applications · Bowline`
  }, [broken])
}
