// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { changedFields, clusterOf, formOf, setCommand, wrongWith } from './clusterform'

const east = {
  name: 'east',
  server: 'https://east',
  project: 'shop',
  namespaces: ['shop', 'tools'],
  labels: { tier: '1', region: 'eu' },
}

test('a form that nobody touched changes nothing', () => {
  expect(changedFields(formOf(east), east)).toEqual([])
  expect(changedFields({ ...formOf(east), labels: 'tier=1\n\n region = eu ' }, east)).toEqual([])
})

test('a form says what it was made of', () => {
  expect(clusterOf(formOf(east))).toEqual({
    name: 'east',
    project: 'shop',
    namespaces: ['shop', 'tools'],
    clusterResources: false,
    labels: { region: 'eu', tier: '1' },
    annotations: {},
  })
  expect(clusterOf({ ...formOf(east), namespaces: '', clusterResources: true }).clusterResources).toBe(false)
  expect(clusterOf({ ...formOf(east), annotations: 'note=a=b' }).annotations).toEqual({ note: 'a=b' })
})

test('only what was changed is written', () => {
  expect(changedFields({ ...formOf(east), name: 'west', labels: 'tier=2' }, east)).toEqual(['name', 'labels'])
})

test('what cannot be written is told at its field', () => {
  expect(wrongWith(formOf(east))).toEqual({})
  expect(wrongWith({ ...formOf(east), annotations: 'example.org/note=anything at all, even this' })).toEqual({})
  expect(
    Object.keys(
      wrongWith({
        name: ' ',
        project: '',
        namespaces: 'Shop',
        clusterResources: false,
        labels: 'tier',
        annotations: '=x',
      }),
    ),
  ).toEqual(['name', 'namespaces', 'labels', 'annotations'])
  expect(wrongWith({ ...formOf(east), labels: 'tier=a b' }).labels).toContain('a b')
})

test('the command does the same, where there is one', () => {
  const command = (change: Partial<ReturnType<typeof formOf>>) => {
    const form = { ...formOf(east), ...change }
    return setCommand('east', form, changedFields(form, east))
  }
  expect(command({ name: 'west', namespaces: '' })).toEqual([
    'cluster',
    'set',
    'east',
    '--name',
    'west',
    '--namespace',
    '*',
  ])
  expect(command({ labels: 'tier=2' })).toEqual(['cluster', 'set', 'east', '--label', 'tier=2'])
  expect(command({ project: '' })).toBeUndefined()
  expect(command({ labels: '' })).toBeUndefined()
  expect(command({})).toBeUndefined()
})
