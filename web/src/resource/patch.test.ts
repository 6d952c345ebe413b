// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { editable, type Fields, hiddenChanges, mergePatch, same, wrongWith } from './patch'

const web: Fields = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'shop', uid: 'x', resourceVersion: '7', labels: { a: '1' } },
  spec: { ports: [{ port: 80 }], type: 'ClusterIP' },
  status: { loadBalancer: {} },
}

test('a patch has what was set, what was taken away as null, and lists whole', () => {
  const after = {
    ...editable(web),
    metadata: { name: 'web', namespace: 'shop', labels: { b: '2' } },
    spec: { ports: [{ port: 81 }], type: 'ClusterIP' },
  }
  expect(mergePatch(editable(web), after)).toEqual({
    metadata: { labels: { a: null, b: '2' } },
    spec: { ports: [{ port: 81 }] },
  })
})

test('nothing changed is no patch, in whatever order', () => {
  expect(mergePatch(web, { ...web })).toBeUndefined()
  expect(same({ a: 1, b: [1, { c: 2 }] }, { b: [1, { c: 2 }], a: 1 })).toBe(true)
  expect(same([1, 2], [2, 1])).toBe(false)
  expect(mergePatch({ a: { b: 1 } }, { a: {} })).toEqual({ a: { b: null } })
})

test('what the server keeps and the status are not edited', () => {
  expect(editable(web)).toEqual({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'shop', labels: { a: '1' } },
    spec: { ports: [{ port: 80 }], type: 'ClusterIP' },
  })
})

test('an edit that is of another object, or of none, says so', () => {
  const base = editable(web)
  expect(wrongWith(base, base)).toBe('')
  expect(wrongWith(base, { ...base, kind: 'Pod' })).toContain('put back Service')
  expect(wrongWith(base, { ...base, metadata: { name: 'other', namespace: 'shop' } })).toContain('metadata.name')
  expect(wrongWith(base, null)).toContain('no object')
  expect(wrongWith(base, 'text')).toContain('no object')
})

test('values of a Secret that a patch changes are named and not shown', () => {
  expect(hiddenChanges({ data: { password: 'x', gone: null }, metadata: {} })).toEqual(['data.password', 'data.gone'])
})
