// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { appWord, objectFlags, podsOf, targetOf } from './target'

test('an ID names an object; those of a cluster have no namespace, and the core group no name', () => {
  expect(targetOf('apps/Deployment/shop/web', { version: 'v1' })).toEqual({
    group: 'apps',
    version: 'v1',
    kind: 'Deployment',
    namespace: 'shop',
    name: 'web',
  })
  expect(targetOf('/Namespace//shop')).toEqual({
    group: '',
    version: '',
    kind: 'Namespace',
    namespace: '',
    name: 'shop',
  })
})

test('the command line names an application with its namespace only where it has to', () => {
  expect(appWord({ namespace: 'argocd', name: 'web' }, 'argocd')).toBe('web')
  expect(appWord({ namespace: 'team', name: 'web' }, 'argocd')).toBe('team/web')
  expect(objectFlags(targetOf('/Namespace//shop'))).toEqual(['--kind', 'Namespace', '--resource-name', 'shop'])
})

test('pods are found through whatever they came of, and circles end', () => {
  const node = (id: string, ...parents: string[]) => ({
    id,
    kind: id.split('/')[1]!,
    group: id.split('/')[0]!,
    parents,
  })
  const nodes = [
    node('apps/Deployment/a/web'),
    node('apps/ReplicaSet/a/web-1', 'apps/Deployment/a/web'),
    node('/Pod/a/web-1-x', 'apps/ReplicaSet/a/web-1'),
    node('/Pod/a/other', 'x/Loop/a/one'),
    node('x/Loop/a/one', 'x/Loop/a/two'),
    node('x/Loop/a/two', 'x/Loop/a/one'),
  ]
  expect(podsOf('apps/Deployment/a/web', nodes).map((n) => n.id)).toEqual(['/Pod/a/web-1-x'])
  expect(podsOf('/Pod/a/other', nodes).map((n) => n.id)).toEqual(['/Pod/a/other'])
  expect(podsOf('x/Loop/a/two', nodes).map((n) => n.id)).toEqual(['/Pod/a/other'])
})
