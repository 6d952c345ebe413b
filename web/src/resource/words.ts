// SPDX-License-Identifier: Apache-2.0

import type { Node } from '../api'

export interface Mark {
  word: string
  tone: 'warn' | 'wait' | 'dim'
  title: string
}

/** What is out of the ordinary about an object, in words. */
export function marksOf(node: Node): Mark[] {
  const out: Mark[] = []
  const put = (says: unknown, word: string, tone: Mark['tone'], title: string) => {
    if (says) out.push({ word, tone, title })
  }
  put(node.hook, 'Hook', 'dim', 'It runs as a step of a sync')
  put(node.wave, `Wave ${node.wave}`, 'dim', 'When a sync applies it: lower waves first')
  put(node.prune, 'No longer wanted', 'warn', 'The source does not have it any more: a sync with prune deletes it')
  put(node.confirm, 'Deletion waits', 'wait', 'Somebody has to approve that it is deleted')
  put(node.orphan, 'Orphan', 'warn', 'It belongs to no application')
  put(
    node.sharedWith,
    `Also in ${node.sharedWith}`,
    'warn',
    'Another application has it, too, and it counts as that one’s',
  )
  return out
}

/** Annotations that say nothing to people: they repeat the object, or are for machines. */
const machines = new Set(['kubectl.kubernetes.io/last-applied-configuration'])

type Pairs = [string, string][]

/** Labels and annotations of an object, by name. */
export function metadataOf(object: unknown): { labels: Pairs; annotations: Pairs } {
  const metadata = (object as { metadata?: { labels?: unknown; annotations?: unknown } } | undefined)?.metadata
  const pairs = (of: unknown): Pairs =>
    typeof of === 'object' && of !== null
      ? Object.entries(of)
          .map(([name, value]): [string, string] => [name, String(value)])
          .sort(([a], [b]) => a.localeCompare(b))
      : []
  return {
    labels: pairs(metadata?.labels),
    annotations: pairs(metadata?.annotations).filter(([name]) => !machines.has(name)),
  }
}

/** The name of an action for people: "restart" is "Restart", "create-job" is "Create job". */
export function actionWord(name: string, displayName: string | undefined): string {
  if (displayName) return displayName
  const words = name.replace(/[-_]+/g, ' ').trim()
  return words.charAt(0).toUpperCase() + words.slice(1)
}
