// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { bodyOf, isSsh, repositoryCommand, repositoryProblems, trialOf, type Way, wayOf } from './repoform'

test.each([
  ['git@git.example.com:shop.git', true],
  ['ssh://git@git.example.com/shop', true],
  ['https://git@git.example.com/shop', false],
  ['oci://registry.example.com/shop', false],
])('%s is an address of SSH: %j', (address, want) => {
  expect(isSsh(address)).toBe(want)
})

test('only what belongs to the chosen way is sent', () => {
  const form = {
    repo: ' https://a ',
    username: 'ann',
    password: ' p ',
    sshPrivateKey: 'k',
    bearerToken: 't',
    insecure: false,
  }
  expect(bodyOf(form, 'password')).toEqual({ repo: 'https://a', username: 'ann', password: ' p ' })
  expect(bodyOf(form, 'ssh')).toEqual({ repo: 'https://a', sshPrivateKey: 'k\n' })
  expect(bodyOf(form, 'none')).toEqual({ repo: 'https://a' })
  expect(bodyOf(form, 'workload')).toEqual({ repo: 'https://a', useAzureWorkloadIdentity: true })
})

test('what was found out about a repository is not declared', () => {
  const shown = { repo: 'https://a', connectionState: { status: 'Failed' }, inheritedCreds: true, depth: 0 }
  expect(bodyOf(shown, 'none')).toEqual({ repo: 'https://a' })
})

test.each([
  [{ repo: '' }, 'none', 'repo'],
  [{ repo: 'https://a b' }, 'none', 'repo'],
  [{ repo: 'https://a', type: 'oci' }, 'none', 'repo'],
  [{ repo: 'https://a', sshPrivateKey: 'k' }, 'ssh', 'repo'],
  [{ repo: 'git@a:b' }, 'ssh', 'sshPrivateKey'],
  [{ repo: 'https://a' }, 'bearer', 'bearerToken'],
  [{ repo: 'https://a' }, 'password', 'username'],
  [{ repo: 'https://a', githubAppPrivateKey: 'k' }, 'app', 'githubAppID'],
  [{ repo: 'https://a', tlsClientCertData: 'c' }, 'none', 'tlsClientCertKey'],
] as const)('%j by %s is wrong at %s', (form, way, field) => {
  expect(Object.keys(repositoryProblems(form, way))).toContain(field)
})

test('a good form has no problems', () => {
  expect(repositoryProblems({ repo: 'git@a:b', sshPrivateKey: 'k' }, 'ssh')).toEqual({})
  expect(repositoryProblems({ repo: 'oci://a/b', type: 'oci' }, 'none')).toEqual({})
})

test.each<Way>(['password', 'bearer', 'ssh', 'app', 'google', 'azure'])('the command for %s holds no secret', (way) => {
  const secret = 'canary'
  const form = {
    repo: 'https://a',
    username: 'ann',
    password: secret,
    bearerToken: secret,
    sshPrivateKey: secret,
    githubAppID: 7,
    githubAppPrivateKey: secret,
    gcpServiceAccountKey: secret,
    azureServicePrincipalClientSecret: secret,
    tlsClientCertData: secret,
    tlsClientCertKey: secret,
  }
  expect(repositoryCommand('repo', form, way).join(' ')).not.toContain(secret)
})

test('the command says the rest', () => {
  const form = { repo: 'https://a', type: 'helm', name: 'stable', project: 'shop', proxy: 'http://p', insecure: true }
  expect(repositoryCommand('repo', { ...form, username: 'ann' }, 'password').join(' ')).toBe(
    'repo add https://a --type helm --name stable --project shop --username ann --proxy http://p --insecure-skip-server-verification',
  )
  expect(repositoryCommand('repocreds', form, 'none').join(' ')).toBe(
    'repocreds add https://a --type helm --proxy-url http://p',
  )
})

test('the way is guessed from what is shown', () => {
  expect(wayOf({ repo: 'git@a:b' })).toBe('ssh')
  expect(wayOf({ repo: 'git@a:b', inheritedCreds: true })).toBe('none')
  expect(wayOf({ repo: 'https://a', username: 'ann' })).toBe('password')
  expect(wayOf({ repo: 'https://a', githubAppID: 7 })).toBe('app')
  expect(trialOf({ repo: 'a', enableOCI: true })).toEqual({ repo: 'a', enableOci: true })
})
