// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { manifestOf } from './manifest'

const app = {
  metadata: { name: 'web', managedFields: [{ manager: 'kubectl' }] },
  spec: { project: 'p' },
  status: { sourceType: 'Helm' },
}

test('a manifest can be applied: it has its kind, and nothing of the machinery', () => {
  expect(manifestOf(app, false)).toEqual({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'web' },
    spec: { project: 'p' },
  })
  expect(manifestOf(app, true)).toMatchObject({ status: { sourceType: 'Helm' } })
})
