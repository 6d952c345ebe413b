// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { fits, ranked } from './commands'

test('beginnings count more than middles, and letters have to come in order', () => {
  expect(fits('Sync', 'sy')).toBeGreaterThan(fits('Resync', 'sy'))
  expect(fits('Go to settings', 'set')).toBeGreaterThan(fits('Reset', 'set'))
  expect(fits('Go to settings', 'gts')).toBeGreaterThan(0)
  expect(fits('Go to settings', 'sgo')).toBe(0)
  expect(fits('Repositories', 'se')).toBe(0)
})

test('nothing typed keeps all in their order, and groups are searched too', () => {
  const all = [
    { label: 'Sync', group: 'web' },
    { label: 'Refresh', group: 'web' },
    { label: 'Clusters', group: 'Settings' },
  ]
  expect(ranked(all, '')).toEqual(all)
  expect(ranked(all, 'settings cl').map((c) => c.label)).toEqual(['Clusters'])
  expect(ranked(all, 'zzz')).toEqual([])
})
