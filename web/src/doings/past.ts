// SPDX-License-Identifier: Apache-2.0

import type { Application } from '../api'

type Entry = NonNullable<NonNullable<NonNullable<Application['status']>['history']>[number]>
type Source = NonNullable<Entry['source']>

/** A deployment of the past, as the timeline shows it. */
export interface Deployment {
  id: number
  at: string
  /** How long it took in milliseconds; undefined if that was not noted. */
  took: number | undefined
  by: string
  automated: boolean
  /** The sources with the revisions they were deployed at. */
  sources: { source: Source; revision: string; index: number }[]
  /** What the spec said otherwise than at the deployment before, such as "path: a → b". */
  changes: string[]
  /** The same revisions and sources as the deployment before. */
  again: boolean
  newest: boolean
}

/** The deployments of an application, newest first. */
export function pastOf(app: Application): Deployment[] {
  const entries = (app.status?.history ?? []).filter((entry): entry is Entry => Boolean(entry))
  const out = entries.map((entry, at) => deploymentOf(entry, entries[at - 1], at === entries.length - 1))
  return out.reverse()
}

function deploymentOf(entry: Entry, before: Entry | undefined, newest: boolean): Deployment {
  const started = Date.parse(entry.deployStartedAt ?? '')
  const ended = Date.parse(entry.deployedAt ?? '')
  const sources = sourcesOf(entry)
  const changes = before ? changesOf(sourcesOf(before), sources) : []
  const revisions = (all: Deployment['sources']) => all.map((one) => one.revision).join(' ')
  return {
    id: entry.id ?? 0,
    at: entry.deployedAt ?? '',
    took: ended >= started ? ended - started : undefined,
    by: entry.initiatedBy?.username ?? '',
    automated: entry.initiatedBy?.automated ?? false,
    sources,
    changes,
    again: Boolean(before) && changes.length === 0 && revisions(sourcesOf(before as Entry)) === revisions(sources),
    newest,
  }
}

function sourcesOf(entry: Entry): Deployment['sources'] {
  const several = (entry.sources ?? []).length > 0
  const sources = several ? (entry.sources ?? []) : [entry.source ?? {}]
  return sources.map((source, index) => ({
    source,
    index,
    revision: (several ? entry.revisions?.[index] : entry.revision) ?? '',
  }))
}

/** What sources say otherwise than before, field by field. */
function changesOf(before: Deployment['sources'], after: Deployment['sources']): string[] {
  const out: string[] = []
  for (let at = 0; at < Math.max(before.length, after.length); at++) {
    const where = after.length > 1 || before.length > 1 ? `source ${at + 1}: ` : ''
    const was = leaves(before[at]?.source)
    const is = leaves(after[at]?.source)
    if (!after[at]) out.push(`${where}taken out`)
    else if (!before[at]) out.push(`${where}added, ${after[at]?.source.repoURL ?? ''}`)
    else out.push(...differing(was, is).map((text) => where + text))
  }
  return out
}

function differing(was: Map<string, string>, is: Map<string, string>): string[] {
  const names = [...new Set([...was.keys(), ...is.keys()])].sort()
  return names
    .filter((name) => was.get(name) !== is.get(name))
    .map((name) => `${name}: ${was.get(name) ?? 'not set'} → ${is.get(name) ?? 'not set'}`)
}

/** The values of a source by their path, such as helm.parameters[0].value. */
function leaves(value: unknown, path = '', into = new Map<string, string>()): Map<string, string> {
  if (Array.isArray(value)) {
    for (const [at, one] of value.entries()) leaves(one, `${path}[${at}]`, into)
  } else if (value && typeof value === 'object') {
    for (const [name, one] of Object.entries(value)) leaves(one, path ? `${path}.${name}` : name, into)
  } else if (value !== undefined && value !== null && value !== '' && value !== false) into.set(path, String(value))
  return into
}

/** How many of a long history are shown before somebody asks for all. */
export const unfolded = 10

/** What of a history is shown: the newest, and what is chosen for a comparison however old it is. The rest folds. */
export function fold(past: Deployment[], all: boolean, chosen: number[] = []): { shown: Deployment[]; folded: number } {
  if (all || past.length <= unfolded + 2) return { shown: past, folded: 0 }
  const shown = past.filter((one, at) => at < unfolded || chosen.includes(one.id))
  return { shown, folded: past.length - shown.length }
}

/** Two chosen deployments after one more was clicked: a third takes the place of the one chosen first. */
export function choose(chosen: number[], id: number): number[] {
  if (chosen.includes(id)) return chosen.filter((one) => one !== id)
  return [...chosen, id].slice(-2)
}

/** The sides of a comparison, the older first; to is undefined for what the source says now. */
export function sidesOf(chosen: number[]): { from: number; to: number | undefined } | undefined {
  const [one, two] = [...chosen].sort((a, b) => a - b)
  return one === undefined ? undefined : { from: one, to: two }
}

/** The deployment to go back to if nobody says which: the newest that is neither of the newest's revisions nor a repetition of it. */
export function formerOf(past: Deployment[]): Deployment | undefined {
  const [newest, ...rest] = past
  const key = (one: Deployment) => JSON.stringify(one.sources)
  return newest && rest.find((one) => key(one) !== key(newest))
}

/** What to type to go back. */
export function rollbackCli(name: string, id: number, prune: boolean): string[] {
  return ['app', 'rollback', name, String(id), ...(prune ? ['--prune'] : []), '--async']
}
