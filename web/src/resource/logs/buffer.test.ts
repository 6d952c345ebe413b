// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { type Entry, found, LogBuffer, later, localTime, matching, textOf } from './buffer'

const entry = (n: number, podName = 'a'): Entry => ({
  content: `line ${n}`,
  podName,
  timeStampStr: `2026-01-02T03:04:05.${String(n).padStart(9, '0')}Z`,
})
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => entry(from + i))

test('old lines are dropped and counted, and numbers of lines are never used again', () => {
  const log = new LogBuffer(100)
  expect(log.push(range(0, 105))).toBe(0) // some slack
  expect(log.push(range(105, 150))).toBe(50)
  expect(log.lines).toHaveLength(100)
  expect(log.lines[0]).toMatchObject({ id: 51, text: 'line 50' })
  expect(log.dropped).toBe(50)
  log.clear()
  log.push([entry(1)])
  expect(log.lines[0]!.id).toBe(151)
  expect(log.dropped).toBe(0)
})

test('a log that is taken up again goes on behind what came, for each pod', () => {
  const log = new LogBuffer()
  log.push([entry(5, 'a'), entry(9, 'b'), { last: true, timeStampStr: '2030-01-01T00:00:00Z' }])
  expect(log.newestTime()).toBe('2026-01-02T03:04:05.000000009Z')
  const known = log.known()
  expect([entry(5, 'a'), entry(6, 'a'), entry(9, 'b'), entry(10, 'b'), entry(1, 'c')].map(known)).toEqual([
    true,
    false,
    true,
    false,
    false,
  ])
  expect(new LogBuffer().newestTime()).toBeUndefined()
})

test('times are told apart to the nanosecond, also without trailing zeros', () => {
  expect(later('2026-01-02T03:04:05.1Z', '2026-01-02T03:04:05.09Z')).toBe(true)
  expect(later('2026-01-02T03:04:05Z', '2026-01-02T03:04:05.000000001Z')).toBe(false)
  expect(later('2026-01-02T04:04:05+01:00', '2026-01-02T03:04:05Z')).toBe(false)
  expect(later('2026-01-02T03:04:06Z', '2026-01-02T03:04:05.999999999Z')).toBe(true)
})

test('times are shown in the zone of the reader', () => {
  const at = new Date(2026, 2, 4, 5, 6, 7, 89)
  expect(localTime(at.toISOString())).toBe('2026-03-04 05:06:07.089')
  expect(localTime('soon')).toBe('soon')
})

test('search looks at the text and not at its colours', () => {
  const log = new LogBuffer()
  log.push([{ content: '\x1b[31mER\x1b[0mROR' }, { content: 'error: error' }, { content: 'fine' }])
  expect(matching(log.lines, 'error')).toEqual([0, 1])
  expect(matching(log.lines, 'error', true)).toEqual([1])
  expect(matching(log.lines, '31m')).toEqual([])
  expect(found('error: error', 'error')).toEqual([0, 7])
  expect(found('aaa', 'aa')).toEqual([0])
})

test('what is copied has what is shown', () => {
  const log = new LogBuffer()
  log.push([{ content: '\x1b[1mx', timeStampStr: 't', podName: 'p' }, { content: '' }])
  expect(textOf(log.lines, false, false)).toBe('x\n')
  expect(textOf(log.lines.slice(0, 1), true, true)).toBe('t p x')
})
