// SPDX-License-Identifier: Apache-2.0

import type { Certificate } from './types'

// Lines as ssh-keyscan prints them: sshd(8), SSH_KNOWN_HOSTS FILE FORMAT.

/** What is in a text of host keys: one entry for each name, and what is wrong with the first line that cannot be taken. */
export interface HostKeys {
  keys: Certificate[]
  problem: string | undefined
}

/** Reads host keys. Comments and blank lines are nothing. */
export function hostKeysOf(text: string): HostKeys {
  const keys: Certificate[] = []
  for (const [at, line] of text.split('\n').entries()) {
    const words = line.trim().split(/\s+/)
    if (words[0] === '' || words[0]?.startsWith('#')) continue
    const problem = lineProblem(words)
    if (problem) return { keys, problem: `Line ${at + 1}: ${problem}` }
    const [hosts = '', type = '', key = ''] = words
    for (const host of hosts.split(',')) {
      keys.push({ serverName: host, certType: 'ssh', certSubType: type, certData: base64(key) })
    }
  }
  return { keys, problem: undefined }
}

function lineProblem([hosts = '', type, key]: string[]): string | undefined {
  if (hosts.startsWith('@')) return `it is marked ${hosts}: leave it out`
  if (hosts.startsWith('|'))
    return 'its name is hashed, so nobody knows which server it is: make it anew with ssh-keyscan'
  if (!type || !key) return 'a host, a type such as ssh-ed25519 and a key are needed, with blanks between them'
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(key)) return 'its third word is no key'
  return undefined
}

/** What is wrong with a text of certificates, as far as the page can tell. */
export function pemProblem(text: string): string | undefined {
  if (text.trim() === '') return undefined
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) return 'There is a private key in it: give certificates only'
  if (!/-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----/.test(text)) {
    return 'No certificate in PEM is in it: it begins with -----BEGIN CERTIFICATE-----'
  }
  return undefined
}

/** A name as a pattern of the API that is about nothing else. The brackets of [host]:port are taken as they are there. */
export function hostPattern(name: string): string {
  return name.replace(/[\\*?]/g, '\\$&')
}

/** A text as the API carries bytes. */
export function base64(text: string): string {
  return btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(''))
}
