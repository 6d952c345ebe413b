// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { cameOf, conditionsOf, containerStates } from './status'

const pod = (status: object, init = false) => ({
  kind: 'Pod',
  status: { [init ? 'initContainerStatuses' : 'containerStatuses']: [{ name: 'web', restartCount: 3, ...status }] },
})

test.each([
  ['runs', { ready: true, state: { running: { startedAt: 't' } } }, 'Running', 'good'],
  ['is not ready', { ready: false, state: { running: {} } }, 'Running, not ready', 'warn'],
  ['is being made', { state: { waiting: { reason: 'ContainerCreating' } } }, 'ContainerCreating', 'busy'],
  [
    'cannot start',
    { state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } } },
    'ImagePullBackOff',
    'bad',
  ],
  ['ended well', { state: { terminated: { exitCode: 0, reason: 'Completed' } } }, 'Completed', 'good'],
  ['failed', { state: { terminated: { exitCode: 137, reason: 'OOMKilled' } } }, 'OOMKilled (exit code 137)', 'bad'],
  ['says nothing', {}, 'Unknown', 'dim'],
])('a container that %s', (_, status, word, tone) => {
  expect(containerStates(pod(status))[0]).toMatchObject({ name: 'web', word, tone, restarts: 3 })
})

test('why it ended before is told, init containers need no readiness, and other kinds have none', () => {
  const before = { state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated: { exitCode: 1 } } }
  expect(containerStates(pod(before))[0]!.before).toBe('Ended (exit code 1)')
  expect(containerStates(pod({ state: { running: {} } }, true))[0]).toMatchObject({ init: true, tone: 'good' })
  expect(containerStates({ ...pod({}), kind: 'Job' })).toEqual([])
  expect(containerStates(undefined)).toEqual([])
})

test('conditions are read whatever else there is', () => {
  expect(
    conditionsOf({ status: { conditions: [{ type: 'Ready', status: 'False', reason: 'R', message: 'm' }] } }),
  ).toEqual([{ type: 'Ready', status: 'False', reason: 'R', message: 'm', since: undefined }])
  expect(conditionsOf({ status: { conditions: 'no' } })).toEqual([])
})

test('what came of an object is sorted by how bad it is', () => {
  const node = (name: string, status?: string, parents = ['x']) => ({
    id: name,
    name,
    parents,
    ...(status && { health: { status } }),
  })
  const nodes = [
    node('a', 'Healthy'),
    node('none'),
    node('c', 'Degraded'),
    node('b', 'Degraded'),
    node('other', 'Degraded', ['y']),
  ]
  expect(cameOf('x', nodes).map((n) => n.name)).toEqual(['b', 'c', 'a', 'none'])
})
