// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { actions, allOf, explainCommand, groupsOf, objectOf, questions, subjects, tableOf } from './rights'

test('all of a resource is written as policies write it', () => {
  expect(allOf('applications', '')).toBe('*/*')
  expect(allOf('applications', 'shop')).toBe('shop/*')
  expect(allOf('clusters', '')).toBe('*')
  expect(allOf('clusters', 'shop')).toBe('shop/*')
  expect(allOf('accounts', '')).toBe('*')
  expect(allOf('accounts', 'shop')).toBeUndefined()
  expect(allOf('projects', 'shop')).toBe('shop')
})

test('the table of a project has what projects have, and nothing else', () => {
  expect(tableOf('').length).toBe(subjects.length)
  expect(tableOf('shop').map((row) => row.resource)).toEqual([
    'applications',
    'applicationsets',
    'logs',
    'exec',
    'repositories',
    'write-repositories',
    'clusters',
    'projects',
  ])
})

test('every action of a resource or question has its column', () => {
  for (const one of subjects) for (const action of one.actions) expect(actions).toContain(action)
  for (const one of questions) {
    expect(subjects.find((s) => s.resource === one.resource)?.actions).toContain(one.action)
  }
})

test('an application of the control namespace is named without it', () => {
  expect(objectOf({ project: 'shop', namespace: 'argocd', name: 'cart' }, 'argocd')).toBe('shop/cart')
  expect(objectOf({ project: 'shop', namespace: 'team', name: 'cart' }, 'argocd')).toBe('shop/team/cart')
})

test('the command asks what the form asks', () => {
  const asked = { resource: 'applications', action: 'sync', object: 'shop/cart' }
  expect(explainCommand(asked, '', [])).toEqual(['account', 'explain', 'sync', 'applications', 'shop/cart'])
  expect(explainCommand(asked, 'jane', ['a', 'b']).slice(5)).toEqual(['--subject', 'jane', '--groups', 'a,b'])
  expect(groupsOf(' a, b ,,')).toEqual(['a', 'b'])
})
