// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { ignoreFields, ignoreManagers, stepsOf } from './ignore'

const target = { group: 'apps', version: 'v1', kind: 'Deployment', namespace: 'shop', name: 'web' }

test('paths are read as differences write them', () => {
  expect(stepsOf('spec.containers[name=web,port=80].args[2]')).toEqual([
    { field: 'spec' },
    { field: 'containers' },
    {
      keys: [
        ['name', 'web'],
        ['port', 80],
      ],
    },
    { field: 'args' },
    { place: 2 },
  ])
  expect(stepsOf('metadata.annotations["example.org/a\\"b"]')).toEqual([
    { field: 'metadata' },
    { field: 'annotations' },
    { field: 'example.org/a"b' },
  ])
  expect(stepsOf('metadata.finalizers[="a.b/c"]')).toEqual([
    { field: 'metadata' },
    { field: 'finalizers' },
    { value: 'a.b/c' },
  ])
  expect(stepsOf('a[')).toBeUndefined()
})

test('plain fields are ignored by pointers, whose signs are escaped', () => {
  expect(ignoreFields(target, ['spec.replicas', 'metadata.annotations["a/b~c"]'])).toEqual({
    group: 'apps',
    kind: 'Deployment',
    namespace: 'shop',
    name: 'web',
    jsonPointers: ['/spec/replicas', '/metadata/annotations/a~1b~0c'],
  })
})

test('what only its keys name is ignored by jq', () => {
  expect(ignoreFields(target, ['spec.template.spec.containers[name=web].image']).jqPathExpressions).toEqual([
    '.spec.template.spec.containers[] | select(.name == "web") | .image',
  ])
  expect(ignoreFields(target, ['spec.ports[port=80,protocol=TCP]']).jqPathExpressions).toEqual([
    '.spec.ports[] | select(.port == 80 and .protocol == "TCP")',
  ])
  expect(ignoreFields(target, ['spec.x["a.b"][k=v]']).jqPathExpressions).toEqual([
    '.spec.x["a.b"][] | select(.k == "v")',
  ])
})

test('what a manager writes is ignored by its name; the core group and cluster objects leave fields out', () => {
  expect(ignoreManagers({ ...target, group: '', namespace: '' }, ['hpa'])).toEqual({
    kind: 'Deployment',
    name: 'web',
    managedFieldsManagers: ['hpa'],
  })
})
