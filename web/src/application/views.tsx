// SPDX-License-Identifier: Apache-2.0

import type { ComponentType } from 'preact'
import type { Application, Row } from '../api'
import type { Tab } from '../kit'
import { chunk } from './chunk'

interface Shown {
  app: Application
  row: Row | undefined
}

const views: Record<string, { label: string; view: ComponentType<Shown> }> = {
  tree: { label: 'Tree', view: chunk(() => import('./tree').then((m) => m.Tree)) },
  list: { label: 'List', view: chunk(() => import('./list').then((m) => m.List)) },
  network: { label: 'Network', view: chunk(() => import('./network').then((m) => m.Network)) },
  pods: { label: 'Pods', view: chunk(() => import('./pods').then((m) => m.Pods)) },
  history: { label: 'History', view: chunk(() => import('../doings').then((m) => m.History)) },
  plan: { label: 'Plan', view: chunk(() => import('../doings').then((m) => m.PlanView)) },
  manifest: { label: 'Manifest', view: chunk(() => import('./manifest').then((m) => m.Manifest)) },
  events: { label: 'Events', view: chunk(() => import('./events').then((m) => m.Events)) },
  edit: { label: 'Edit', view: chunk(() => import('../edit').then((m) => m.Edit)) },
}

export const tabs: Tab[] = Object.entries(views).map(([id, { label }]) => ({ id, label }))

/** Which tab is shown: the one of the address, or the one that the application's owners prefer. */
export function tabOf(asked: string | null, app: Application | undefined): string {
  if (asked && Object.hasOwn(views, asked)) return asked
  const preferred = app?.metadata?.annotations?.['pref.argocd.argoproj.io/default-view'] ?? ''
  return Object.hasOwn(views, preferred) ? preferred : (tabs[0]?.id ?? '')
}

/** The view of a tab. */
export function View({ tab, ...shown }: Shown & { tab: string }) {
  const Chosen = views[tab]?.view
  return Chosen ? <Chosen {...shown} /> : null
}
