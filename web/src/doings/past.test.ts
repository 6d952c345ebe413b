// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import type { Application } from '../api'
import { choose, fold, formerOf, pastOf, rollbackCli, sidesOf, unfolded } from './past'

const entry = (id: number, revision: string, more: object = {}) => ({
  id,
  revision,
  deployStartedAt: `2026-11-0${1 + (id % 9)}T10:00:00Z`,
  deployedAt: `2026-11-0${1 + (id % 9)}T10:00:40Z`,
  source: { repoURL: 'https://git.example.org/x.git', path: 'a', targetRevision: 'main' },
  ...more,
})
const appOf = (...history: object[]): Application => ({ status: { history } })
const long = pastOf(appOf(...Array.from({ length: 40 }, (_, id) => entry(id, `r${id}`))))

test('the newest comes first, with who, how long and what revision', () => {
  const past = pastOf(
    appOf(
      entry(0, 'aaa', { initiatedBy: { username: 'dana' } }),
      entry(1, 'bbb', { initiatedBy: { automated: true } }),
    ),
  )
  expect(past.map((one) => [one.id, one.by, one.automated, one.newest])).toEqual([
    [1, '', true, true],
    [0, 'dana', false, false],
  ])
  expect(past[0]?.took).toBe(40_000)
  expect(past[0]?.sources[0]?.revision).toBe('bbb')
  expect(pastOf({})).toEqual([])
})

test('how long it took is not made up', () => {
  const past = pastOf(appOf(entry(0, 'aaa', { deployStartedAt: null })))
  expect(past[0]?.took).toBeUndefined()
})

test('what the spec said otherwise is told field by field, revisions apart', () => {
  const source = {
    repoURL: 'https://git.example.org/x.git',
    path: 'b',
    targetRevision: 'main',
    helm: { parameters: [{ name: 'n', value: '2' }] },
  }
  const [newest] = pastOf(appOf(entry(0, 'aaa'), entry(1, 'bbb', { source })))
  expect(newest?.changes).toEqual([
    'helm.parameters[0].name: not set → n',
    'helm.parameters[0].value: not set → 2',
    'path: a → b',
  ])
  expect(newest?.again).toBe(false)
})

test('sources that came or went are told, each with its own revision', () => {
  const sources = [{ repoURL: 'x' }, { repoURL: 'y' }]
  const [newest] = pastOf(
    appOf(
      entry(0, '', { source: undefined, sources: [{ repoURL: 'x' }], revisions: ['1'] }),
      entry(1, '', { source: undefined, sources, revisions: ['1', '2'] }),
    ),
  )
  expect(newest?.sources.map((one) => one.revision)).toEqual(['1', '2'])
  expect(newest?.changes).toEqual(['source 2: added, y'])
})

test('a deployment of the same again is marked', () => {
  expect(pastOf(appOf(entry(0, 'aaa'), entry(1, 'aaa')))[0]?.again).toBe(true)
  expect(pastOf(appOf(entry(0, 'aaa'), entry(1, 'bbb')))[0]?.again).toBe(false)
})

test('a long history folds behind the newest, and what is compared stays in sight', () => {
  expect(fold(long, false)).toMatchObject({ folded: 40 - unfolded })
  expect(fold(long, false).shown[0]?.id).toBe(39)
  expect(fold(long, false, [3]).shown.map((one) => one.id)).toContain(3)
  expect(fold(long, true).folded).toBe(0)
  expect(fold(long.slice(0, 12), false).folded).toBe(0)
})

test('two are compared, the older first; one alone with what the source says now', () => {
  expect(choose([], 3)).toEqual([3])
  expect(choose([3], 3)).toEqual([])
  expect(choose([3, 5], 7)).toEqual([5, 7])
  expect(sidesOf([5, 3])).toEqual({ from: 3, to: 5 })
  expect(sidesOf([4])).toEqual({ from: 4, to: undefined })
  expect(sidesOf([0])).toEqual({ from: 0, to: undefined })
  expect(sidesOf([])).toBeUndefined()
})

test('back is what was before, not the same once more', () => {
  expect(formerOf(pastOf(appOf(entry(0, 'a'), entry(1, 'b'), entry(2, 'b'))))?.id).toBe(0)
  expect(formerOf(pastOf(appOf(entry(0, 'a'))))).toBeUndefined()
})

test('a rollback has its command', () => {
  expect(rollbackCli('web', 7, false)).toEqual(['app', 'rollback', 'web', '7', '--async'])
  expect(rollbackCli('web', 7, true)).toEqual(['app', 'rollback', 'web', '7', '--prune', '--async'])
})
