// SPDX-License-Identifier: Apache-2.0

import type { ComponentChildren } from 'preact'
import { Chip, Empty, Failure, Icon, IconButton, Skeleton, Time } from '../kit'
import { useQuery } from '../route/query'
import { counted, found } from './filter'
import type { Loaded } from './load'
import type { Connection } from './types'

/** The head of a view: where it is, what it is called, what can be done. */
export function Head({
  title,
  up,
  children,
  actions,
}: {
  title: string
  up?: { to: string; label: string }
  children?: ComponentChildren
  actions?: ComponentChildren
}) {
  return (
    <header class="settings-head">
      <div class="grow">
        {up && (
          <a class="settings-up" href={up.to}>
            <Icon name="left" size={12} />
            {up.label}
          </a>
        )}
        <h1>{title}</h1>
        {children && <div class="soft settings-lead">{children}</div>}
      </div>
      {actions && <div class="row wrap">{actions}</div>}
    </header>
  )
}

/** A part of a view with its heading. */
export function Section({
  title,
  hint,
  actions,
  flush,
  children,
}: {
  title: string
  hint?: ComponentChildren
  actions?: ComponentChildren
  /** The content reaches the border: a table. */
  flush?: boolean
  children: ComponentChildren
}) {
  return (
    <section class="card settings-section" aria-label={title}>
      <div class="settings-section-head">
        <div class="grow">
          <h2>{title}</h2>
          {hint && <p class="field-hint">{hint}</p>}
        </div>
        {actions && <div class="row wrap">{actions}</div>}
      </div>
      <div class={flush ? 'settings-flush' : 'settings-section-body'}>{children}</div>
    </section>
  )
}

/** What an answer shows: the skeleton before the first, the failure when there is none, and otherwise what is known with its age. */
export function Answer<T>({
  of,
  doing,
  lines = 4,
  children,
}: {
  of: Loaded<T>
  doing: string
  lines?: number
  children: (data: T) => ComponentChildren
}) {
  if (of.data === undefined) {
    return of.error ? (
      <Failure error={of.error} doing={doing} retry={() => void of.reload()} />
    ) : (
      <Skeleton lines={lines} />
    )
  }
  return (
    <>
      {of.error && (
        <div class="staleness settings-stale" role="status">
          <Icon name="warning" />
          <span>
            As it was <Time at={new Date(of.at).toISOString()} />: {of.error.message}
          </span>
        </div>
      )}
      {children(of.data)}
    </>
  )
}

export interface Column<T> {
  label: string
  cell: (one: T) => ComponentChildren
  /** Left out where there is little room. */
  wide?: boolean
  /** A number, or something that stands at the right. */
  end?: boolean
}

/** A table whose search stands in the address. texts are what the search looks at. */
export function Listing<T>({
  of,
  rows,
  name,
  columns,
  texts,
  keyOf,
  empty,
  noun,
  many,
  extra,
}: {
  /** What the table is called. */
  of: string
  rows: T[]
  /** The parameter of the address for the search. */
  name?: string
  columns: Column<T>[]
  texts: (one: T) => (string | undefined | null)[]
  keyOf: (one: T) => string
  empty: ComponentChildren
  noun: string
  many?: string
  extra?: ComponentChildren
}) {
  const { query, set } = useQuery()
  const parameter = name ?? 'search'
  const search = query.get(parameter) ?? ''
  const seen = search.trim() === '' ? rows : rows.filter((one) => found(search, ...texts(one)))
  if (rows.length === 0) return <>{empty}</>
  return (
    <>
      <div class="settings-tools">
        <Search label={`Search ${of}`} value={search} onInput={(text) => set({ [parameter]: text })} />
        {extra}
        <span class="soft tabular settings-count" role="status">
          {seen.length === rows.length
            ? counted(rows.length, noun, many)
            : `${seen.length} of ${counted(rows.length, noun, many)}`}
        </span>
      </div>
      {seen.length === 0 ? (
        <Empty icon="search" title={`Nothing has “${search}” in it`}>
          <button type="button" class="button" onClick={() => set({ [parameter]: undefined })}>
            Clear the search
          </button>
        </Empty>
      ) : (
        <Table of={of} rows={seen} columns={columns} keyOf={keyOf} />
      )}
    </>
  )
}

export function Table<T>({
  of,
  rows,
  columns,
  keyOf,
}: {
  of: string
  rows: T[]
  columns: Column<T>[]
  keyOf: (one: T, at: number) => string
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard
    <section class="table-scroll" aria-label={`Table of ${of}`} tabIndex={0}>
      <table class="table">
        <thead>
          <tr>
            {columns.map((c) => (
              <th key={c.label} scope="col" class={classOf(c)}>
                {c.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((one, at) => (
            <tr key={keyOf(one, at)}>
              {columns.map((c) => (
                <td key={c.label} class={classOf(c)}>
                  {c.cell(one)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function classOf(column: { wide?: boolean; end?: boolean }): string | undefined {
  return [column.wide && 'settings-wide', column.end && 'settings-end'].filter(Boolean).join(' ') || undefined
}

function Search({ label, value, onInput }: { label: string; value: string; onInput: (text: string) => void }) {
  return (
    <div class="settings-search">
      <Icon name="search" />
      <input
        class="input"
        type="search"
        aria-label={label}
        placeholder={label}
        value={value}
        spellcheck={false}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
      {value !== '' && <IconButton small label="Clear the search" icon="cross" onClick={() => onInput('')} />}
    </div>
  )
}

/** How a connection is doing, by icon and word; why it fails on hover. */
export function ConnectionStatus({ of }: { of: Connection | undefined | null }) {
  const looks = {
    Successful: { icon: 'check', tone: 'good', word: 'Connected' },
    Failed: { icon: 'cross', tone: 'bad', word: 'Failed' },
  } as const
  const look = looks[of?.status as keyof typeof looks] ?? { icon: 'question', tone: 'dim', word: 'Unknown' }
  return (
    <span class={`status tone-${look.tone}`} title={of?.message || undefined}>
      <Icon name={look.icon} />
      {look.word}
    </span>
  )
}

/** Words of a list as chips; nothing is said as such. */
export function Words({ of, none = 'none' }: { of: string[]; none?: string }) {
  if (of.length === 0) return <span class="faint">{none}</span>
  return (
    <span class="row wrap settings-words">
      {of.map((word, at) => (
        <Chip key={`${at} ${word}`}>{word}</Chip>
      ))}
    </span>
  )
}

/** Yes or no by icon and word. */
export function YesNo({ yes, words = ['yes', 'no'] }: { yes: boolean; words?: [string, string] }) {
  return (
    <span class={`status tone-${yes ? 'good' : 'dim'}`}>
      <Icon name={yes ? 'check' : 'minus'} />
      {yes ? words[0] : words[1]}
    </span>
  )
}
