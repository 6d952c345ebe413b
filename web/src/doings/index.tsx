// SPDX-License-Identifier: Apache-2.0

import './doings.css'
import { present } from '../shell/overlay'
import { RefreshManyDialog, refreshOne } from './refresh'
import { SyncDialog } from './sync'
import { SyncManyDialog } from './syncmany'
import type { Target } from './target'

export { Doings } from './doings'
export { History } from './history'
export { PlanView } from './planview'

/** An object as a sync names it. */
export interface Wanted {
  group?: string | undefined
  kind: string
  namespace?: string | undefined
  name: string
}

/** Opens the dialog for a sync of one or many applications; with resources, of only these objects of the one. */
export function openSync({ applications, resources }: { applications: Target[]; resources?: Wanted[] | undefined }) {
  const [first] = applications
  if (!first) return
  const named = resources?.map(
    (one) => `${one.group ?? ''}:${one.kind}:${one.namespace ? `${one.namespace}/` : ''}${one.name}`,
  )
  present((close) =>
    applications.length === 1 ? (
      <SyncDialog target={first} resources={named} onClose={close} />
    ) : (
      <SyncManyDialog targets={applications} onClose={close} />
    ),
  )
}

/** Compares one application now, or opens the dialog for many. */
export function openRefresh({ applications }: { applications: Target[] }) {
  const [first] = applications
  if (!first) return
  if (applications.length === 1) void refreshOne(first, false)
  else present((close) => <RefreshManyDialog targets={applications} onClose={close} />)
}
