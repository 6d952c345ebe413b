// SPDX-License-Identifier: Apache-2.0

import type { Application } from '../api'

/** What the annotation says of a hold. */
export interface Hold {
  reason: string
  by: string
  since: string
  until: string
  /** The entry of the history that was brought back; undefined if none was. */
  history: number | undefined
}

const none = '0001-01-01T00:00:00Z'

/** The hold of an application; undefined if there is none. A value that is no JSON object is a hold with that text as its reason. */
export function holdOf(app: Application): Hold | undefined {
  const text = app.metadata?.annotations?.['bowline.dev/hold']
  if (text === undefined) return undefined
  const said = parsed(text)
  const word = (name: string) => (typeof said[name] === 'string' && said[name] !== none ? (said[name] as string) : '')
  return {
    reason: word('reason'),
    by: word('by'),
    since: word('since'),
    until: word('until'),
    history: typeof said.history === 'number' ? said.history : undefined,
  }
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (value && typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // a person wrote why, and nothing else
  }
  return { reason: text }
}

/** Whether automated sync is on. */
export function automated(app: Application): boolean {
  const policy = app.spec?.syncPolicy?.automated
  return Boolean(policy) && policy?.enabled !== false
}

/** Whether an operation is asked for, runs, or waits for its next try. */
export function running(app: Application): boolean {
  const phase = app.status?.operationState?.phase
  return Boolean(app.operation) || phase === 'Running' || phase === 'Terminating'
}

/** Whether deletions of a sync wait for an approval: they are noted with their time, and nobody approved anything since. */
export function awaitsApproval(app: Application): boolean {
  const note = app.metadata?.annotations?.['bowline.dev/deletion-plan']
  if (!note) return false
  const noted = Date.parse(note.split(' ')[1] ?? '')
  const approved = Date.parse(app.metadata?.annotations?.['argocd.argoproj.io/deletion-approved'] ?? '')
  return !(approved >= noted)
}

/** Whether the deletion of the application itself waits for a person: an object of it says Delete=confirm. */
export function awaitsConfirmation(app: Application): boolean {
  if (!app.metadata?.deletionTimestamp) return false
  const conditions = app.status?.conditions ?? []
  return conditions.some((one) => one.type === 'DeletionError' && (one.message ?? '').includes('deletion-approved'))
}

/** How long a hold lasts, as one chooses it: the words of the command line, and "" for without end. */
export const spans: { value: string; label: string; ms: number }[] = [
  { value: '', label: 'Until it is ended', ms: 0 },
  { value: '1h', label: '1 hour', ms: 3_600_000 },
  { value: '4h', label: '4 hours', ms: 4 * 3_600_000 },
  { value: '24h', label: '1 day', ms: 24 * 3_600_000 },
  { value: '72h', label: '3 days', ms: 72 * 3_600_000 },
  { value: '168h', label: '1 week', ms: 168 * 3_600_000 },
]

/** When a hold of a length ends that begins now; undefined is never. */
export function untilOf(span: string, now: number): string | undefined {
  const ms = spans.find((one) => one.value === span)?.ms ?? 0
  return ms > 0 ? new Date(now + ms).toISOString() : undefined
}

/** What to type for a hold. */
export function holdCli(name: string, reason: string, span: string): string[] {
  const words = ['app', 'hold', name]
  if (reason.trim()) words.push('--reason', reason.trim())
  if (span) words.push('--until', span)
  return words
}

/** What to type to delete an application. */
export function removeCli(name: string, cascade: 'foreground' | 'background' | 'none'): string[] {
  if (cascade === 'none') return ['app', 'delete', name, '--cascade=false']
  return cascade === 'foreground'
    ? ['app', 'delete', name]
    : ['app', 'delete', name, '--propagation-policy', 'background']
}
