// SPDX-License-Identifier: Apache-2.0

import type { ApiError } from '../api'
import { type Destination, items, type Project, type ProjectSpec } from './types'

/** A project that permits nothing yet. */
export function newProject(): Project {
  return { metadata: { name: '' }, spec: { sourceRepos: [], destinations: [] } }
}

/** A copy of a project with other rules. */
export function withSpec(project: Project, change: Partial<ProjectSpec>): Project {
  return { ...project, spec: { ...project.spec, ...change } }
}

/** What the server says of a field: its error, if that is where it is. Path is below spec, such as destinations[2]. */
export function errorAt(error: ApiError | undefined, path: string): string | undefined {
  const where = error?.where ?? ''
  const full = `spec.${path}`
  return where === full || where.startsWith(`${full}.`) || where.startsWith(`${full}[`) ? error?.message : undefined
}

/** Whether an update was refused because somebody else wrote the project since it was read. */
export function isConflict(error: ApiError | undefined): boolean {
  return error?.where === 'metadata.resourceVersion'
}

/**
 * The rules that somebody edited, on top of what another wrote meanwhile: what only one of them changed is taken from that one. What
 * both changed is taken from the draft, and named.
 */
export function merged(base: Project, draft: Project, theirs: Project): { project: Project; both: string[] } {
  const spec: Record<string, unknown> = { ...theirs.spec }
  const both: string[] = []
  const was = (base.spec ?? {}) as Record<string, unknown>
  const mine = (draft.spec ?? {}) as Record<string, unknown>
  for (const key of new Set([...Object.keys(was), ...Object.keys(mine)])) {
    if (same(was[key], mine[key])) continue
    if (!same(was[key], spec[key]) && !same(mine[key], spec[key])) both.push(key)
    spec[key] = mine[key]
  }
  return { project: { ...theirs, spec: spec as ProjectSpec }, both }
}

export const same = (a: unknown, b: unknown) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null)

/** What is wrong with a destination; undefined if nothing is. */
export function destinationProblem(d: Destination): string | undefined {
  if (!d.server && !d.name) return 'Name a cluster by its server or its name; * is any'
  if (!d.namespace) return 'Name a namespace; * is any'
  return undefined
}

/** What to type on the command line for the change from one set of rules to another; empty if nothing changed. */
export function projectCommands(before: Project, after: Project): string[][] {
  const name = after.metadata?.name ?? ''
  const from = before.spec ?? {}
  const to = after.spec ?? {}
  const out: string[][] = []
  const lists: [string, string[][], string[][]][] = [
    ['source', texts(from.sourceRepos), texts(to.sourceRepos)],
    ['destination', places(from.destinations), places(to.destinations)],
    ['source-namespace', texts(from.sourceNamespaces), texts(to.sourceNamespaces)],
    [
      'signature-key',
      items(from.signatureKeys).map((k) => [k.keyID ?? '']),
      items(to.signatureKeys).map((k) => [k.keyID ?? '']),
    ],
  ]
  if ((from.description ?? '') !== (to.description ?? '')) {
    out.push(['proj', 'set', name, '--description', to.description ?? ''])
  }
  for (const [noun, was, now] of lists) {
    for (const one of now) if (!was.some((o) => same(o, one))) out.push(['proj', `add-${noun}`, name, ...one])
    for (const one of was) if (!now.some((o) => same(o, one))) out.push(['proj', `remove-${noun}`, name, ...bare(one)])
  }
  if (out.length === 0 && !same(from, to)) out.push(['proj', 'edit', name])
  return out
}

const texts = (list: string[] | null | undefined) => items(list).map((text) => [text])
const bare = (words: string[]) => words.filter((word) => word !== '--name')

function places(list: Destination[] | null | undefined): string[][] {
  return items(list).map((d) =>
    d.server ? [d.server, d.namespace ?? ''] : [d.name ?? '', d.namespace ?? '', '--name'],
  )
}
