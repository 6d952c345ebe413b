// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { Manifest } from './text'

const text = `# who owns this: team shop
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: web # the shop
spec:
  project: default
  source:
    repoURL: https://git.example.org/shop.git
    path: web
    ofTomorrow: {a: 1}
  destination:
    name: in-cluster
  syncPolicy:
    automated: {prune: true}
    # slow cluster
    retry:
      limit: 3
`

test('a field is changed where it stands: comments, order and fields that nobody knows stay', () => {
  const after = new Manifest(text).with(['spec', 'source', 'path'], 'web/prod')
  expect(after.text).toBe(
    text
      .replace('path: web\n', 'path: web/prod\n')
      .replace('{a: 1}', '{ a: 1 }')
      .replace('{prune: true}', '{ prune: true }'),
  )
  expect(after.text).toContain('# who owns this: team shop')
  expect(after.text).toContain('# slow cluster')
  expect(after.at(['spec', 'source', 'ofTomorrow', 'a'])).toBe(1)
})

test('what is typed is what the form shows, and the other way round', () => {
  const manifest = new Manifest(text).with(['metadata', 'labels', 'team'], 'shop')
  expect(manifest.word(['metadata', 'labels', 'team'])).toBe('shop')
  expect(new Manifest(manifest.text.replace('team: shop', 'team: pay')).word(['metadata', 'labels', 'team'])).toBe(
    'pay',
  )
  expect(manifest.word(['spec', 'syncPolicy', 'retry', 'limit'])).toBe('3')
  expect(manifest.word(['spec', 'source'])).toBe('')
  expect(manifest.word(['spec', 'no', 'such'])).toBe('')
})

test('a field that is emptied goes, with what held nothing else', () => {
  const after = new Manifest(text).with(['spec', 'syncPolicy', 'retry', 'limit'], undefined)
  expect(after.text).not.toContain('retry')
  expect(after.at(['spec', 'syncPolicy'])).toEqual({ automated: { prune: true } })
})

test('automated sync without options is on, and the destination stays where it is however empty', () => {
  const plain = new Manifest(text).with(['spec', 'syncPolicy', 'automated', 'prune'], undefined)
  expect(plain.at(['spec', 'syncPolicy', 'automated'])).toEqual({})
  expect(plain.with(['spec', 'destination', 'name'], undefined).at(['spec', 'destination'])).toEqual({})
})

test('values that look like something else stay texts', () => {
  for (const value of ['yes', '1.10', 'null', '0x10', '# no comment', 'a: b', ' lead', "it's", '"q"', 'two\nlines']) {
    expect(
      new Manifest(new Manifest(text).with(['metadata', 'labels', 'x'], value).text).at(['metadata', 'labels', 'x']),
    ).toBe(value)
  }
})

test('a text that is no manifest says where, and changes of the form do not touch it', () => {
  const broken = new Manifest(text.replace('project: default', 'project: [default'))
  expect(broken.wrong?.line).toBeGreaterThan(6)
  expect(broken.value).toBeUndefined()
  expect(broken.with(['metadata', 'name'], 'x').text).toBe(broken.text)
  expect(new Manifest('just text').wrong?.message).toContain('no manifest')
  expect(new Manifest('').wrong).toBeDefined()
  expect(new Manifest('a: 1\na: 2').wrong?.line).toBe(2)
})

test('an alias that grows without end is refused', () => {
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x]',
    'b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]',
    'c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]',
    'd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]',
  ]
  expect(new Manifest(bomb.join('\n')).wrong).toBeDefined()
})

test('one source becomes the first of several, as it was written', () => {
  const list = new Manifest(text.replace('path: web', 'path: web # here')).moved(
    ['spec', 'source'],
    ['spec', 'sources', 0],
  )
  expect(list.at(['spec', 'sources', 0, 'path'])).toBe('web')
  expect(list.at(['spec', 'source'])).toBeUndefined()
  expect(list.text).toContain('# here')
})

test('a place has its line, and one that is not there the line of what is around it', () => {
  const manifest = new Manifest(text)
  expect(manifest.line(['spec', 'source', 'path'])).toBe(10)
  expect(manifest.line(['spec', 'source', 'chart'])).toBe(8)
  expect(manifest.line(['nowhere'])).toBe(1)
})
