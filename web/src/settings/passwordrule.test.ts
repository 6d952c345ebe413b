// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { passwordProblem, patternWords } from './passwordrule'

test('a new password has to match the pattern and be typed twice alike', () => {
  expect(passwordProblem('^.{8,32}$', '', '')).toBeUndefined()
  expect(passwordProblem('^.{8,32}$', 'short', '')).toBe('It has to match ^.{8,32}$')
  expect(passwordProblem('^.{8,32}$', 'long enough', 'long enouhg')).toBe('The two are not the same')
  expect(passwordProblem('^.{8,32}$', 'long enough', '')).toBeUndefined()
  expect(passwordProblem('^.{8,32}$', 'long enough', 'long enough')).toBeUndefined()
})

test('what only the server can read is left to the server', () => {
  expect(passwordProblem('(?P<name>x)', 'anything', 'anything')).toBeUndefined()
  expect(passwordProblem(undefined, 'x', 'x')).toBeUndefined()
})

test('a pattern that is about the length is said in words', () => {
  expect(patternWords('^.{8,32}$')).toBe('8 to 32 characters')
  expect(patternWords('^.{12,}$')).toBe('At least 12 characters')
  expect(patternWords('[a-z]')).toBe('It has to match [a-z]')
  expect(patternWords(undefined)).toBe('')
})
