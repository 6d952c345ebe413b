// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import type { State } from '../api'
import { troubles, worstFirst } from './health'

const cluster = {
  server: 'https://a',
  name: 'a',
  connected: true,
  applications: 0,
  objects: 0,
  kinds: 1,
  unknown: 0,
  waiting: 0,
  running: 0,
}
const fine: State = {
  version: 'dev',
  started: null,
  leads: true,
  checks: { clusters: 'ok' },
  memoryBytes: 1,
  goroutines: 1,
  clusters: [cluster],
}

test('nothing is said of what is fine', () => {
  expect(troubles(fine)).toEqual([])
})

test('what is wrong is told, checks first', () => {
  const state: State = {
    ...fine,
    leads: false,
    because: 'other-pod leads',
    checks: { clusters: 'a is not known yet' },
    clusters: [
      { ...cluster, connected: false, error: 'refused' },
      { ...cluster, name: 'b', unknown: 2 },
    ],
    repositories: [{ repo: 'https://r', error: '404' }],
    settings: ['timeout.reconciliation is no time'],
  }
  expect(troubles(state)).toEqual([
    'clusters: a is not known yet',
    'This process does not act. other-pod leads',
    'Cluster a is not connected: refused',
    '2 kinds of cluster b cannot be looked at',
    'Repository https://r cannot be read: 404',
    'timeout.reconciliation is no time',
  ])
})

test('kinds with errors come first, then what was heard of longest ago', () => {
  const kind = (name: string, more = {}) => ({ kind: name, version: 'v1', objects: 1, ...more })
  const sorted = worstFirst([
    kind('New', { lastEvent: '2026-01-02T00:00:00Z' }),
    kind('Old', { lastEvent: '2026-01-01T00:00:00Z' }),
    kind('Bad', { error: 'forbidden', lastEvent: '2026-01-02T00:00:00Z' }),
  ])
  expect(sorted.map((k) => k.kind)).toEqual(['Bad', 'Old', 'New'])
})
