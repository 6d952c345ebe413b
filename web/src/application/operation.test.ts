// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import type { Node } from '../api'
import { type OperationState, type Result, stepsOf } from './operation'

function own(kind: string, name: string, more: Partial<Node> = {}): Node {
  return { id: `/${kind}/web/${name}`, kind, namespace: 'web', name, managed: true, sync: 'Synced', ...more }
}

function result(kind: string, name: string, more: Partial<Result> = {}): Result {
  return { kind, namespace: 'web', name, status: 'Synced', syncPhase: 'Sync', ...more }
}

function running(resources: Result[], more: Partial<OperationState> = {}): OperationState {
  return { phase: 'Running', operation: { sync: {} }, syncResult: { resources }, ...more }
}

test('steps are in the order of phases and waves', () => {
  const nodes = [own('ConfigMap', 'a', { wave: 5 }), own('ConfigMap', 'b', { wave: -1 })]
  const steps = stepsOf(
    running([
      result('Job', 'after', { syncPhase: 'PostSync', hookType: 'PostSync', hookPhase: 'Running' }),
      result('ConfigMap', 'a'),
      result('ConfigMap', 'b'),
      result('Job', 'before', { syncPhase: 'PreSync', hookType: 'PreSync', hookPhase: 'Succeeded' }),
    ]),
    nodes,
  )
  expect(steps.map((s) => [s.phase, s.wave, s.stand])).toEqual([
    ['PreSync', 0, 'done'],
    ['Sync', -1, 'done'],
    ['Sync', 5, 'done'],
    ['PostSync', 0, 'going'],
  ])
  expect(steps[0]?.acts[0]?.word).toBe('has run')
})

test('what is out of sync and not begun is to come while it runs, and is nothing of a finished one', () => {
  const nodes = [own('ConfigMap', 'a'), own('Deployment', 'web', { sync: 'OutOfSync', wave: 2 })]
  const state = running([result('ConfigMap', 'a', { hookPhase: 'Running' })])
  expect(stepsOf(state, nodes).map((s) => [s.wave, s.stand, s.acts[0]?.word])).toEqual([
    [0, 'going', 'getting ready'],
    [2, 'next', 'to come'],
  ])
  expect(stepsOf({ ...state, phase: 'Succeeded' }, nodes).map((s) => s.wave)).toEqual([0])
})

test('a sync of some objects brings only those, and prunes only when it says so', () => {
  const nodes = [
    own('ConfigMap', 'a', { sync: 'OutOfSync' }),
    own('ConfigMap', 'b', { sync: 'OutOfSync' }),
    own('ConfigMap', 'old', { sync: 'OutOfSync', prune: true }),
  ]
  const some = running([], { operation: { sync: { resources: [{ kind: 'ConfigMap', name: 'a' }] } } })
  expect(stepsOf(some, nodes).flatMap((s) => s.acts.map((a) => a.name))).toEqual(['a'])
  const all = running([], { operation: { sync: { prune: true } } })
  expect(stepsOf(all, nodes).flatMap((s) => s.acts.map((a) => a.word))).toEqual(['to come', 'to come', 'to be deleted'])
})

test('what failed comes first, and makes its step a failed one', () => {
  const steps = stepsOf(
    running([result('ConfigMap', 'a'), result('ConfigMap', 'b', { status: 'SyncFailed', message: 'denied' })], {
      phase: 'Failed',
    }),
    [],
  )
  expect(steps.map((s) => s.stand)).toEqual(['failed'])
  expect(steps[0]?.acts.map((a) => [a.name, a.word, a.message])).toEqual([
    ['b', 'failed', 'denied'],
    ['a', 'applied', ''],
  ])
})

test('what was left alone is said to be', () => {
  const [step] = stepsOf(running([result('ConfigMap', 'old', { status: 'PruneSkipped' })], { phase: 'Succeeded' }), [])
  expect([step?.stand, step?.acts[0]?.word]).toEqual(['skipped', 'not deleted'])
})

test('an object whose readiness the finished operation did not wait for is not said to be under way', () => {
  const [step] = stepsOf(running([result('Deployment', 'web', { hookPhase: 'Running' })], { phase: 'Failed' }), [])
  expect(step?.stand).not.toBe('going')
})
