// SPDX-License-Identifier: Apache-2.0

import { effect } from '@preact/signals'
import { expect, test } from 'vitest'
import type { ApplicationsView, Row } from '../api'
import { ListStore } from './store'

function row(name: string, more: Partial<Row> = {}): Row {
  return {
    namespace: 'ns',
    name,
    project: 'default',
    sync: 'Synced',
    health: 'Healthy',
    attention: 'fine',
    cluster: 'in-cluster',
    sources: 1,
    created: null,
    ...more,
  }
}

function view(rows: Row[], order: string[], more: Partial<ApplicationsView> = {}): ApplicationsView {
  return { rows, order: order.map((n) => `ns/${n}`), offset: 0, total: 3, found: 3, all: 3, attention: {}, ...more }
}

test('a row that changes draws itself and no other', () => {
  const store = new ListStore()
  store.take(view([row('a'), row('b')], ['a', 'b']), 'q')
  const drawn = { a: 0, b: 0 }
  for (const name of ['a', 'b'] as const) {
    effect(() => {
      if (store.rows.get(`ns/${name}`)!.value) drawn[name]++
    })
  }
  store.take(view([row('b', { health: 'Degraded' })], ['a', 'b']), 'q')
  expect(drawn).toEqual({ a: 1, b: 2 })
  expect(store.rows.get('ns/b')?.value.health).toBe('Degraded')
})

test('another window of the same question keeps what is known of the one before', () => {
  const store = new ListStore()
  store.take(view([row('a'), row('b')], ['a', 'b']), 'q')
  store.take(view([row('c')], ['c'], { offset: 2 }), 'q')
  expect([0, 1, 2].map((at) => store.order.at(at))).toEqual(['ns/a', 'ns/b', 'ns/c'])
})

test('the answer to another question has nothing of the order before', () => {
  const store = new ListStore()
  store.take(view([row('a'), row('b')], ['a', 'b']), 'q')
  store.take(view([row('c')], ['c'], { total: 2, found: 2 }), 'other')
  expect([0, 1].map((at) => store.order.at(at))).toEqual(['ns/c', undefined])
  expect(store.summary.value).toMatchObject({ of: 'other', found: 2 })
})

test('facets that a message does not tell of stay', () => {
  const store = new ListStore()
  store.take(
    view([], [], { facets: { health: [{ value: 'Healthy', count: 3 }], sync: [{ value: 'Synced', count: 3 }] } }),
    'q',
  )
  store.take(view([], [], { facets: { health: null } }), 'q')
  expect(store.facets.value).toEqual({ health: [], sync: [{ value: 'Synced', count: 3 }] })
})

test('for somebody else nothing is known', () => {
  const store = new ListStore()
  store.take(view([row('a')], ['a']), 'q')
  store.forget()
  expect(store.summary.value).toBeUndefined()
  expect(store.rows.size).toBe(0)
  expect(store.order.at(0)).toBeUndefined()
})
