// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import type { Node, Row } from '../api'
import { culprits } from './culprit'

const row = (more: Partial<Row>): Row => ({
  namespace: 'argocd',
  name: 'web',
  project: 'p',
  cluster: 'c',
  created: null,
  sources: 1,
  sync: '',
  health: '',
  attention: 'fine',
  ...more,
})
const node = (id: string, kind: string, health: string, more: Partial<Node> = {}): Node => ({
  id,
  kind,
  name: id,
  health: { status: health },
  ...more,
})
const chain = [
  node('deploy', 'Deployment', 'Degraded', { sync: 'Synced' }),
  node('set', 'ReplicaSet', 'Progressing', { parents: ['deploy'] }),
  node('pod', 'Pod', 'Degraded', { parents: ['set'], info: [{ name: 'Status Reason', value: 'ImagePullBackOff' }] }),
  node('job', 'Job', 'Degraded'),
  node('map', 'ConfigMap', '', { sync: 'OutOfSync' }),
]

test('of what is degraded the lowest is named, Pods first, with the reason', () => {
  const found = culprits(row({ attention: 'broken', health: 'Degraded' }), chain)
  expect(found.map((one) => one.label)).toEqual(['Pod pod: ImagePullBackOff', 'Job job'])
})

test('what drifts is named with its differences', () => {
  expect(culprits(row({ attention: 'drifting', health: 'Degraded' }), chain)).toEqual([
    { id: 'map', label: 'ConfigMap map', panel: 'diff' },
  ])
})

test('nobody is named for what objects do not tell', () => {
  expect(culprits(row({ attention: 'broken', health: 'Healthy' }), chain)).toEqual([])
  expect(culprits(row({ attention: 'waiting', health: 'Degraded', held: true }), chain)).toEqual([])
})

test('objects that hang together in a ring end', () => {
  const ring = [node('a', 'A', 'Degraded', { parents: ['b'] }), node('b', 'B', 'Degraded', { parents: ['a'] })]
  expect(culprits(row({ attention: 'broken', health: 'Degraded' }), ring)).toEqual([])
})
