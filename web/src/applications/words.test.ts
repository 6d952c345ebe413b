// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import type { Row } from '../api'
import { shortRepo, sourceWords, verdict, why } from './words'

const row: Row = {
  namespace: 'argocd',
  name: 'web',
  project: 'default',
  sync: 'Synced',
  health: 'Healthy',
  attention: 'fine',
  cluster: 'in-cluster',
  sources: 1,
  created: null,
}

test.each([
  ['https://github.com/acme/deploy.git', 'acme/deploy'],
  ['git@github.com:acme/deploy.git', 'acme/deploy'],
  ['ssh://git@git.example.org:2222/a/b/c', 'b/c'],
  ['oci://ghcr.io/acme/charts', 'acme/charts'],
])('a repository %s is known as %s', (url, want) => {
  expect(shortRepo(url)).toBe(want)
})

test('something wrong is never told as nothing', () => {
  expect(verdict({ fine: 3, stale: 1 }, 4)).toBe('1 of 4 needs a look')
  expect(verdict({ fine: 1, broken: 2, waiting: 1 }, 4)).toBe('3 of 4 need a look')
  expect(verdict({ fine: 3, working: 1 }, 4)).toBe('Nothing is wrong, 1 at work')
  expect(verdict({ fine: 4 }, 4)).toBe('Nothing is wrong: all 4 are fine')
  expect(verdict({}, 0)).toBe('')
})

test('why is the reason, or how the last sync ended', () => {
  expect(why({ ...row, attention: 'broken', why: 'The image is not there' })).toBe('The image is not there')
  expect(why({ ...row, operation: 'Succeeded' })).toBe('Last sync succeeded')
  expect(why(row)).toBe('In sync without having been synced here')
})

test('a source is named by repository and path, and told to be one of several', () => {
  expect(sourceWords({ ...row, repo: 'https://h/acme/deploy', path: 'web' }).text).toBe('acme/deploy · web')
  expect(sourceWords({ ...row, repo: 'https://h/acme/deploy', path: '.', sources: 3 }).text).toBe(
    'acme/deploy, and 2 more',
  )
  expect(sourceWords({ ...row, sources: 0 }).text).toBe('No source')
})
