// SPDX-License-Identifier: Apache-2.0

import { type Application, call } from '../api'
import { requestOf, type SyncChoice } from './choice'
import { controlNamespace, type Target } from './target'

// What is asked of the server. Each throws an ApiError.

/** The right to do something with an application, as policies write it. */
export function rightOf(app: Application, action: string): string {
  const namespace = app.metadata?.namespace ?? ''
  const within = namespace && namespace !== controlNamespace() ? `${namespace}/` : ''
  return `applications, ${action}, ${app.spec?.project || 'default'}/${within}${app.metadata?.name ?? ''}`
}

export function getApplication(target: Target, signal?: AbortSignal): Promise<Application> {
  return call(
    'get',
    '/api/v1/applications/{name}',
    { path: { name: target.name }, query: { appNamespace: target.namespace } },
    signal,
  )
}

export function refresh(target: Target, hard: boolean): Promise<Application> {
  return call('get', '/api/v1/applications/{name}', {
    path: { name: target.name },
    query: { appNamespace: target.namespace, refresh: hard ? 'hard' : 'normal' },
  })
}

export function sync(target: Target, choice: SyncChoice, app: Application): Promise<Application> {
  return call('post', '/api/v1/applications/{name}/sync', { path: { name: target.name }, body: requestOf(choice, app) })
}

export async function terminate(target: Target) {
  await call('delete', '/api/v1/applications/{name}/operation', {
    path: { name: target.name },
    query: { appNamespace: target.namespace },
  })
}

export async function hold(target: Target, reason: string, until: string | undefined) {
  await call('put', '/api/bowline/v1/applications/{name}/hold', {
    path: { name: target.name },
    body: { name: target.name, appNamespace: target.namespace, reason, until },
  })
}

export async function release(target: Target) {
  await call('delete', '/api/bowline/v1/applications/{name}/hold', {
    path: { name: target.name },
    query: { appNamespace: target.namespace },
  })
}

export async function approve(target: Target, digest: string) {
  await call('post', '/api/bowline/v1/applications/{name}/approve', {
    path: { name: target.name },
    body: { name: target.name, appNamespace: target.namespace, digest },
  })
}

/** How much goes with an application that is deleted. */
export type Cascade = 'foreground' | 'background' | 'none'

export async function remove(target: Target, cascade: Cascade) {
  await call('delete', '/api/v1/applications/{name}', {
    path: { name: target.name },
    query: {
      appNamespace: target.namespace,
      // Left out of the query it would be true: false is said as a text.
      ...(cascade === 'none' ? { cascade: 'false' as unknown as boolean } : { propagationPolicy: cascade }),
    },
  })
}

/** Lets a deletion go on that waits for a person: objects with Delete=confirm. */
export async function confirmDeletion(target: Target, now: Date) {
  const patch = { metadata: { annotations: { 'argocd.argoproj.io/deletion-approved': now.toISOString() } } }
  await call('patch', '/api/v1/applications/{name}', {
    path: { name: target.name },
    body: { name: target.name, appNamespace: target.namespace, patch: JSON.stringify(patch), patchType: 'merge' },
  })
}

export function rollback(target: Target, id: number, prune: boolean): Promise<Application> {
  return call('post', '/api/v1/applications/{name}/rollback', {
    path: { name: target.name },
    body: { name: target.name, appNamespace: target.namespace, id, prune },
  })
}

/** Whether a sync by hand may begin now, and which windows stand in the way. */
export function windows(target: Target, signal?: AbortSignal) {
  return call(
    'get',
    '/api/v1/applications/{name}/syncwindows',
    { path: { name: target.name }, query: { appNamespace: target.namespace } },
    signal,
  )
}
