// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { countsOf, destructive, differingOf, doingOf, flowOf, losses, resourceText, type Step, type Work } from './flow'

const step = (action: Step['action'], kind: string, name: string, more: Partial<Step> = {}): Step => ({
  action,
  kind,
  name,
  ...more,
})

const work: Work = {
  namespace: 'shop',
  phases: [
    {
      name: 'PreSync',
      waves: [{ number: 0, steps: [step('run', 'Job', 'a'), step('run', 'Job', 'b')], awaits: ['hooks ended'] }],
    },
    {
      name: 'Sync',
      waves: [
        { number: -1, steps: [step('keep', 'Namespace', 'shop')] },
        {
          number: 0,
          steps: [
            step('create', 'ConfigMap', 'one'),
            step('create', 'ConfigMap', 'two'),
            step('apply', 'Deployment', 'web', { group: 'apps' }),
            step('apply', 'Job', 'x', { how: ['force'] }),
          ],
          awaits: ['objects healthy'],
        },
        {
          number: 2,
          steps: [
            step('prune', 'Service', 'old'),
            step('prune', 'PersistentVolumeClaim', 'data', { waiting: true, reason: 'it waits' }),
            step('skip', 'Secret', 'kept'),
            step('refuse', 'Role', 'theirs'),
          ],
        },
      ],
    },
  ],
  onFailure: { name: 'SyncFail', waves: [{ number: 0, steps: [step('run', 'Job', 'tell')] }] },
  conditions: [{ type: 'SharedResourceWarning', message: 'shared' }, { type: 'OnlyType' }],
  notes: ['a note'],
}

test('phases and waves are lanes and columns in their order; what stays as it is makes none', () => {
  const flow = flowOf(work)
  expect(flow.lanes.map((lane) => [lane.phase, lane.columns.map((column) => column.wave)])).toEqual([
    ['PreSync', [0]],
    ['Sync', [0, 2]],
  ])
  expect(flow.lanes[1]?.columns[0]?.awaits).toEqual(['objects healthy'])
  expect(flow.onFailure?.phase).toBe('SyncFail')
  expect(flow.warnings).toEqual(['shared', 'OnlyType'])
  expect(flow.empty).toBe(false)
})

test('objects of one kind stand together, hooks alone', () => {
  const flow = flowOf(work)
  expect(flow.lanes[0]?.columns[0]?.bundles.map((bundle) => bundle.steps.length)).toEqual([1, 1])
  expect(flow.lanes[1]?.columns[0]?.bundles.map((bundle) => [bundle.doing, bundle.kind, bundle.steps.length])).toEqual([
    ['create', 'ConfigMap', 2],
    ['apply', 'Deployment', 1],
    ['replace', 'Job', 1],
  ])
})

test('what is done is counted, hooks of a failure apart', () => {
  expect(countsOf(flowOf(work)).map((count) => count.text)).toEqual([
    '2 hooks',
    '2 to create',
    '1 to change',
    '1 to replace',
    '1 to prune',
    '1 waits for approval',
    '1 left to another application',
    '1 not pruned',
    '1 as desired',
  ])
})

test('a deletion that waits takes nothing away yet', () => {
  expect(doingOf(step('prune', 'Secret', 'x', { waiting: true }))).toBe('wait')
  expect(destructive('wait')).toBe(false)
  expect(destructive(doingOf(step('prune', 'Secret', 'x')))).toBe(true)
  expect(destructive(doingOf(step('apply', 'Job', 'x', { how: ['replace'] })))).toBe(true)
  expect(destructive(doingOf(step('apply', 'Job', 'x')))).toBe(false)
})

test('a plan without work is empty, whatever of it is missing', () => {
  expect(flowOf({}).empty).toBe(true)
  expect(flowOf(undefined).empty).toBe(true)
  expect(
    flowOf({ phases: [{ name: 'Sync', waves: [{ number: 0, steps: [step('keep', 'Secret', 'x')] }] }] }),
  ).toMatchObject({
    empty: true,
    counts: { keep: 1 },
  })
})

test('a step is named as the command line names it', () => {
  expect(resourceText(step('apply', 'Deployment', 'web', { group: 'apps', namespace: 'shop' }))).toBe(
    'apps:Deployment:shop/web',
  )
  expect(resourceText(step('apply', 'Namespace', 'shop'))).toBe(':Namespace:shop')
})

test('only what holds data that no source brings back is a loss, and not while it waits', () => {
  expect(losses(flowOf(work))).toEqual([])
  const steps = [
    step('prune', 'PersistentVolumeClaim', 'data'),
    step('prune', 'Service', 'old'),
    step('create', 'Namespace', 'new'),
  ]
  expect(losses(flowOf({ phases: [{ name: 'Sync', waves: [{ number: 0, steps }] }] }))).toEqual([
    'PersistentVolumeClaim data',
  ])
})

test('what is sent without a field that differs comes behind, and is no change', () => {
  const steps = [
    step('apply', 'ConfigMap', 'a', { namespace: 'shop' }),
    step('apply', 'Deployment', 'web', { group: 'apps', namespace: 'shop' }),
    step('apply', 'Service', 'a', { namespace: 'shop' }),
    step('create', 'Secret', 'new', { namespace: 'shop' }),
  ]
  const app = {
    status: {
      resources: [
        { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'web', status: 'OutOfSync' },
        { kind: 'Service', namespace: 'shop', name: 'a', status: 'Synced' },
        { kind: 'ConfigMap', namespace: 'shop', name: 'a', status: 'Synced' },
      ],
    },
  }
  const flow = flowOf({ phases: [{ name: 'Sync', waves: [{ number: 0, steps }] }] }, differingOf(app))
  expect(flow.lanes[0]?.columns[0]?.bundles.map((bundle) => [bundle.doing, bundle.steps.length])).toEqual([
    ['apply', 1],
    ['create', 1],
    ['same', 2],
  ])
  expect(countsOf(flow).map((count) => count.text)).toEqual(['1 to create', '1 to change', '2 unchanged'])
})
