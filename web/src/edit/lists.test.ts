// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { listOf, listText, mapOf, mapText, namedOf, namedText, optionOf, withOption } from './lists'

test('maps are lines, and lines maps', () => {
  expect(mapOf('team=shop\n\n tier = 1 \nurl=a=b')).toEqual({ team: 'shop', tier: '1', url: 'a=b' })
  expect(mapText({ team: 'shop', url: 'a=b' })).toBe('team=shop\nurl=a=b')
  expect(mapOf(' \n')).toBeUndefined()
  expect(mapText(undefined)).toBe('')
  expect(listOf('a\n\nb')).toEqual(['a', 'b'])
  expect(listText(['a', 'b'])).toBe('a\nb')
})

test('what a parameter says beside its value stays', () => {
  const before = [{ name: 'n', value: '1', forceString: true }]
  expect(namedOf('n=2\nm=', before)).toEqual([
    { name: 'n', value: '2', forceString: true },
    { name: 'm', value: '' },
  ])
  expect(namedText(before)).toBe('n=1')
  expect(namedOf('', before)).toBeUndefined()
})

test('a sync option is changed where it stands, the others stay', () => {
  const options = ['A=true', 'CreateNamespace=false', 'B=x']
  expect(withOption(options, 'CreateNamespace', 'true')).toEqual(['A=true', 'CreateNamespace=true', 'B=x'])
  expect(withOption(options, 'A', undefined)).toEqual(['CreateNamespace=false', 'B=x'])
  expect(withOption(['A=true'], 'A', undefined)).toBeUndefined()
  expect(withOption(undefined, 'A', 'true')).toEqual(['A=true'])
  expect(optionOf(options, 'B')).toBe('x')
  expect(optionOf(options, 'C')).toBeUndefined()
  expect(optionOf(['PruneLast=true'], 'Prune')).toBeUndefined()
})
