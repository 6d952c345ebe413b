// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { problemAt } from './form'
import { madeOf } from './preview'

test('objects are told by kind and name, what cannot be read as it came', () => {
  const object = (kind: string, name: string) => JSON.stringify({ kind, metadata: { name, namespace: 'shop' } })
  const made = madeOf([object('Service', 'b'), object('Deployment', 'x'), object('Service', 'a'), '{'])
  expect(made.map(([kind, all]) => [kind, all.map((one) => one.name)])).toEqual([
    ['', ['what cannot be read']],
    ['Deployment', ['x']],
    ['Service', ['a', 'b']],
  ])
  expect(made[1]?.[1][0]?.text).toContain('namespace: shop')
})

test('a problem is shown at its field, with what to do', () => {
  const problems = [
    { field: 'spec.sources[1].path', message: 'there is no such folder', fix: 'choose another' },
    { message: 'of the whole' },
  ]
  expect(problemAt(problems, ['spec', 'sources', 1, 'path'])).toBe('There is no such folder: choose another')
  expect(problemAt(problems, ['spec', 'sources', 0, 'path'])).toBeUndefined()
})
