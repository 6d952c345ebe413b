// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { changed } from '../route/query'
import {
  asked,
  choices,
  cleared,
  fold,
  groupOnly,
  listCommand,
  only,
  questionOf,
  sortedBy,
  toggled,
  unrestricted,
} from './question'

const of = (search: string) => questionOf(new URLSearchParams(search))

test('an address without a query asks for everything, worst first', () => {
  expect(asked(of(''), [])).toEqual({ sort: 'attention' })
  expect(unrestricted(of(''))).toBe(true)
  expect(of('?view=tiles').tiles).toBe(true)
})

test('what the address says is asked of the API in its own words', () => {
  const q = of(
    '?search=%20web%20&health=Degraded&health=Missing&labels=team%3Dshop&group=label:team&folded=shop&folded=-',
  )
  expect(asked(q, [])).toEqual({
    sort: 'attention',
    search: 'web',
    health: ['Degraded', 'Missing'],
    labels: ['team=shop'],
    group: 'label:team',
    folded: ['shop', ''],
  })
})

test('favourites are asked for by name, and without any nothing is found instead of everything', () => {
  expect(asked(of('?favourites=true'), ['a/web']).names).toEqual(['a/web'])
  expect(asked(of('?favourites=true'), []).names).toEqual(['-/-'])
  expect(asked(of(''), ['a/web']).names).toBeUndefined()
})

test('values are chosen and taken back', () => {
  expect(changed('?health=Degraded&sort=name', toggled(of('?health=Degraded'), 'health', 'Missing'))).toBe(
    '?sort=name&health=Degraded&health=Missing',
  )
  expect(changed('?health=Degraded', toggled(of('?health=Degraded'), 'health', 'Degraded'))).toBe('')
})

test('the strip chooses one alone, and a second press shows all', () => {
  expect(only(of('?attention=stale'), 'attention', 'broken')).toEqual({ attention: ['broken'] })
  expect(only(of('?attention=broken'), 'attention', 'broken')).toEqual({ attention: [] })
  expect(only(of('?attention=broken&attention=stale'), 'attention', 'broken')).toEqual({ attention: ['broken'] })
})

test('the group of what has no value folds and unfolds through the address', () => {
  const once = changed('?group=owners', fold(of('?group=owners'), ''))
  expect(of(once).folded).toEqual([''])
  expect(changed(once, fold(of(once), ''))).toBe('?group=owners')
})

test('a group is found alone, within what is chosen', () => {
  const chosen = of('?group=projects&projects=shop&projects=pay&health=Degraded&folded=pay')
  expect(asked(groupOnly(chosen, 'shop')!, [])).toEqual({ sort: 'attention', projects: ['shop'], health: ['Degraded'] })
  const label = of('?group=label:team&selector=env%3Dprod')
  expect(asked(groupOnly(label, 'web')!, []).selector).toBe('env=prod,team=web')
  expect(groupOnly(of('?group=owners'), '')).toBeUndefined()
  expect(groupOnly(of('?group=repos'), 'https://h/a')).toBeUndefined()
})

test('each choice has the change that takes back it alone', () => {
  const address = '?search=web&health=Degraded&health=Missing&projects=shop&selector=a%3Db&favourites=true'
  const all = choices(of(address))
  expect(all.map((c) => [c.word, c.value])).toEqual([
    ['', 'Favourites'],
    ['Health', 'Degraded'],
    ['Health', 'Missing'],
    ['Project', 'shop'],
    ['Selector', 'a=b'],
    ['Search', 'web'],
  ])
  for (const choice of all) {
    const rest = choices(of(changed(address, choice.back)))
    expect(rest.map((c) => c.id)).toEqual(all.filter((c) => c !== choice).map((c) => c.id))
  }
})

test('clearing takes away what leaves something out, and nothing else', () => {
  expect(changed('?search=web&health=Degraded&favourites=true&sort=name&group=projects&view=tiles', cleared())).toBe(
    '?sort=name&group=projects&view=tiles',
  )
})

test('a column sorts by itself, then the other way round, then worst first again', () => {
  expect(sortedBy('attention', 'name')).toBe('name')
  expect(sortedBy('name', 'name')).toBe('-name')
  expect(sortedBy('-name', 'name')).toBe('attention')
  expect(sortedBy('name', 'synced', true)).toBe('-synced')
  expect(sortedBy('-synced', 'synced', true)).toBe('synced')
})

test('the command line lists the same, or it is said that it chooses by less', () => {
  expect(listCommand(of('?projects=shop&projects=pay&clusters=eu&labels=team%3Dweb'))).toEqual({
    command: ['app', 'list', '-p', 'shop', '-p', 'pay', '-c', 'eu', '-l', 'team=web'],
    whole: true,
  })
  expect(listCommand(of(''))).toEqual({ command: ['app', 'list'], whole: true })
  expect(listCommand(of('?health=Degraded')).whole).toBe(false)
  expect(listCommand(of('?clusters=eu&clusters=us'))).toEqual({ command: ['app', 'list'], whole: false })
})
