// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { ApiError, type Plan } from '../api'
import { bulkLosses, type Line, leftOut, outcomeOf, takesPart, tally } from './bulk'
import { plainChoice } from './choice'

const target = { namespace: 'argocd', name: 'web' }
const plan: Plan = {
  application: 'web',
  text: '',
  work: {
    phases: [{ name: 'Sync', waves: [{ number: 0, steps: [{ action: 'prune', kind: 'Namespace', name: 'old' }] }] }],
  },
}
const able: Line = { target, app: {}, may: true, override: false, open: true, plan }
const plain = plainChoice()

test('who has no right, no window or an operation under way is named and left out', () => {
  expect(leftOut(able, plain)).toBe('')
  expect(leftOut({ ...able, may: false }, plain)).toContain('no right')
  expect(leftOut({ ...able, open: false }, plain)).toContain('window')
  expect(leftOut({ ...able, app: { operation: {} } }, plain)).toContain('under way')
  expect(leftOut({ ...able, app: { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } } }, plain)).toContain(
    'deleted',
  )
  expect(leftOut({ target, error: new ApiError(500, 'boom') }, plain)).toContain('boom')
})

test('a closed window is passed by who may and says why', () => {
  const closed = { ...able, open: false, override: true }
  expect(leftOut(closed, plain)).toContain('say why')
  expect(leftOut(closed, { ...plain, override: 'shop is down' })).toBe('')
  expect(leftOut({ ...closed, override: false }, { ...plain, override: 'shop is down' })).not.toBe('')
})

test('what nobody saw the plan of takes no part', () => {
  expect(takesPart(able, plain)).toBe(true)
  expect(takesPart({ ...able, plan: undefined }, plain)).toBe(false)
  expect(takesPart({ ...able, error: new ApiError(500, 'boom') }, plain)).toBe(false)
  expect(takesPart({ ...able, unchecked: true }, plain)).toBe(false)
})

test('losses are of those that take part, and of no dry run', () => {
  expect(bulkLosses([able, { ...able, unchecked: true }], plain)).toEqual(['Namespace old of web'])
  expect(bulkLosses([able], { ...plain, dryRun: true })).toEqual([])
})

test('lines are counted by how they stand', () => {
  const lines: Line[] = [
    able,
    { target },
    { ...able, may: false },
    { ...able, outcome: { phase: 'Succeeded', message: '' } },
    { ...able, outcome: { phase: 'refused', message: '' } },
    { ...able, outcome: { phase: 'Running', message: '' } },
  ]
  expect(tally(lines, plain)).toEqual({ looked: 5, part: 4, out: 1, done: 1, failed: 1, under: 1 })
})

test('an operation of before is not the outcome of the one that was asked for', () => {
  const before = { status: { operationState: { phase: 'Failed', startedAt: '2026-01-01T00:00:00Z' } } }
  expect(outcomeOf(before, before).phase).toBe('Running')
  expect(outcomeOf({ operation: {}, ...before }, {}).phase).toBe('Running')
  const now = {
    status: { operationState: { phase: 'Succeeded', startedAt: '2026-01-01T00:01:00Z', message: 'all is well' } },
  }
  expect(outcomeOf(now, before)).toEqual({ phase: 'Succeeded', message: 'all is well' })
  expect(outcomeOf(now, {}).phase).toBe('Succeeded')
})
