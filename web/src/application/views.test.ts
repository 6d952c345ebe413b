// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { tabOf } from './views'

const preferring = (view: string) => ({
  metadata: { annotations: { 'pref.argocd.argoproj.io/default-view': view } },
})

test('the tab of the address is shown, else the one that the owners prefer, else the tree', () => {
  expect(tabOf('events', preferring('pods'))).toBe('events')
  expect(tabOf(null, preferring('pods'))).toBe('pods')
  expect(tabOf('nonsense', preferring('nonsense'))).toBe('tree')
  expect(tabOf('constructor', undefined)).toBe('tree')
})
