// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { parse } from 'yaml'
import {
  beginning,
  changesOf,
  editable,
  fieldName,
  manifestOf,
  meanwhileOf,
  patchOf,
  pathOf,
  rebased,
  same,
} from './saving'
import { Manifest } from './text'

const app = {
  metadata: {
    name: 'web',
    namespace: 'argocd',
    uid: 'x',
    resourceVersion: '7',
    annotations: { 'bowline.dev/hold': '{}', 'argocd.argoproj.io/refresh-timestamp': 'now', note: 'ours' },
    labels: { team: 'shop' },
  },
  spec: { project: 'default', source: { repoURL: 'r', path: 'a' }, destination: { name: 'in-cluster' } },
  status: { health: { status: 'Healthy' } },
}
const base = editable(app)
const changed = (path: string, value: unknown) =>
  new Manifest(manifestOf(app)).with(pathOf(path), value).value as typeof base

test('people edit what an application is, and not how it stands', () => {
  expect(parse(manifestOf(app))).toEqual({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'web', namespace: 'argocd', labels: { team: 'shop' }, annotations: { note: 'ours' } },
    spec: app.spec,
  })
})

test('only what was changed is written, and only if it is as it was', () => {
  expect(patchOf(base, changed('spec.source.path', 'b'))).toEqual([
    { op: 'test', path: '/spec/source', value: { repoURL: 'r', path: 'a' } },
    { op: 'replace', path: '/spec/source', value: { repoURL: 'r', path: 'b' } },
  ])
  expect(patchOf(base, changed('spec.info', [{ name: 'n', value: 'v' }]))).toEqual([
    { op: 'add', path: '/spec/info', value: [{ name: 'n', value: 'v' }] },
  ])
  expect(patchOf(base, changed('metadata.labels.team', undefined))).toEqual([
    { op: 'test', path: '/metadata/labels', value: { team: 'shop' } },
    { op: 'remove', path: '/metadata/labels' },
  ])
  expect(patchOf(base, structuredClone(base))).toEqual([])
})

test('names with slashes are written as JSON patches write them', () => {
  const next = new Manifest(manifestOf(app)).with(['metadata', 'annotations', 'a/b~c'], 'x').value as typeof base
  expect(patchOf(base, next)).toEqual([{ op: 'add', path: '/metadata/annotations/a~1b~0c', value: 'x' }])
})

test('what somebody else changed is taken over beside what was changed here', () => {
  const mine = new Manifest(manifestOf(app)).with(pathOf('spec.source.path'), 'mine')
  const latest = changed('spec.destination.namespace', 'theirs')
  const meanwhile = meanwhileOf(base, latest, mine.value)
  expect(meanwhile.both).toEqual([])
  const both = rebased(mine, meanwhile)
  expect(both.word(['spec', 'source', 'path'])).toBe('mine')
  expect(both.word(['spec', 'destination', 'namespace'])).toBe('theirs')
})

test('what both changed is told, and stays as it is here', () => {
  const mine = new Manifest(manifestOf(app)).with(pathOf('spec.source.path'), 'mine')
  const meanwhile = meanwhileOf(base, changed('spec.source.path', 'theirs'), mine.value)
  expect(meanwhile.both.map((one) => fieldName(one.path))).toEqual(['spec.source.path'])
  expect(rebased(mine, meanwhile).word(['spec', 'source', 'path'])).toBe('mine')
  expect(meanwhileOf(base, changed('spec.source.path', 'mine'), mine.value).both).toEqual([])
})

test('fields are compared by what they say, lists as one', () => {
  expect(same({ a: 1, b: [1, 2] }, { b: [1, 2], a: 1 })).toBe(true)
  expect(same([1, 2], [2, 1])).toBe(false)
  expect(same({}, [])).toBe(false)
  expect(changesOf({ a: { b: 1 }, c: [1] }, { a: { b: 2 }, c: [2] }).map((one) => fieldName(one.path))).toEqual([
    'a.b',
    'c',
  ])
})

test('places are named as the server names them', () => {
  for (const name of ['spec.source.repoURL', 'spec.sources[1].helm.parameters[0].name'])
    expect(fieldName(pathOf(name))).toBe(name)
})

test('a new application begins as a manifest, whatever its name', () => {
  expect(beginning('a: b').at(['metadata', 'name'])).toBe('a: b')
  expect(beginning().wrong).toBeUndefined()
})

test('a label may be named as it likes', () => {
  const next = { ...base, metadata: { ...(base.metadata as object), labels: { team: 'shop', constructor: 'x' } } }
  expect(patchOf(base, next)).toEqual([{ op: 'add', path: '/metadata/labels/constructor', value: 'x' }])
})
