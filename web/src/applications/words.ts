// SPDX-License-Identifier: Apache-2.0

import type { Row } from '../api'
import { lookOf, type StatusKind } from '../kit'
import type { Facet } from './question'

/** A value of a facet in words for people. */
export function valueWord(facet: Facet | undefined, value: string): string {
  if (facet === 'attention') return attentionWord(value)
  if (facet === 'health' || facet === 'sync' || facet === 'operation') return lookOf(facet, value).word
  if (facet === 'repos') return shortRepo(value)
  return value
}

/** What an application asks for, in one word. */
export function attentionWord(value: string): string {
  return value === 'waiting' ? 'Waiting' : lookOf('attention', value).word
}

/** The kinds of status among the facets. */
export function statusOf(facet: string): StatusKind | undefined {
  return facet === 'attention' || facet === 'health' || facet === 'sync' || facet === 'operation' ? facet : undefined
}

/** The end of a repository's address that tells it from others: owner and name. */
export function shortRepo(url: string): string {
  const parts = url
    .replace(/^[a-z+]+:\/\//, '')
    .replace(/^[^/@]*@/, '')
    .replace(/\.git\/?$/, '')
    .split(/[/:]/)
    .filter(Boolean)
  return parts.slice(-2).join('/')
}

/** Why an application is as it is; for one that is fine, how its last operation ended. */
export function why(row: Row): string {
  if (row.why) return row.why
  if (row.operation === 'Succeeded') return 'Last sync succeeded'
  if (row.operation) return `Last sync: ${lookOf('operation', row.operation).word.toLowerCase()}`
  return row.attention === 'fine' ? 'In sync without having been synced here' : ''
}

/** Where an application's desired state is: repository and path or chart, and how many more sources there are. */
export function sourceWords(row: Row): { text: string; title: string } {
  const path = row.path && row.path !== '.' ? row.path : ''
  const text = [row.repo && shortRepo(row.repo), path].filter(Boolean).join(' · ')
  const more = row.sources > 1 ? `, and ${row.sources - 1} more` : ''
  return { text: (text || 'No source') + more, title: [row.repo, path].filter(Boolean).join(' ') + more }
}

/** Whether something is wrong, in a line: the strip says what. "" where there is nothing. */
export function verdict(attention: Record<string, number>, all: number): string {
  const of = (name: string) => attention[name] ?? 0
  const wrong = of('broken') + of('waiting') + of('stale') + of('drifting')
  if (all === 0) return ''
  if (wrong > 0) return `${count(wrong)} of ${count(all)} ${wrong === 1 ? 'needs' : 'need'} a look`
  if (of('working') > 0) return `Nothing is wrong, ${count(of('working'))} at work`
  return all === 1 ? 'Nothing is wrong' : `Nothing is wrong: all ${count(all)} are fine`
}

const counts = new Intl.NumberFormat()

/** A number for people. */
export function count(n: number): string {
  return counts.format(n)
}

/** Compares values of a facet for showing: known ones in their order, others by name. */
export function valueOrder(facet: Facet): string[] {
  switch (facet) {
    case 'attention':
      return ['broken', 'waiting', 'stale', 'drifting', 'working', 'fine']
    case 'health':
      return ['Degraded', 'Missing', 'Unknown', 'Suspended', 'Progressing', 'Healthy']
    case 'sync':
      return ['OutOfSync', 'Unknown', 'Synced']
    case 'operation':
      return ['Running', 'Terminating', 'Failed', 'Error', 'Succeeded']
    case 'autoSync':
      return ['on', 'off']
    default:
      return []
  }
}
