// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import * as yaml from 'yaml'
import { yamlOf } from './yaml'

test('an object is written in the order in which people write it', () => {
  const text = yamlOf(yaml, {
    status: { a: 1 },
    data: { b: 'x' },
    kind: 'ConfigMap',
    metadata: { name: 'x' },
    apiVersion: 'v1',
  })
  expect([...text.matchAll(/^\w+/gm)].map(([name]) => name)).toEqual([
    'apiVersion',
    'kind',
    'metadata',
    'data',
    'status',
  ])
})

test('texts that older readers take for something else are quoted, and nothing refers to another place', () => {
  const shared = { a: 'yes', b: '010', c: 'x'.repeat(200), d: '12:30:45' }
  const text = yamlOf(yaml, { one: shared, two: shared })
  expect(text).toContain('a: "yes"')
  expect(text).toContain('b: "010"')
  expect(text).not.toMatch(/[&*]/)
  expect(text.split('\n')).toHaveLength(11)
  expect(yaml.parse(text)).toEqual({ one: shared, two: shared })
})
