// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import type { State } from '../api'
import { clusterRows, mebibytes, standingOf, troublesOf, wordOf, worstKinds } from './standing'
import type { ClusterSummary } from './types'

const summary = (name: string, more: Partial<ClusterSummary> = {}): ClusterSummary => ({
  server: `https://${name}`,
  name,
  connected: true,
  applications: 2,
  objects: 10,
  kinds: 5,
  unknown: 0,
  waiting: 0,
  running: 0,
  ...more,
})

const state = (more: Partial<State> = {}): State => ({
  version: 'v1',
  started: '2026-01-01T00:00:00Z',
  leads: true,
  checks: { clusters: 'ok' },
  memoryBytes: 1,
  goroutines: 1,
  clusters: [],
  ...more,
})

test('a cluster of which something is not known is not simply connected', () => {
  expect(standingOf(summary('a'))).toBe('connected')
  expect(standingOf(summary('a', { unknown: 1 }))).toBe('gaps')
  expect(standingOf(summary('a', { error: 'metrics.k8s.io does not answer' }))).toBe('gaps')
  expect(standingOf(summary('a', { connected: false, error: 'refused' }))).toBe('failed')
  expect(standingOf(summary('a', { connected: false }))).toBe('unknown')
})

test('without an answer about its state a cluster is as its declaration says, and else unknown', () => {
  expect(standingOf(undefined, { info: { connectionState: { status: 'Successful' } } })).toBe('connected')
  expect(standingOf(undefined, { info: { connectionState: { status: 'Failed' } } })).toBe('failed')
  expect(standingOf(undefined, { connectionState: { status: 'Unknown' } })).toBe('unknown')
  expect(standingOf(undefined)).toBe('unknown')
})

test('clusters in trouble come first', () => {
  const rows = clusterRows(
    ['b', 'a', 'd', 'c'].map((name) => ({ name, server: `https://${name}` })),
    [summary('a'), summary('b'), summary('c', { connected: false, error: 'refused' })],
  )
  expect(rows.map((r) => r.cluster.name)).toEqual(['c', 'd', 'a', 'b'])
})

test('a cluster is addressed by its name, unless another has the same', () => {
  const east = { name: 'east', server: 'https://east' }
  expect(wordOf(east, [east, { name: 'west' }])).toBe('east')
  expect(wordOf(east, [east, { name: 'east' }])).toBe('https://east')
  expect(wordOf({ server: 'https://x' }, [])).toBe('https://x')
})

test('kinds that are not known come first, then those not heard of for longest', () => {
  const kind = (name: string, lastEvent?: string, error?: string) => ({
    kind: name,
    version: 'v1',
    objects: 1,
    ...(lastEvent && { lastEvent }),
    ...(error && { error }),
  })
  const sorted = worstKinds([
    kind('New', '2026-01-01T00:03:00Z'),
    kind('Broken', '2026-01-01T00:04:00Z', 'forbidden'),
    kind('Old', '2026-01-01T00:01:00Z'),
    kind('Never'),
  ])
  expect(sorted.map((k) => k.kind)).toEqual(['Broken', 'Never', 'Old', 'New'])
})

test('nothing is wrong when all is well, or when another process leads', () => {
  expect(troublesOf(state({ clusters: [summary('a')] }))).toEqual([])
  expect(troublesOf(state({ leads: false, because: 'another process leads' }))).toEqual([])
  expect(troublesOf(state({ leads: false, observes: true, because: 'it was started with --observe' }))).toEqual([])
})

test('what is wrong is told, what stops work before what is known in part', () => {
  const told = troublesOf(
    state({
      leads: false,
      because: 'no process leads since 2026-01-01T00:00:00Z: nothing is acted on',
      checks: { clusters: 'not ready' },
      clusters: [summary('a', { unknown: 2 }), summary('b', { connected: false, error: 'refused' })],
      repositories: [{ repo: 'https://git/x', error: 'not found' }],
      settings: ['argocd-cm: foo is not known'],
    }),
  )
  expect(told.map((t) => [t.tone, t.title])).toEqual([
    ['bad', 'This process does not act'],
    ['bad', 'The check “clusters” fails'],
    ['bad', 'Cluster b cannot be reached'],
    ['bad', 'Repository https://git/x cannot be read'],
    ['warn', 'Not everything in cluster a is known'],
    ['warn', 'A setting has no effect'],
  ])
  expect(told[4]?.text).toBe('2 kinds are not known.')
})

test('memory is told in units that people read', () => {
  expect(mebibytes(71_203_112)).toBe('68 MiB')
  expect(mebibytes(3 * 2 ** 30)).toBe('3.0 GiB')
})
