// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { commitPage, originsOf, repositoryName, repositoryPage, short } from './source'

const commit = '0123456789abcdef0123456789abcdef01234567'

test.each([
  ['https://github.com/team/shop.git', `https://github.com/team/shop/commit/${commit}`],
  ['git@github.com:team/shop.git', `https://github.com/team/shop/commit/${commit}`],
  [
    'ssh://git@gitlab.example.com:2222/team/sub/shop.git',
    `https://gitlab.example.com/team/sub/shop/-/commit/${commit}`,
  ],
  ['https://bitbucket.org/team/shop', `https://bitbucket.org/team/shop/commits/${commit}`],
  ['https://user:password@github.com/team/shop', `https://github.com/team/shop/commit/${commit}`],
  ['https://git.example.org/team/shop.git', undefined],
  ['file:///srv/git/shop', undefined],
  ['javascript://github.com/%0aalert(1)', undefined],
  ['', undefined],
])('the commit of %j is shown at %j', (url, want) => {
  expect(commitPage(url, commit)).toBe(want)
})

test('what is no commit has no page', () => {
  expect(commitPage('https://github.com/team/shop', 'v1.2.3')).toBeUndefined()
  expect(repositoryPage('https://github.com/team/shop')).toBe('https://github.com/team/shop')
})

test('a repository is shown without who reads it', () => {
  expect(repositoryName('https://user:password@git.example.org/team/shop.git')).toBe('git.example.org/team/shop')
  expect(repositoryName('git@github.com:team/shop.git')).toBe('github.com:team/shop')
})

test('commits and digests are short, versions whole', () => {
  expect(short(commit)).toBe('0123456')
  expect(short(`sha256:${'ab'.repeat(32)}`)).toBe('sha256:ababababab')
  expect(short('1.2.3')).toBe('1.2.3')
})

test('each of several sources has its own revision', () => {
  const several = {
    spec: { sources: [{ repoURL: 'a' }, { repoURL: 'b' }] },
    status: { sync: { revisions: ['1', '2'] } },
  }
  expect(originsOf(several).map((o) => [o.source.repoURL, o.index, o.revision])).toEqual([
    ['a', 0, '1'],
    ['b', 1, '2'],
  ])
  const one = { spec: { source: { repoURL: 'a' } }, status: { sync: { revision: '1' } } }
  expect(originsOf(one)).toEqual([{ source: { repoURL: 'a' }, index: undefined, revision: '1' }])
  expect(originsOf({ spec: {} })).toEqual([])
})
