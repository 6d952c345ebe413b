// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { parsePolicy, policyProblem, policyWords, roleCommands, subjectOf, writePolicy } from './policy'

const subject = subjectOf('shop', 'deployer')

test.each([
  ['p, proj:shop:deployer, applications, sync, shop/*, allow', { action: 'sync', object: 'shop/*', effect: 'allow' }],
  ['p,proj:shop:deployer,applications,action/apps/Deployment/restart,shop/web,deny', { effect: 'deny' }],
])('%s is read', (line, want) => {
  expect(parsePolicy(line, subject)).toMatchObject({ resource: 'applications', ...want })
})

test.each([
  'p, proj:shop:other, applications, sync, shop/*, allow',
  'g, somebody, proj:shop:deployer',
  'p, proj:shop:deployer, applications, sync, shop/*',
  'p, proj:shop:deployer, applications, sync, shop/*, perhaps',
  'p, proj:shop:deployer, , sync, shop/*, allow',
  '',
])('%j is kept as it is, and said to be wrong', (line) => {
  const policy = parsePolicy(line, subject)
  expect(policy.raw).toBe(line)
  expect(writePolicy(policy, subject)).toBe(line)
  expect(policyProblem(policy, 'shop')).toContain('cannot be read')
})

test('a line that was read is written in one form', () => {
  const policy = parsePolicy('p,proj:shop:deployer, applications ,sync,shop/*,allow', subject)
  expect(writePolicy(policy, subject)).toBe('p, proj:shop:deployer, applications, sync, shop/*, allow')
})

test.each([
  [{ resource: 'projects' }, 'Choose a resource'],
  [{ action: ' ' }, 'what may be done'],
  [{ object: 'other/*' }, 'shop/*'],
  [{ object: 'shop/' }, 'shop/*'],
  [{ effect: '' }, 'allow or deny'],
])('%j is said to be wrong', (change, want) => {
  const policy = { resource: 'applications', action: 'sync', object: 'shop/*', effect: 'allow', ...change }
  expect(policyProblem(policy, 'shop')).toContain(want)
})

test('a policy that stands twice is said to', () => {
  const policy = { resource: 'applications', action: 'sync', object: 'shop/*', effect: 'allow' }
  expect(policyProblem(policy, 'shop', [policy])).toBeUndefined()
  expect(policyProblem(policy, 'shop', [policy, { ...policy }])).toContain('twice')
})

test('policies are told in words', () => {
  const policy = { resource: 'applications', action: '*', object: 'shop/*', effect: 'deny' }
  expect(policyWords(policy)).toBe('must not do everything with applications shop/*')
})

test('the command line changes a role likewise', () => {
  const before = {
    name: 'deployer',
    groups: ['a'],
    policies: ['p, proj:shop:deployer, applications, get, shop/*, allow'],
  }
  const after = {
    name: 'deployer',
    groups: ['b'],
    policies: ['p, proj:shop:deployer, applications, sync, shop/web, deny'],
  }
  expect(roleCommands('shop', before, before)).toEqual([])
  expect(roleCommands('shop', before, after).map((words) => words.slice(2).join(' '))).toEqual([
    'add-policy shop deployer --resource applications --action sync --object web --permission deny',
    'remove-policy shop deployer --resource applications --action get --object * --permission allow',
    'add-group shop deployer b',
    'remove-group shop deployer a',
  ])
  expect(roleCommands('shop', {}, { name: 'new' })).toEqual([['proj', 'role', 'create', 'shop', 'new']])
})
