// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import type { Node } from '../api'
import { loadOf, ownersOf, podGroups } from './owners'
import { trafficOf } from './traffic'

function node(group: string, kind: string, name: string, more: Partial<Node> = {}): Node {
  return { id: `${group}/${kind}/web/${name}`, group, kind, namespace: 'web', name, ...more }
}

function pods(owner: string, count: number, more: Partial<Node> = {}): Node[] {
  const deployment = node('apps', 'Deployment', owner)
  const set = node('apps', 'ReplicaSet', `${owner}-1`, { parents: [deployment.id] })
  const all = Array.from({ length: count }, (_, i) =>
    node('', 'Pod', `${owner}-1-${i}`, { parents: [set.id], network: { labels: { app: owner } }, ...more }),
  )
  return [deployment, set, ...all]
}

function service(name: string, app: string): Node {
  return node('', 'Service', name, { network: { targetLabels: { app } } })
}

function ingress(name: string, to: string[], more: object = {}): Node {
  const targetRefs = to.map((service) => ({ kind: 'Service', namespace: 'web', name: service }))
  return node('networking.k8s.io', 'Ingress', name, { network: { targetRefs, ...more } })
}

function told(nodes: Node[]) {
  const { stops, ways } = trafficOf(nodes)
  return {
    columns: Object.fromEntries(stops.map((s) => [`${s.node.kind} ${s.node.name}`, s.column])),
    ways: ways.map(({ from, to }) => `${from.node.name} > ${to.node.name} ${to.pods.length}`),
    warnings: stops.filter((s) => s.warning).map((s) => `${s.node.name} ${s.warning}`),
  }
}

test('traffic goes from entrances through services to the pods of an owner', () => {
  const seen = told([...pods('shop', 3), service('shop', 'shop'), ingress('shop', ['shop'])])
  expect(seen).toEqual({
    columns: { 'Ingress shop': 0, 'Service shop': 1, 'Deployment shop': 2 },
    ways: expect.arrayContaining(['shop > shop 0', 'shop > shop 3']),
    warnings: [],
  })
})

test('a service without an entrance stands beside those that have one', () => {
  const seen = told([...pods('a', 1), ...pods('b', 1), service('a', 'a'), service('b', 'b'), ingress('a', ['a'])])
  expect(seen.columns).toMatchObject({ 'Service a': 1, 'Service b': 1, 'Deployment b': 2 })
  expect(told([...pods('b', 1), service('b', 'b')]).columns).toEqual({ 'Service b': 0, 'Deployment b': 1 })
})

test('what has nothing behind it says so', () => {
  expect(told([service('lost', 'nothing'), ingress('door', ['gone'])]).warnings.sort()).toEqual([
    'door leads nowhere',
    'lost no pods behind it',
  ])
})

test('pods of another namespace, or a service that chooses nothing, are no way', () => {
  const elsewhere = pods('shop', 1).map((n) => ({ ...n, namespace: 'other' }))
  expect(told([...elsewhere, service('shop', 'shop')]).ways).toEqual([])
  expect(told([...pods('shop', 1), node('', 'Service', 'none', { network: { targetLabels: {} } })]).ways).toEqual([])
})

test('entrances that lead to each other do not turn for ever', () => {
  const ref = (name: string) => [{ group: 'x', kind: 'Route', namespace: 'web', name }]
  const a = node('x', 'Route', 'a', { network: { targetRefs: ref('b') } })
  const b = node('x', 'Route', 'b', { network: { targetRefs: ref('a') } })
  expect(trafficOf([a, b]).stops).toHaveLength(2)
})

test('no stop lies over another', () => {
  const { stops } = trafficOf([
    ...pods('a', 30),
    ...pods('b', 60),
    service('a', 'a'),
    service('b', 'b'),
    ingress('in', ['a', 'b'], { externalURLs: ['https://a', 'https://b'] }),
  ])
  for (const one of stops) {
    for (const other of stops) {
      if (one === other || one.x !== other.x) continue
      expect(one.y + one.height <= other.y || other.y + other.height <= one.y).toBe(true)
    }
  }
})

const running = (machine: string) => ({ info: [{ name: 'Node', value: machine }] })

test('pods are grouped by machine, also those without pods, and by owner with the worst first', () => {
  const nodes = [
    ...pods('a', 1, running('one')),
    ...pods('b', 1, { health: { status: 'Degraded' }, ...running('two') }),
    ...pods('c', 1),
  ]
  const hosts = [{ name: 'one' }, { name: 'three' }]
  const machines = podGroups(nodes, hosts, 'host').map((g) => [g.title, g.pods.length])
  expect(machines).toEqual(
    expect.arrayContaining([
      ['one', 1],
      ['two', 1],
      ['three', 0],
      ['On no machine yet', 1],
    ]),
  )
  expect(podGroups(nodes, hosts, 'owner').map((g) => g.title)).toEqual(['Deployment b', 'Deployment a', 'Deployment c'])
})

test('owners are found also where objects own each other', () => {
  const a = node('', 'A', 'a', { parents: ['/B/web/b'] })
  const b = node('', 'B', 'b', { parents: ['/A/web/a'] })
  expect(['a', 'b']).toContain(ownersOf([a, b])(a).name)
})

test('what a machine has is told in its units', () => {
  const [cpu, memory, none] = loadOf({
    name: 'one',
    resourcesInfo: [
      { resourceName: 'cpu', requestedByApp: 500, requestedByNeighbors: 1500, capacity: 4000 },
      {
        resourceName: 'memory',
        requestedByApp: 1024 ** 3 * 1000,
        requestedByNeighbors: 0,
        capacity: 4 * 1024 ** 3 * 1000,
      },
      { resourceName: 'gpu', capacity: 0 },
    ],
  })
  expect([cpu?.mine, cpu?.others]).toEqual([0.125, 0.375])
  expect(cpu?.text).toBe('500m by this application and 1500m by others, of 4000m')
  expect(memory?.text).toContain('1.0 GiB by this application')
  expect(none).toBeUndefined()
})
