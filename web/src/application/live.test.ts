// SPDX-License-Identifier: Apache-2.0

import { effect } from '@preact/signals'
import { expect, test } from 'vitest'
import type { Node } from '../api'
import { Live } from './live'

function pod(name: string, more: Partial<Node> = {}): Node {
  return { id: `/Pod/web/${name}`, kind: 'Pod', namespace: 'web', name, ...more }
}

/** How often something that reads signals ran again. */
function runs(read: () => unknown): () => number {
  let count = -1
  effect(() => {
    read()
    count++
  })
  return () => count
}

test('a change of one object is told to those who look at that object only', () => {
  const live = new Live()
  live.take([{ whole: true, nodes: [pod('a'), pod('b')] }], 0)
  const a = runs(() => live.node('/Pod/web/a'))
  const b = runs(() => live.node('/Pod/web/b'))
  const order = runs(() => live.order.value)
  const mood = runs(() => live.mood.value)
  live.take([{ nodes: [pod('a', { images: ['web:2'] })] }], 0)
  expect([a(), b(), order(), mood()]).toEqual([1, 0, 0, 0])
  live.take([{ nodes: [pod('a', { health: { status: 'Degraded' } })] }], 0)
  expect([a(), b(), order(), mood()]).toEqual([2, 0, 0, 1])
})

test('objects come, go, and hang elsewhere', () => {
  const live = new Live()
  live.take([{ whole: true, nodes: [pod('a')] }], 0)
  live.take([{ nodes: [pod('b')] }, { gone: ['/Pod/web/a'] }], 0)
  expect(live.order.value).toEqual(['/Pod/web/b'])
  const order = runs(() => live.order.value)
  live.take([{ nodes: [pod('b', { parents: ['apps/ReplicaSet/web/web-1'] })] }], 0)
  live.take([{ gone: ['/Pod/web/never-was'] }], 0)
  expect(order()).toBe(1)
})

test('a whole message forgets what it does not name, and keeps what it does', () => {
  const live = new Live()
  live.take([{ whole: true, nodes: [pod('a'), pod('b')] }], 0)
  const kept = live.nodes.get('/Pod/web/b')
  live.take([{ whole: true, nodes: [pod('b'), pod('c')] }], 0)
  expect(live.order.value).toEqual(['/Pod/web/b', '/Pod/web/c'])
  expect(live.nodes.get('/Pod/web/b')).toBe(kept)
})

test('a first message without objects is not an application without objects', () => {
  const live = new Live()
  live.take([{ row: undefined, application: {} }], 0)
  expect(live.met.value).toBe(false)
  live.take([{ whole: true }], 0)
  expect(live.met.value).toBe(true)
})

test('what is not known keeps what was shown and since when, until it is known again', () => {
  const live = new Live()
  live.take([{ whole: true, nodes: [pod('a')] }], 0)
  live.take([{ unknown: 'the cluster does not answer' }], 1000)
  live.take([{ unknown: 'the cluster does not answer (2 tries)' }], 5000)
  expect(live.unknown.value).toEqual({ why: 'the cluster does not answer (2 tries)', since: 1000 })
  expect(live.order.value).toEqual(['/Pod/web/a'])
  live.take([{ whole: true, nodes: [], unknown: 'the cluster does not answer' }], 5500)
  expect(live.order.value).toEqual(['/Pod/web/a'])
  live.take([{ known: true }], 6000)
  expect(live.unknown.value).toBeUndefined()
})

test('several messages are one change', () => {
  const live = new Live()
  const order = runs(() => live.order.value)
  live.take([{ whole: true, nodes: [pod('a')] }, { nodes: [pod('b')] }, { deleted: true }], 0)
  expect(order()).toBe(1)
  expect(live.deleted.value).toBe(true)
})
