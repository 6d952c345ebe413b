// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import type { Application } from '../api'
import {
  automated,
  awaitsApproval,
  awaitsConfirmation,
  holdCli,
  holdOf,
  removeCli,
  running,
  spans,
  untilOf,
} from './held'

const held = (value?: string): Application => ({
  metadata: { annotations: value === undefined ? {} : { 'bowline.dev/hold': value } },
})

test('a hold is read from its annotation', () => {
  const hold = holdOf(
    held(
      '{"reason":"migration","by":"dana","since":"2026-11-01T10:00:00Z","until":"0001-01-01T00:00:00Z","history":7}',
    ),
  )
  expect(hold).toEqual({ reason: 'migration', by: 'dana', since: '2026-11-01T10:00:00Z', until: '', history: 7 })
  expect(holdOf(held())).toBeUndefined()
})

test('a hold that is no JSON object holds with its text as the reason', () => {
  expect(holdOf(held('migration runs'))?.reason).toBe('migration runs')
  expect(holdOf(held('["x"]'))?.reason).toBe('["x"]')
  expect(holdOf(held(''))?.reason).toBe('')
})

test('automated sync that is switched off is off', () => {
  const policy = (automatedPolicy: object | undefined) => ({ spec: { syncPolicy: { automated: automatedPolicy } } })
  expect(automated(policy({}))).toBe(true)
  expect(automated(policy({ enabled: false }))).toBe(false)
  expect(automated(policy(undefined))).toBe(false)
  expect(automated({})).toBe(false)
})

test('an operation that did not begin yet runs too', () => {
  expect(running({ operation: {} })).toBe(true)
  expect(running({ status: { operationState: { phase: 'Running' } } })).toBe(true)
  expect(running({ status: { operationState: { phase: 'Failed' } } })).toBe(false)
})

test('a hold ends when it was said to, on the page as on the command line', () => {
  const now = Date.parse('2026-11-01T10:00:00Z')
  expect(untilOf('', now)).toBeUndefined()
  for (const span of spans.slice(1)) {
    expect(Date.parse(untilOf(span.value, now) ?? '') - now).toBe(Number.parseInt(span.value, 10) * 3_600_000)
  }
  expect(holdCli('web', ' why ', '4h')).toEqual(['app', 'hold', 'web', '--reason', 'why', '--until', '4h'])
  expect(holdCli('web', '', '')).toEqual(['app', 'hold', 'web'])
})

test('each way to delete has its command', () => {
  expect(removeCli('web', 'foreground')).toEqual(['app', 'delete', 'web'])
  expect(removeCli('web', 'background')).toEqual(['app', 'delete', 'web', '--propagation-policy', 'background'])
  expect(removeCli('web', 'none')).toEqual(['app', 'delete', 'web', '--cascade=false'])
})

test('deletions wait until somebody approves them after they were noted', () => {
  const noted = (approved?: string): Application => ({
    metadata: {
      annotations: {
        'bowline.dev/deletion-plan': 'abc 2026-11-22T22:45:01.285878486Z',
        ...(approved ? { 'argocd.argoproj.io/deletion-approved': approved } : {}),
      },
    },
  })
  expect(awaitsApproval(noted())).toBe(true)
  expect(awaitsApproval(noted('2026-11-22T22:40:00Z'))).toBe(true)
  expect(awaitsApproval(noted('2026-11-22T22:50:00Z'))).toBe(false)
  expect(awaitsApproval({})).toBe(false)
})

test('a deletion waits for a person if an object of it asks for one', () => {
  const conditions = [{ type: 'DeletionError', message: 'set the annotation argocd.argoproj.io/deletion-approved' }]
  expect(awaitsConfirmation({ metadata: { deletionTimestamp: '2026-11-22T22:45:01Z' }, status: { conditions } })).toBe(
    true,
  )
  expect(awaitsConfirmation({ status: { conditions } })).toBe(false)
  expect(awaitsConfirmation({ metadata: { deletionTimestamp: '2026-11-22T22:45:01Z' } })).toBe(false)
})
