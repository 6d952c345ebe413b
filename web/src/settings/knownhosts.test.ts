// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { base64, hostKeysOf, hostPattern, pemProblem } from './knownhosts'

test('lines of ssh-keyscan are one key for each name', () => {
  const text =
    '# git.example.com:22 SSH-2.0\n\ngit.example.com,10.0.0.1 ssh-ed25519 AAAAC3Nz a comment\n[git.example.com]:2222 ssh-rsa AAAAB3==\n'
  const { keys, problem } = hostKeysOf(text)
  expect(problem).toBeUndefined()
  expect(keys.map((k) => [k.serverName, k.certType, k.certSubType, atob(k.certData ?? '')])).toEqual([
    ['git.example.com', 'ssh', 'ssh-ed25519', 'AAAAC3Nz'],
    ['10.0.0.1', 'ssh', 'ssh-ed25519', 'AAAAC3Nz'],
    ['[git.example.com]:2222', 'ssh', 'ssh-rsa', 'AAAAB3=='],
  ])
})

test('a line that cannot be taken is named', () => {
  expect(hostKeysOf('a ssh-rsa AAAA\n|1|x=|y= ssh-rsa AAAA').problem).toMatch(/^Line 2: its name is hashed/)
  expect(hostKeysOf('@revoked a ssh-rsa AAAA').problem).toMatch(/^Line 1: it is marked @revoked/)
  expect(hostKeysOf('a ssh-rsa').problem).toMatch(/^Line 1: a host, a type/)
  expect(hostKeysOf('a ssh-rsa no!key').problem).toBe('Line 1: its third word is no key')
  expect(hostKeysOf('# nothing\n')).toEqual({ keys: [], problem: undefined })
})

test('certificates are in PEM, without a private key', () => {
  const one = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'
  expect(pemProblem(one)).toBeUndefined()
  expect(pemProblem(' ')).toBeUndefined()
  expect(pemProblem('MIIB')).toMatch(/No certificate in PEM/)
  expect(pemProblem(`${one}-----BEGIN EC PRIVATE KEY-----\nx\n-----END EC PRIVATE KEY-----`)).toMatch(/private key/)
})

test('a name is a pattern of itself only', () => {
  expect(hostPattern('[git.example.com]:2222')).toBe('[git.example.com]:2222')
  expect(hostPattern('*.example.com')).toBe('\\*.example.com')
})

test('texts are carried as bytes in base64', () => {
  expect(base64('CN=Zürich')).toBe('Q049WsO8cmljaA==')
})
