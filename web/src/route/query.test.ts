// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { changed } from './query'

test('a change leaves the rest of the address as it is', () => {
  expect(changed('?search=web&health=Degraded&health=Missing', { search: 'api' })).toBe(
    '?health=Degraded&health=Missing&search=api',
  )
  expect(changed('?search=web&health=Degraded', { health: [] })).toBe('?search=web')
  expect(changed('?search=web', { search: '' })).toBe('')
  expect(changed('', { health: ['Degraded', 'Missing'] })).toBe('?health=Degraded&health=Missing')
})
