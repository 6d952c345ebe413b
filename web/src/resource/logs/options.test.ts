// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { changed } from '../../route/query'
import { changeOf, logCommand, logQuery, optionsOf } from './options'

const web = { group: 'apps', version: 'v1', kind: 'Deployment', namespace: 'shop', name: 'web' }
const pod = { group: '', version: 'v1', kind: 'Pod', namespace: 'shop', name: 'web-1' }
const app = { namespace: 'argocd', name: 'shop' }
const none = optionsOf(new URLSearchParams())

test('what is chosen comes back from the address', () => {
  const chosen = {
    ...none,
    pod: 'web-1',
    container: 'a',
    follow: false,
    since: 300,
    tail: 2_000,
    filter: 'x y',
    invert: true,
    matchCase: true,
    find: 'z',
    wrap: true,
    timestamps: true,
  }
  const search = changed('?tab=tree', changeOf(chosen))
  expect(search.startsWith('?tab=tree&log-')).toBe(true)
  expect(optionsOf(new URLSearchParams(search))).toEqual(chosen)
  expect(changed(search, changeOf(none))).toBe('?tab=tree&log-tail=500')
})

test('what makes no sense in an address counts as not said', () => {
  expect(optionsOf(new URLSearchParams('log-tail=-1&log-since=soon&log-follow=maybe'))).toEqual(none)
  expect(optionsOf(new URLSearchParams('log-tail=99999999')).tail).toBe(10_000)
})

test('what was before a restart is not followed', () => {
  expect(optionsOf(new URLSearchParams('log-previous=yes')).follow).toBe(false)
})

test('a pod is named, and of anything else what it is', () => {
  expect(logQuery(app, pod, none)).toMatchObject({
    podName: 'web-1',
    namespace: 'shop',
    follow: true,
    tailLines: 500,
    filter: '',
  })
  expect(logQuery(app, web, none)).toMatchObject({ group: 'apps', kind: 'Deployment', resourceName: 'web' })
  expect(logQuery(app, web, { ...none, pod: 'web-1', filter: 'a', invert: true })).toMatchObject({
    podName: 'web-1',
    filter: '!a',
  })
})

test('the command line shows the same log', () => {
  expect(
    logCommand('shop', web, { ...none, container: 'a', since: 60, filter: 'x', invert: true, matchCase: true }).join(
      ' ',
    ),
  ).toBe(
    'app logs shop --group apps --kind Deployment --name web --resource-namespace shop --container a --follow --since-seconds 60 --tail 500 --filter !x --match-case',
  )
  expect(logCommand('shop', web, { ...none, pod: 'web-1', follow: false, previous: true }).join(' ')).toBe(
    'app logs shop --kind Pod --name web-1 --resource-namespace shop --previous --tail 500',
  )
})
