// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { firstWindow, windowFor } from './window'

const total = 10_000

test('little scrolling asks for nothing', () => {
  expect(windowFor(firstWindow, 0, 40, total)).toBe(firstWindow)
  expect(windowFor(firstWindow, 110, 150, total)).toBe(firstWindow)
})

test('the next window is asked for before the end of the one there is', () => {
  const next = windowFor(firstWindow, 120, 160, total)
  expect(next.offset).toBeLessThanOrEqual(120 - 50)
  expect(next.offset + next.limit).toBeGreaterThanOrEqual(160 + 50)
  expect(windowFor(next, 125, 165, total)).toBe(next)
})

test('scrolling back asks for what is before', () => {
  const deep = windowFor(firstWindow, 5000, 5040, total)
  expect(deep.offset).toBe(4900 + 20 - 20)
  expect(windowFor(deep, 4930, 4970, total).offset).toBeLessThan(deep.offset)
})

test('nothing is asked for behind the end of the list or before its beginning', () => {
  expect(windowFor({ offset: 0, limit: 200 }, 140, 180, 180)).toEqual({ offset: 0, limit: 200 })
  expect(windowFor({ offset: 9_850, limit: 200 }, 9_960, 10_000, total)).toEqual({ offset: 9_850, limit: 200 })
  expect(windowFor({ offset: 4_000, limit: 200 }, 0, 40, total).offset).toBe(0)
})

test('a wall that shows more has a larger window, up to what the API gives', () => {
  const wall = windowFor(firstWindow, 0, 400, total)
  expect(wall.limit).toBe(550)
  expect(windowFor(wall, 0, 400, total)).toBe(wall)
  expect(windowFor(firstWindow, 0, 5_000, total).limit).toBe(1000)
})
