// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { seen, sorted } from './happened'

test('the newest event is first, by whichever time it has', () => {
  const events = [
    { reason: 'old', lastTimestamp: '2026-01-01T00:00:00Z' },
    { reason: 'series', eventTime: '2025-01-01T00:00:00Z', series: { lastObservedTime: '2026-01-03T00:00:00Z' } },
    { reason: 'none' },
    { reason: 'new', lastTimestamp: null, eventTime: '2026-01-02T00:00:00Z' },
  ]
  expect(sorted(events).map((e) => e.reason)).toEqual(['series', 'new', 'old', 'none'])
  expect(seen({})).toBe(0)
})
