// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { containersOf } from './containers'

const spec = { containers: [{ name: 'web' }, {}], initContainers: [{ name: 'migrate' }] }
const want = [
  { name: 'web', init: false },
  { name: 'migrate', init: true },
]

test.each([
  ['a pod', { spec }, want],
  ['a Deployment', { spec: { template: { spec } } }, want],
  ['a CronJob', { spec: { jobTemplate: { spec: { template: { spec } } } } }, want],
  ['something else', { spec: { containers: 'no' } }, []],
  ['nothing', undefined, []],
])('containers of %s', (_, live, expected) => {
  expect(containersOf(live)).toEqual(expected)
})
