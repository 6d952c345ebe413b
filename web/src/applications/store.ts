// SPDX-License-Identifier: Apache-2.0

import { batch, effect, type Signal, signal, untracked } from '@preact/signals'
import { type ApplicationsView, type FacetCount, follow, type Group, type Row, type Standing } from '../api'
import { session } from '../session/signal'
import { Order } from './order'
import type { ListQuery } from './question'
import { firstWindow, type Window, windowFor } from './window'

/** What is known of the list as a whole. */
export interface Summary {
  /** How many rows there are, without those of folded groups, and how many applications were found, with them. */
  total: number
  found: number
  /** How many applications the reader may see, and what they ask for. */
  all: number
  attention: Record<string, number>
  groups: Group[]
  /** The question that this answers, as text. */
  of: string
}

export type Facets = Record<string, FacetCount[]>

/** Windows are not asked for faster than this while somebody drags the scroll bar. */
const pace = 120

/**
 * The list of applications, live. Rows are signals of their own: what changes in one draws one. What is known stays when the
 * question or the window changes until the answer is there, and when the list is left and come back to.
 */
export class ListStore {
  readonly rows = new Map<string, Signal<Row>>()
  readonly order = new Order()
  /** Counts the changes of the order. */
  readonly turn = signal(0)
  readonly summary = signal<Summary | undefined>(undefined)
  readonly facets = signal<Facets>({})
  readonly standing = signal<Standing>({ is: 'connecting' })

  private query: ListQuery = {}
  private asked = ''
  private window: Window = firstWindow
  private end: (() => void) | undefined
  private opened = 0
  private timer: ReturnType<typeof setTimeout> | undefined

  /** Follows what a question chooses, from its first row on. The same question again changes nothing. */
  ask(query: ListQuery) {
    const text = JSON.stringify(query)
    if (text === this.asked && this.end) return
    if (unfolded(query) !== unfolded(this.query)) this.window = firstWindow
    this.query = query
    this.asked = text
    this.open()
  }

  /** Takes notice of which rows are seen, so that the window stays around them. */
  see(first: number, last: number) {
    const known = untracked(() => this.summary.value)
    if (!this.end || known?.of !== this.asked) return
    const next = windowFor(this.window, first, last, known.total)
    if (next === this.window) return
    this.window = next
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.open(), Math.max(0, this.opened + pace - performance.now()))
  }

  /** Asks again, after a refusal. */
  again() {
    this.open()
  }

  /** Lets go of the stream. What is known stays. */
  stop() {
    clearTimeout(this.timer)
    this.end?.()
    this.end = undefined
  }

  /** Forgets all: somebody else is signed in. */
  forget() {
    this.stop()
    batch(() => {
      this.rows.clear()
      this.order.clear()
      this.asked = ''
      this.turn.value++
      this.summary.value = undefined
      this.facets.value = {}
      this.standing.value = { is: 'connecting' }
    })
  }

  private open() {
    this.stop()
    this.opened = performance.now()
    const of = this.asked
    this.end = follow<ApplicationsView>({
      path: '/api/bowline/v1/stream/applications',
      request: { query: { ...this.query, ...this.window } },
      each: (view) => this.take(view, of),
      standing: (now) => {
        this.standing.value = now
      },
    })
  }

  /** Takes in a message. What it does not tell of stays. */
  take(view: ApplicationsView, of: string) {
    batch(() => {
      for (const row of view.rows ?? []) this.put(row)
      const had = untracked(() => this.summary.value)
      if (had?.of !== of) this.order.clear()
      this.order.put(view.offset, view.order ?? [], view.total)
      this.turn.value++
      this.summary.value = {
        total: view.total,
        found: view.found,
        all: view.all,
        attention: view.attention ?? {},
        groups: view.groups ?? [],
        of,
      }
      if (view.facets) this.facets.value = { ...untracked(() => this.facets.value), ...clean(view.facets) }
    })
  }

  private put(row: Row) {
    const key = keyOf(row)
    const had = this.rows.get(key)
    if (had) had.value = row
    else this.rows.set(key, signal(row))
  }
}

/** A question but for what is folded: folding a group leaves the reader where they are. */
function unfolded({ folded: _, ...rest }: ListQuery): string {
  return JSON.stringify(rest)
}

/** The name of an application among all: NAMESPACE/NAME, as the API's order has it. */
export function keyOf(app: { namespace: string; name: string }): string {
  return `${app.namespace}/${app.name}`
}

function clean(facets: NonNullable<ApplicationsView['facets']>): Facets {
  return Object.fromEntries(Object.entries(facets).map(([name, counts]) => [name, counts ?? []]))
}

/** The list of this page. */
export const list = new ListStore()

let person = ''
effect(() => {
  const who = session.value
  if (who.is === 'unknown') return
  const now = who.is === 'in' ? `${who.issuer} ${who.username}` : ''
  if (person !== '' && person !== now) list.forget()
  person = now
})
