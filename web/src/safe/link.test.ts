// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { safeLink } from './link'

test.each([
  ['https://grafana.example.com/d/1?x=y', 'https://grafana.example.com/d/1?x=y'],
  [' http://example.com ', 'http://example.com/'],
  ['mailto:team@example.com', 'mailto:team@example.com'],
  ['javascript:alert(1)', undefined],
  ['JaVaScRiPt:alert(1)', undefined],
  ['java\nscript:alert(1)', undefined],
  ['\u0001javascript:alert(1)', undefined],
  ['data:text/html,<script>alert(1)</script>', undefined],
  ['vbscript:x', undefined],
  ['file:///etc/passwd', undefined],
  ['blob:https://example.com/1', undefined],
  ['//example.com/x', undefined],
  ['/relative', undefined],
  ['', undefined],
  [null, undefined],
])('a link %j leads to %j', (text, want) => {
  expect(safeLink(text)).toBe(want)
})
