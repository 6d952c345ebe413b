// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { advice, apart, automation, saidOf } from './words'

test('conditions of a type are said once, errors first', () => {
  const said = saidOf({
    status: {
      conditions: [
        { type: 'SharedResourceWarning', message: 'one' },
        { type: 'ComparisonError', message: 'no such path' },
        { type: 'SharedResourceWarning', message: 'two' },
      ],
    },
  })
  expect(said.map((s) => [s.type, s.bad, s.messages])).toEqual([
    ['ComparisonError', true, ['no such path']],
    ['SharedResourceWarning', false, ['one', 'two']],
  ])
  for (const one of said) expect(one.fix).not.toBe('')
})

test('a condition that nobody knows is told by its name', () => {
  const [said] = saidOf({ status: { conditions: [{ type: 'SomethingNewWarning', message: 'm' }] } })
  expect(said?.title).toBe('Something new warning')
  expect(apart('ComparisonError')).toBe('Comparison error')
})

test('automated sync that is switched off is off', () => {
  expect(automation({ spec: { syncPolicy: { automated: { enabled: false, prune: true } } } }).word).toBe('Off')
  expect(automation({ spec: { syncPolicy: { automated: {} } } }).word).toBe('On')
  expect(automation({ spec: {} }).word).toBe('Off')
})

test('whatever needs a person says what to do', () => {
  const row = {
    namespace: 'argocd',
    name: 'web',
    project: 'p',
    cluster: 'c',
    created: null,
    sources: 1,
    sync: '',
    health: '',
  }
  for (const attention of ['broken', 'waiting', 'stale', 'drifting']) expect(advice({ ...row, attention })).not.toBe('')
  expect(advice({ ...row, attention: 'fine' })).toBe('')
})

test('a condition may be named as it likes', () => {
  for (const type of ['constructor', '__proto__', 'toString']) {
    const [said] = saidOf({ status: { conditions: [{ type, message: 'm' }] } })
    expect(said).toMatchObject({ title: apart(type), fix: '', messages: ['m'] })
  }
})
