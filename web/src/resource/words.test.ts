// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { actionWord, marksOf, metadataOf } from './words'

test('what is out of the ordinary is said, and nothing else', () => {
  const node = { id: 'x', kind: 'Job', name: 'x' }
  expect(marksOf(node)).toEqual([])
  expect(
    marksOf({ ...node, hook: true, wave: -1, prune: true, confirm: true, sharedWith: 'shop' }).map((m) => m.word),
  ).toEqual(['Hook', 'Wave -1', 'No longer wanted', 'Deletion waits', 'Also in shop'])
})

test('labels and annotations come by name, without what repeats the object', () => {
  const object = {
    metadata: {
      labels: { b: '2', a: '1' },
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', x: 'y' },
    },
  }
  expect(metadataOf(object)).toEqual({
    labels: [
      ['a', '1'],
      ['b', '2'],
    ],
    annotations: [['x', 'y']],
  })
  expect(metadataOf(undefined)).toEqual({ labels: [], annotations: [] })
  expect(metadataOf({ metadata: { labels: 'no' } }).labels).toEqual([])
})

test('actions are named for people', () => {
  expect(actionWord('restart', undefined)).toBe('Restart')
  expect(actionWord('create-job', '')).toBe('Create job')
  expect(actionWord('x', 'Do it')).toBe('Do it')
})
