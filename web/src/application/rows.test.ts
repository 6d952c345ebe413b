// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import type { Node } from '../api'
import { chosenIn, countsOf, found } from './filter'
import { foldsIn, withFold } from './folds'
import { arrangementIn, linesOf, nextSort } from './rows'

function node(kind: string, name: string, more: Partial<Node> = {}): Node {
  return { id: `/${kind}/web/${name}`, kind, name, namespace: 'web', managed: true, sync: 'Synced', ...more }
}

const nodes = [
  node('ConfigMap', 'a10', { created: '2026-01-02T00:00:00Z', wave: 1 }),
  node('ConfigMap', 'a2', { created: '2026-01-03T00:00:00Z' }),
  node('Deployment', 'web', { health: { status: 'Degraded' }, created: '2026-01-01T00:00:00Z', differs: 2 }),
  node('Job', 'old', { sync: 'OutOfSync', namespace: 'jobs' }),
]

function names(query: string): string[] {
  return linesOf(nodes, arrangementIn(new URLSearchParams(query))).map((line) =>
    line.is === 'object' ? line.node.name : `${line.value}: ${line.count}${line.folded ? ' folded' : ''}`,
  )
}

test('at first the worst is on top, then by kind and name with numbers in their order', () => {
  expect(names('')).toEqual(['web', 'old', 'a2', 'a10'])
})

test.each([
  ['sort=name', ['a2', 'a10', 'old', 'web']],
  ['sort=-name', ['web', 'old', 'a10', 'a2']],
  ['sort=wave', ['a2', 'web', 'old', 'a10']],
  ['sort=-differs', ['web', 'a2', 'a10', 'old']],
  ['sort=sync', ['old', 'a2', 'a10', 'web']],
  ['sort=nonsense', ['web', 'old', 'a2', 'a10']],
])('%s', (query, want) => {
  expect(names(query)).toEqual(want)
})

test('groups of a state are in the order of urgency, folded ones show their count', () => {
  expect(names('group=sync&sort=name&folded=Synced')).toEqual(['OutOfSync: 1', 'old', 'Synced: 3 folded'])
  expect(names('group=namespace&sort=name')).toEqual(['jobs: 1', 'old', 'web: 3', 'a2', 'a10', 'web'])
})

test('the head of a column turns through rising, falling and none', () => {
  const at = (query: string) => nextSort(arrangementIn(new URLSearchParams(query)), 'name')
  expect([at(''), at('sort=kind'), at('sort=name'), at('sort=-name')]).toEqual(['name', 'name', '-name', undefined])
})

test('every word of a search has to be in the object', () => {
  const search = (q: string) => found(nodes, chosenIn(new URLSearchParams({ q }))).map((n) => n.name)
  expect(search('CONFIG a1')).toEqual(['a10'])
  expect(search('jobs/old')).toEqual(['old'])
  expect(search('config job')).toEqual([])
})

test('counts are by urgency, and of kinds by how many', () => {
  const counts = countsOf([...nodes, node('ConfigMap', 'left', { orphan: true, sync: '' })])
  expect(counts.kinds[0]).toEqual({ value: 'ConfigMap', count: 3 })
  expect(counts.syncs.map((c) => c.value)).toEqual(['OutOfSync', 'Synced'])
  expect([counts.orphans, counts.healths]).toEqual([1, [{ value: 'Degraded', count: 1 }]])
})

test('folding by hand is in the address, one way or the other, and not without end', () => {
  const query = new URLSearchParams('open=a&shut=b')
  expect(withFold(query, 'a', true)).toEqual({ open: [], shut: ['b', 'a'] })
  expect(withFold(query, 'b', false)).toEqual({ open: ['a', 'b'], shut: [] })
  const long = new URLSearchParams(Array.from({ length: 60 }, (_, i) => ['open', `${i}`]))
  expect(withFold(long, 'new', false).open).toHaveLength(40)
  expect(foldsIn(new URLSearchParams('fold=other')).mode).toBe('calm')
})
