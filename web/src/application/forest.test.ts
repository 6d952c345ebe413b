// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import type { Node } from '../api'
import { chosenIn } from './filter'
import { type Folds, forest, type Item } from './forest'
import { card, type Drawing, layOut, lines, sameDrawing, step, within } from './layout'

const nothing = chosenIn(new URLSearchParams())
const calm: Folds = { mode: 'calm', open: new Set(), shut: new Set() }

function node(kind: string, name: string, parents: string[] = [], more: Partial<Node> = {}): Node {
  return { id: `/${kind}/web/${name}`, kind, namespace: 'web', name, parents, health: { status: 'Healthy' }, ...more }
}

const degraded = { health: { status: 'Degraded' } }

function deployment(name: string, pods: number, more: Partial<Node>[] = []): Node[] {
  const d = node('Deployment', name)
  const rs = node('ReplicaSet', `${name}-1`, [d.id])
  return [d, rs, ...Array.from({ length: pods }, (_, i) => node('Pod', `${name}-1-${i}`, [rs.id], more[i]))]
}

/** A tree in words: each item with what is shown below it. */
function told(item: Item): unknown {
  const name = item.is === 'group' ? `${item.count} ${item.kind}` : item.id.split('/').at(-1)
  const word = `${name}${item.folded ? ` +${item.hidden}` : ''}`
  return item.children.length > 0 ? { [word]: item.children.map(told) } : word
}

function tell(nodes: Node[], query = '', folds = calm) {
  return forest(nodes, chosenIn(new URLSearchParams(query)), folds).children.map(told)
}

test('objects hang below their first parent that is there, the worst first', () => {
  const nodes = [...deployment('api', 1), ...deployment('web', 2, [{}, degraded]), node('ConfigMap', 'a')]
  expect(tell(nodes)).toEqual([
    { web: [{ 'web-1': ['web-1-1', 'web-1-0'] }] },
    'a',
    { api: [{ 'api-1': ['api-1-0'] }] },
  ])
  expect(tell([node('Pod', 'p', ['/ReplicaSet/web/gone'])])).toEqual(['p'])
})

test('objects that are their own ancestors are shown all the same', () => {
  const nodes = [node('A', 'a', ['/B/web/b']), node('B', 'b', ['/A/web/a']), node('C', 'c', ['/C/web/c'])]
  const all = JSON.stringify(tell(nodes))
  for (const name of ['a', 'b', 'c']) expect(all).toContain(`"${name}"`)
})

test('many siblings of a kind are one group, and those in trouble stand beside it', () => {
  const nodes = deployment('web', 12, [{}, {}, degraded])
  expect(tell(nodes)).toEqual([{ web: [{ 'web-1': ['web-1-2', '11 Pod +11'] }] }])
  const group = '*/Pod@/ReplicaSet/web/web-1'
  const opened = tell(nodes, '', { ...calm, open: new Set([group]) })
  expect(opened).toEqual([{ web: [{ 'web-1': [{ '12 Pod': expect.arrayContaining(['web-1-2', 'web-1-11']) }] }] }])
})

test('what is fine is folded in a large tree, and the way to trouble stays open', () => {
  const nodes = Array.from({ length: 30 }, (_, i) => deployment(`d${i}`, 2, i === 7 ? [degraded] : [])).flat()
  const shown = tell(nodes, '', { ...calm, open: new Set(['*/Deployment@']) })
  const [{ '30 Deployment': deployments }] = shown as [Record<string, unknown[]>]
  expect(deployments?.[0]).toEqual({ d7: [{ 'd7-1': ['d7-1-0', 'd7-1-1'] }] })
  expect(deployments?.[1]).toBe('d0 +3')
})

test('folding all, nothing, and one by hand', () => {
  const nodes = deployment('web', 2)
  expect(tell(nodes, '', { ...calm, mode: 'all' })).toEqual(['web +3'])
  expect(tell(nodes, '', { ...calm, shut: new Set(['/ReplicaSet/web/web-1']) })).toEqual([{ web: ['web-1 +2'] }])
  const many = deployment('web', 12)
  expect(JSON.stringify(tell(many, '', { ...calm, mode: 'none' }))).toContain('web-1-11')
})

test('a filter shows what answers with the way to it, also what is folded', () => {
  const nodes = [...deployment('api', 1), ...deployment('web', 12), node('ConfigMap', 'web')]
  expect(tell(nodes, 'q=web-1-3')).toEqual([{ web: [{ 'web-1': ['web-1-3'] }] }])
  expect(tell(nodes, 'kind=ConfigMap')).toEqual(['web'])
  const root = forest(nodes, chosenIn(new URLSearchParams('q=web-1-3')), calm)
  expect([root.children[0]?.dim, root.children[0]?.children[0]?.children[0]?.dim]).toEqual([true, false])
})

test('orphans are shown when asked for', () => {
  const nodes = [node('ConfigMap', 'mine'), node('ConfigMap', 'left', [], { orphan: true })]
  expect(tell(nodes)).toEqual(['mine'])
  expect(tell(nodes, 'orphans=1')).toHaveLength(2)
})

function drawn(nodes: Node[], folds: Folds = { ...calm, mode: 'none' }): Drawing {
  return layOut(forest(nodes, nothing, folds))
}

test('no card lies over another, and children are right of their parent and not above it', () => {
  const { placed } = drawn(
    Array.from({ length: 12 }, (_, i) => [...deployment(`d${i}`, i % 4), node('ConfigMap', `c${i}`)]).flat(),
  )
  const rows = new Set(placed.map((p) => `${p.x} ${p.y}`))
  expect(rows.size).toBe(placed.length)
  for (const p of placed) {
    const parent = placed[p.parent]
    if (!parent) continue
    expect(p.x).toBeGreaterThanOrEqual(parent.x + card.width)
    expect(p.y).toBeGreaterThanOrEqual(parent.y)
  }
})

test('no line to a child passes over a card', () => {
  const { placed } = drawn([
    ...deployment('a', 3),
    ...deployment('b', 3),
    node('ConfigMap', 'c'),
    node('ConfigMap', 'd'),
  ])
  for (const parent of placed) {
    const last = placed[parent.children.at(-1) ?? -1]
    const between = placed.filter((p) => p.depth === parent.depth + 1 && p.y > parent.y && p.y < (last?.y ?? 0))
    for (const p of between) expect(placed[p.parent]).toBe(parent)
  }
})

test('only what is in view is drawn, with the lines that pass', () => {
  const drawing = drawn(deployment('web', 500))
  const box = { left: 0, top: 10_000, right: 2000, bottom: 10_500 }
  expect(within(drawing, box).length).toBeLessThan(12)
  const path = lines(drawing, box)
  expect(path.length).toBeLessThan(1500)
  expect(path).toContain('V10500')
  expect(drawing.placed).toHaveLength(504) // the group of pods and the application are items too
})

test('a drawing is another one when what it shows changed, and only then', () => {
  const nodes = deployment('web', 2)
  expect(sameDrawing(drawn(nodes), drawn(nodes.map((n) => ({ ...n, images: ['web:2'] }))))).toBe(true)
  const worse = nodes.map((n) => (n.kind === 'Pod' ? { ...n, ...degraded } : n))
  expect(sameDrawing(drawn(nodes), drawn(worse))).toBe(false)
  expect(sameDrawing(drawn(nodes), drawn(nodes.slice(1)))).toBe(false)
  expect(sameDrawing(drawn(nodes), drawn(nodes, { ...calm, mode: 'all' }))).toBe(false)
})

test('arrows lead through the tree', () => {
  const drawing = drawn(deployment('web', 2))
  const names = (at: number) => drawing.placed[at]?.item.id
  expect(names(step(drawing, 0, 'ArrowRight'))).toBe('/Deployment/web/web')
  expect(names(step(drawing, 1, 'ArrowLeft'))).toBe('')
  expect(step(drawing, 4, 'ArrowDown')).toBe(4)
  expect(step(drawing, 0, 'End')).toBe(4)
  expect(step(drawing, 4, 'ArrowRight')).toBe(4)
})

test('each of 5,000 objects has a place of its own', () => {
  const nodes = Array.from({ length: 100 }, (_, i) => deployment(`d${i}`, 48)).flat()
  const drawing = drawn(nodes)
  expect(drawing.placed.length).toBe(nodes.length + 1 + 100 + 1) // a group of pods each, and one of deployments
  expect(new Set(drawing.placed.map((p) => p.item.id)).size).toBe(drawing.placed.length)
})
