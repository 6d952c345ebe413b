// SPDX-License-Identifier: Apache-2.0

import { expect, test, vi } from 'vitest'

vi.stubGlobal('document', { baseURI: 'https://cd.example.com/cd/' })
const { address } = await import('./call')

test('what stands in for a variable is one part of the path', () => {
  expect(address('/api/v1/projects/{name}', { path: { name: 'a/../b?c#d' }, query: { x: ['1', ''], y: '&z=' } })).toBe(
    'https://cd.example.com/cd/api/v1/projects/a%2F..%2Fb%3Fc%23d?x=1&x=&y=%26z%3D',
  )
})

test.each(['', undefined, '.', '..'])('no call is made for the name %j', (name) => {
  expect(() => address('/api/v1/projects/{name}/events', { path: { name } })).toThrow()
})
