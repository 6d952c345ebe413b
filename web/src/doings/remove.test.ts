// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import type { Application, Row } from '../api'
import { warningsOf } from './remove'

const app: Application = {
  status: {
    resources: [
      { kind: 'Application' },
      { kind: 'ApplicationSet' },
      { kind: 'PersistentVolumeClaim' },
      { kind: 'Service' },
    ],
  },
}
const owned = (owner: string) => ({ owner }) as Row

test('who deletes what somebody makes again is told', () => {
  expect(warningsOf({}, owned('ApplicationSet/shops'), false)).toEqual([
    'The ApplicationSet shops made it, and makes it again unless that is changed first.',
  ])
  expect(warningsOf({}, owned('Application/platform'), false)[0]).toContain('taken out there')
  expect(warningsOf({}, undefined, true)).toEqual([])
})

test('applications and data among the objects are warned about, unless objects stay', () => {
  expect(warningsOf(app, undefined, true)).toHaveLength(3)
  expect(warningsOf(app, undefined, false)).toEqual([])
})
