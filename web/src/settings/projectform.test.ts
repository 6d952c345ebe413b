// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { ApiError } from '../api/error'
import { destinationProblem, errorAt, isConflict, merged, projectCommands, withSpec } from './projectform'

const base = {
  metadata: { name: 'shop', resourceVersion: '1' },
  spec: { description: 'Shop', sourceRepos: ['https://a'], destinations: [{ server: '*', namespace: 'shop' }] },
}

test('an error of the server is shown at its field and nowhere else', () => {
  const error = new ApiError(400, 'it has no namespace', { where: 'spec.destinations[1].namespace' })
  expect(errorAt(error, 'destinations[1]')).toBe('it has no namespace')
  expect(errorAt(error, 'destinations')).toBe('it has no namespace')
  expect(errorAt(error, 'destinations[0]')).toBeUndefined()
  expect(errorAt(error, 'destinations[10]')).toBeUndefined()
  expect(errorAt(undefined, 'destinations')).toBeUndefined()
  expect(isConflict(error)).toBe(false)
  expect(isConflict(new ApiError(503, 'x', { where: 'metadata.resourceVersion' }))).toBe(true)
})

test('a change on top of what somebody else wrote keeps what they wrote', () => {
  const mine = withSpec(base, { description: 'All of the shop' })
  const theirs = {
    metadata: { name: 'shop', resourceVersion: '2' },
    spec: { ...base.spec, sourceRepos: ['https://b'] },
  }
  const got = merged(base, mine, theirs)
  expect(got.both).toEqual([])
  expect(got.project.metadata?.resourceVersion).toBe('2')
  expect(got.project.spec).toEqual({ ...base.spec, description: 'All of the shop', sourceRepos: ['https://b'] })
})

test('what both changed is named, and the draft counts', () => {
  const got = merged(
    base,
    withSpec(base, { sourceRepos: ['https://mine'] }),
    withSpec(base, { sourceRepos: ['https://b'] }),
  )
  expect(got.both).toEqual(['sourceRepos'])
  expect(got.project.spec?.sourceRepos).toEqual(['https://mine'])
})

test('a destination needs a cluster and a namespace', () => {
  expect(destinationProblem({ name: 'east', namespace: '!kube-system' })).toBeUndefined()
  expect(destinationProblem({ namespace: 'x' })).toContain('cluster')
  expect(destinationProblem({ server: '*' })).toContain('namespace')
})

test('the command line does the same', () => {
  const after = withSpec(base, {
    description: 'All',
    sourceRepos: ['https://b'],
    destinations: [...base.spec.destinations, { name: 'east', namespace: 'shop' }],
  })
  expect(projectCommands(base, after)).toEqual([
    ['proj', 'set', 'shop', '--description', 'All'],
    ['proj', 'add-source', 'shop', 'https://b'],
    ['proj', 'remove-source', 'shop', 'https://a'],
    ['proj', 'add-destination', 'shop', 'east', 'shop', '--name'],
  ])
  expect(projectCommands(base, base)).toEqual([])
  expect(projectCommands(base, withSpec(base, { permitOnlyProjectScopedClusters: true }))).toEqual([
    ['proj', 'edit', 'shop'],
  ])
})
