// SPDX-License-Identifier: Apache-2.0

import type { ComponentType } from 'preact'
import type { Application } from '../api'
import type { Tab } from '../kit'
import { chunk } from './chunk'

const views: Record<string, { label: string; view: ComponentType<object> }> = {
  tree: { label: 'Tree', view: chunk(() => import('./tree').then((m) => m.Tree)) },
  manifest: { label: 'Manifest', view: chunk(() => import('./manifest').then((m) => m.Manifest)) },
  events: { label: 'Events', view: chunk(() => import('./events').then((m) => m.Events)) },
}

export const tabs: Tab[] = Object.entries(views).map(([id, { label }]) => ({ id, label }))

/** Which tab is shown: the one of the address, or the one that the application's owners prefer. */
export function tabOf(asked: string | null, app: Application | undefined): string {
  if (asked && asked in views) return asked
  const preferred = app?.metadata?.annotations?.['pref.argocd.argoproj.io/default-view'] ?? ''
  return preferred in views ? preferred : (tabs[0]?.id ?? '')
}

export function View({ tab }: { tab: string }) {
  const Chosen = views[tab]?.view
  return Chosen ? <Chosen /> : null
}
