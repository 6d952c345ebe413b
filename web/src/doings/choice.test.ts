// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import type { Application } from '../api'
import { cliOf, plainChoice, planQueryOf, requestOf, resourceOf, type SyncChoice } from './choice'

const app: Application = {
  metadata: { name: 'web', namespace: 'argocd' },
  spec: { source: { repoURL: 'x' }, syncPolicy: { syncOptions: ['CreateNamespace=true', 'Replace=false'] } },
}
const twofold: Application = { ...app, spec: { sources: [{ repoURL: 'x' }, { repoURL: 'y' }] } }

const chosen = (some: Partial<SyncChoice>): SyncChoice => ({ ...plainChoice(), ...some })
const flags = (some: Partial<SyncChoice>) => cliOf(chosen(some), ['web']).slice(3, -1).join(' ')

test.each<[Partial<SyncChoice>, string]>([
  [{}, ''],
  [{ prune: true }, '--prune'],
  [{ dryRun: true }, '--dry-run'],
  [{ applyOnly: true }, '--strategy apply'],
  [{ force: true }, '--force'],
  [{ replace: true }, '--replace'],
  [{ serverSide: true }, '--server-side'],
  [{ outOfSyncOnly: true }, '--apply-out-of-sync-only'],
  [{ revision: ' v2 ' }, '--revision v2'],
  [{ revisions: ['', 'v3'] }, '--source-positions 2 --revisions v3'],
  [
    { resources: ['apps:Deployment:shop/web', ':Service:web'] },
    '--resource apps:Deployment:shop/web --resource :Service:web',
  ],
  [{ override: 'shop is down' }, '--override-window shop is down'],
  [{ retry: { ...plainChoice().retry, by: 'here', limit: 4 } }, '--retry-limit 4'],
  [
    { retry: { by: 'here', limit: -1, duration: '10s', factor: 3, maxDuration: '5m', refresh: true } },
    '--retry-limit -1 --retry-backoff-duration 10s --retry-backoff-factor 3 --retry-backoff-max-duration 5m --retry-refresh',
  ],
])('the command line for %j is %s', (some, want) => {
  expect(flags(some)).toBe(want)
})

test('many applications are one command, which does not wait: the page does not either', () => {
  expect(cliOf(plainChoice(), ['web', 'team-a/api'])).toEqual(['app', 'sync', 'web', 'team-a/api', '--async'])
})

test('options of the application stay when others are added, and those of the same name give way', () => {
  expect(requestOf(chosen({ replace: true }), app).syncOptions?.items).toEqual(['CreateNamespace=true', 'Replace=true'])
  expect(planQueryOf(chosen({ replace: true }), app).syncOptions).toEqual(['CreateNamespace=true', 'Replace=true'])
  expect(requestOf(plainChoice(), app).syncOptions).toBeUndefined()
})

test('a sync without choices asks for nothing out of the ordinary', () => {
  expect(requestOf(plainChoice(), app)).toEqual({
    appNamespace: 'argocd',
    prune: false,
    dryRun: false,
    strategy: { hook: { force: false } },
  })
  expect(planQueryOf(plainChoice(), app).byHand).toBe(true)
})

test('everything that is chosen is sent', () => {
  const request = requestOf(
    chosen({
      revision: 'v2',
      applyOnly: true,
      force: true,
      override: 'down',
      resources: ['apps:Deployment:shop/web'],
      retry: { by: 'here', limit: 3, duration: '1s', factor: 2, maxDuration: '1m', refresh: true },
    }),
    app,
  )
  expect(request.revision).toBe('v2')
  expect(request.strategy).toEqual({ apply: { force: true } })
  expect(request.infos).toEqual([{ name: 'bowline.dev/override-window', value: 'down' }])
  expect(request.resources).toEqual([{ group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'web' }])
  expect(request.retryStrategy).toEqual({
    limit: 3,
    refresh: true,
    backoff: { duration: '1s', factor: 2, maxDuration: '1m' },
  })
})

test('revisions of several sources go by position, and the plan gets one for each', () => {
  const choice = chosen({ revision: 'ignored', revisions: ['', 'v3'] })
  expect(requestOf(choice, twofold)).toMatchObject({ sourcePositions: [2], revisions: ['v3'] })
  expect(requestOf(choice, twofold).revision).toBeUndefined()
  expect(planQueryOf(choice, twofold)).toMatchObject({ revisions: ['', 'v3'], revision: undefined })
})

test('names of objects may have colons', () => {
  expect(resourceOf('rbac.x:Role:shop/system:view')).toEqual({
    group: 'rbac.x',
    kind: 'Role',
    namespace: 'shop',
    name: 'system:view',
  })
  expect(resourceOf(':Namespace:shop')).toEqual({ group: '', kind: 'Namespace', name: 'shop' })
})
