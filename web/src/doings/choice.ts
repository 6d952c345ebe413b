// SPDX-License-Identifier: Apache-2.0

import type { Application } from '../api'
import type { components } from '../api/schema'

type Schemas = components['schemas']
export type SyncRequest = Schemas['rpc.application.ApplicationSyncRequest']

/** What a person chooses for a sync. The zero values are what the application says of itself. */
export interface SyncChoice {
  /** Instead of the target revision of the only source. */
  revision: string
  /** Instead of the target revisions of several sources, by position; "" leaves one as it is. */
  revisions: string[]
  prune: boolean
  dryRun: boolean
  applyOnly: boolean
  force: boolean
  replace: boolean
  serverSide: boolean
  outOfSyncOnly: boolean
  retry: RetryChoice
  /** GROUP:KIND:NAME or GROUP:KIND:NAMESPACE/NAME; none is everything. */
  resources: string[]
  /** Why closed sync windows are passed; "" passes none. */
  override: string
}

/** How often a sync that failed is tried again. */
export interface RetryChoice {
  by: 'application' | 'here'
  limit: number
  duration: string
  factor: number
  maxDuration: string
  refresh: boolean
}

/** A sync as the application says of itself. */
export function plainChoice(resources: string[] = []): SyncChoice {
  return {
    revision: '',
    revisions: [],
    prune: false,
    dryRun: false,
    applyOnly: false,
    force: false,
    replace: false,
    serverSide: false,
    outOfSyncOnly: false,
    retry: { by: 'application', limit: 2, duration: '5s', factor: 2, maxDuration: '3m', refresh: false },
    resources,
    override: '',
  }
}

/** The name under which the reason for passing closed windows goes into the record of an operation. */
const overrideInfo = 'bowline.dev/override-window'

/**
 * The sync options that are sent; undefined leaves those of the application. What is sent stands in for all of the application's, so
 * these are named again.
 */
function optionsOf(choice: SyncChoice, own: string[]): string[] | undefined {
  const added = [
    choice.outOfSyncOnly && 'ApplyOutOfSyncOnly=true',
    choice.replace && 'Replace=true',
    choice.serverSide && 'ServerSideApply=true',
  ].filter((option) => typeof option === 'string')
  if (added.length === 0) return undefined
  const names = new Set(added.map((option) => option.split('=')[0]))
  return [...own.filter((option) => !names.has(option.split('=')[0])), ...added]
}

/** The positions, counted from 1, and revisions that are chosen for several sources. */
function positionsOf(choice: SyncChoice): [number, string][] {
  return choice.revisions.flatMap((revision, at): [number, string][] =>
    revision.trim() ? [[at + 1, revision.trim()]] : [],
  )
}

/** What GROUP:KIND:NAMESPACE/NAME names. */
export function resourceOf(text: string): Schemas['argoproj.v1alpha1.SyncOperationResource'] {
  const [group = '', kind = '', ...rest] = text.split(':')
  const name = rest.join(':')
  const cut = name.indexOf('/')
  return cut < 0 ? { group, kind, name } : { group, kind, namespace: name.slice(0, cut), name: name.slice(cut + 1) }
}

/** The body of the call that asks for the sync. */
export function requestOf(choice: SyncChoice, app: Application): SyncRequest {
  const request: SyncRequest = { appNamespace: app.metadata?.namespace, prune: choice.prune, dryRun: choice.dryRun }
  const positions = positionsOf(choice)
  if (several(app)) {
    if (positions.length > 0) {
      request.sourcePositions = positions.map(([at]) => at)
      request.revisions = positions.map(([, revision]) => revision)
    }
  } else if (choice.revision.trim()) {
    request.revision = choice.revision.trim()
  }
  request.strategy = choice.applyOnly ? { apply: { force: choice.force } } : { hook: { force: choice.force } }
  const items = optionsOf(choice, app.spec?.syncPolicy?.syncOptions ?? [])
  if (items) request.syncOptions = { items }
  if (choice.resources.length > 0) request.resources = choice.resources.map(resourceOf)
  if (choice.override.trim()) request.infos = [{ name: overrideInfo, value: choice.override.trim() }]
  if (choice.retry.by === 'here') {
    const { limit, duration, factor, maxDuration, refresh } = choice.retry
    request.retryStrategy = { limit, refresh, backoff: { duration, factor, maxDuration } }
  }
  return request
}

/** Whether an application has a list of sources. */
export function several(app: Application): boolean {
  return (app.spec?.sources ?? []).length > 0
}

/** The query of the plan of that sync. */
export function planQueryOf(choice: SyncChoice, app: Application) {
  const all = choice.revisions.some((revision) => revision.trim())
  return {
    appNamespace: app.metadata?.namespace,
    byHand: true,
    prune: choice.prune,
    revision: several(app) ? undefined : choice.revision.trim() || undefined,
    revisions:
      several(app) && all ? (app.spec?.sources ?? []).map((_, at) => choice.revisions[at]?.trim() ?? '') : undefined,
    resources: choice.resources,
    applyOnly: choice.applyOnly,
    force: choice.force,
    syncOptions: optionsOf(choice, app.spec?.syncPolicy?.syncOptions ?? []),
  }
}

/** What to type for that sync of the applications with these names. */
export function cliOf(choice: SyncChoice, names: string[]): string[] {
  const words = ['app', 'sync', ...names]
  const flag = (on: boolean, name: string) => on && words.push(name)
  const option = (name: string, value: string) => words.push(name, value)
  if (choice.revision.trim()) option('--revision', choice.revision.trim())
  for (const [position, revision] of positionsOf(choice)) {
    option('--source-positions', String(position))
    option('--revisions', revision)
  }
  flag(choice.prune, '--prune')
  flag(choice.dryRun, '--dry-run')
  flag(choice.outOfSyncOnly, '--apply-out-of-sync-only')
  if (choice.applyOnly) option('--strategy', 'apply')
  flag(choice.force, '--force')
  flag(choice.replace, '--replace')
  flag(choice.serverSide, '--server-side')
  if (choice.retry.by === 'here') words.push(...retryFlags(choice.retry))
  for (const resource of choice.resources) option('--resource', resource)
  if (choice.override.trim()) option('--override-window', choice.override.trim())
  flag(true, '--async')
  return words
}

function retryFlags(retry: RetryChoice): string[] {
  const usual = plainChoice().retry
  const words = ['--retry-limit', String(retry.limit)]
  if (retry.duration !== usual.duration) words.push('--retry-backoff-duration', retry.duration)
  if (retry.factor !== usual.factor) words.push('--retry-backoff-factor', String(retry.factor))
  if (retry.maxDuration !== usual.maxDuration) words.push('--retry-backoff-max-duration', retry.maxDuration)
  if (retry.refresh) words.push('--retry-refresh')
  return words
}
