// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { quoted } from './copy'

test.each([
  ['web', 'web'],
  ['--resource', '--resource'],
  ['apps:Deployment:shop/web', 'apps:Deployment:shop/web'],
  ['two words', "'two words'"],
  ["it's; rm -rf /", `'it'\\''s; rm -rf /'`],
  ['$(x)', "'$(x)'"],
  ['', "''"],
])('the shell reads %j back from %j', (word, want) => {
  expect(quoted(word)).toBe(want)
})
