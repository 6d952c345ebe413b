// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { nextStart, offsetOf, parseLength, parseSchedule } from './cron'
import { aboutWords, addWindowCommand, updateWindowCommand, whenWords, windowProblems, windowState } from './window'

const at = (text: string) => Date.parse(text)
const next = (schedule: string, after: string, zone = 'UTC') => {
  const found = nextStart(parseSchedule(schedule), at(after), offsetOf(zone, at(after)))
  return found === undefined ? undefined : new Date(found).toISOString()
}

test.each([
  ['0 22 * * *', '2026-03-04T21:59:30Z', 'UTC', '2026-03-04T22:00:00.000Z'],
  ['0 22 * * *', '2026-03-04T22:00:00Z', 'UTC', '2026-03-05T22:00:00.000Z'],
  ['0 8 * * 1-5', '2026-03-06T09:00:00Z', 'UTC', '2026-03-09T08:00:00.000Z'],
  ['*/20 * * * *', '2026-03-04T10:05:00Z', 'UTC', '2026-03-04T10:20:00.000Z'],
  ['0 8 * * *', '2026-07-01T00:00:00Z', 'Europe/Berlin', '2026-07-01T06:00:00.000Z'],
  ['30 9 * * *', '2026-07-01T00:00:00Z', 'Asia/Kolkata', '2026-07-01T04:00:00.000Z'],
  ['0 0 13 * fri', '2026-03-01T00:00:00Z', 'UTC', '2026-03-06T00:00:00.000Z'],
  ['0 0 */10 * mon', '2026-03-03T00:00:00Z', 'UTC', '2026-03-09T00:00:00.000Z'],
  ['0 0 29 feb *', '2026-03-01T00:00:00Z', 'UTC', '2028-02-29T00:00:00.000Z'],
  ['0 0 31 2 *', '2026-03-01T00:00:00Z', 'UTC', undefined],
])('%s after %s in %s begins at %s', (schedule, after, zone, want) => {
  expect(next(schedule, after, zone)).toBe(want)
})

test.each([
  '',
  '* * * *',
  '60 * * * *',
  '* * * * 7',
  '1-0 * * * *',
  '*/0 * * * *',
  'a * * * *',
  '1/2/3 * * * *',
  '1.5 * * * *',
])('the schedule %j is refused', (schedule) => {
  expect(() => parseSchedule(schedule)).toThrow()
})

test.each([
  ['1h30m', 5_400_000],
  ['8h', 28_800_000],
  ['0s', undefined],
  ['1d', undefined],
  ['', undefined],
])('the length %j is %j', (text, want) => {
  expect(parseLength(text)).toBe(want)
})

test('a window is active from its start on, its last moment not included', () => {
  const w = { schedule: '0 22 * * *', duration: '2h' }
  expect(windowState(w, at('2026-03-04T22:00:00Z'))).toEqual({ is: 'active', until: at('2026-03-05T00:00:00Z') })
  expect(windowState(w, at('2026-03-05T00:00:00Z'))).toEqual({ is: 'waiting', from: at('2026-03-05T22:00:00Z') })
  expect(windowState(w, at('2026-03-04T21:00:00Z'))).toEqual({ is: 'waiting', from: at('2026-03-04T22:00:00Z') })
})

test('starts that follow each other make one long time', () => {
  const state = windowState({ schedule: '0 8-9 * * *', duration: '1h' }, at('2026-03-04T08:30:00Z'))
  expect(state).toEqual({ is: 'active', until: at('2026-03-04T10:00:00Z') })
})

test('what cannot be read is said to be so, and never to be open', () => {
  expect(windowState({ schedule: 'x', duration: '1h' }, 0)).toMatchObject({ is: 'unreadable' })
  expect(windowState({ schedule: '* * * * *', duration: 'x' }, 0)).toMatchObject({ is: 'unreadable' })
  expect(windowState({ schedule: '0 0 31 2 *', duration: '1h' }, 0)).toEqual({ is: 'never' })
})

test('a window is told in words', () => {
  expect(aboutWords({ applications: ['*'], clusters: ['east'] })).toBe('all applications or clusters east')
  expect(aboutWords({ applications: ['web-*'], namespaces: ['prod'], andOperator: true })).toBe(
    'applications web-* and namespaces prod',
  )
  expect(aboutWords({})).toBe('nothing')
  expect(whenWords({ schedule: '0 8 * * 1-5', duration: '10h', timeZone: 'Europe/Berlin' })).toBe(
    'Monday to Friday at 08:00 for 10h (Europe/Berlin)',
  )
  expect(whenWords({ schedule: '*/5 * * * *', duration: '1m' })).toBe('at “*/5 * * * *” for 1m (UTC)')
})

test('each field says what is wrong with it', () => {
  expect(Object.keys(windowProblems({})).sort()).toEqual(['about', 'duration', 'kind', 'schedule'])
  const good = {
    kind: 'deny',
    schedule: '0 8 * * 1-5',
    duration: '10h',
    applications: ['*'],
    timeZone: 'Europe/Berlin',
  }
  expect(windowProblems(good)).toEqual({})
  expect(windowProblems({ ...good, timeZone: 'Mars/Olympus' })).toHaveProperty('timeZone')
})

test('the command says all of the window', () => {
  const w = {
    kind: 'deny',
    schedule: '0 8 * * 1-5',
    duration: '10h',
    timeZone: 'Europe/Berlin',
    applications: ['a', 'b'],
  }
  expect(addWindowCommand('shop', { ...w, manualSync: true, description: 'office hours' }).join(' ')).toBe(
    'proj windows add shop --kind deny --schedule 0 8 * * 1-5 --duration 10h --time-zone Europe/Berlin' +
      ' --applications a,b --manual-sync --description office hours',
  )
})

test('a window that begins anew before it ends has no end', () => {
  expect(windowState({ schedule: '0 0 * * *', duration: '24h' }, at('2026-03-04T08:30:00Z'))).toEqual({ is: 'active' })
  expect(windowState({ schedule: '* * * * *', duration: '1h' }, at('2026-03-04T08:30:00Z'))).toEqual({ is: 'active' })
})

test('the command changes the window at its place', () => {
  const w = { kind: 'deny', schedule: '0 8 * * *', duration: '4h', applications: ['*'], manualSync: true }
  expect(updateWindowCommand('shop', 1, w)).toEqual([
    'proj',
    'windows',
    'update',
    'shop',
    '1',
    '--schedule',
    '0 8 * * *',
    '--duration',
    '4h',
    '--applications',
    '*',
  ])
})
