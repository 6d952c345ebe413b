// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks'
import { type ApiError, type Application, errorOf, type Row } from '../api'
import { Cli, ConfirmByName, Failure, Icon, SelectField, toast } from '../kit'
import { type Cascade, remove } from './asks'
import { removeCli } from './held'
import { qualified, type Target } from './target'

const ways: { value: Cascade; label: string }[] = [
  { value: 'foreground', label: 'Its objects too, dependents first (foreground)' },
  { value: 'background', label: 'Its objects too, dependents afterwards (background)' },
  { value: 'none', label: 'Only the Application: its objects stay (non-cascading)' },
]

/** Deletes an application, by its name. */
export function RemoveDialog({
  target,
  app,
  row,
  onClose,
}: {
  target: Target
  app: Application
  row: Row | undefined
  onClose: () => void
}) {
  const [cascade, setCascade] = useState<Cascade>('foreground')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<ApiError>()
  const start = async () => {
    setBusy(true)
    try {
      await remove(target, cascade)
      toast(`${target.name} is being deleted`)
      onClose()
    } catch (thrown) {
      setError(errorOf(thrown))
      setBusy(false)
    }
  }
  return (
    <ConfirmByName
      title={`Delete ${target.name}`}
      name={target.name}
      verb="Delete"
      busy={busy}
      onConfirm={start}
      onClose={onClose}
    >
      {error && <Failure error={error} doing={`delete ${target.name}`} />}
      <SelectField label="What goes" value={cascade} onChange={(way) => setCascade(way as Cascade)} options={ways} />
      <WhatGoes app={app} stays={cascade === 'none'} />
      {warningsOf(app, row, cascade !== 'none').map((text) => (
        <p key={text} class="plan-note">
          <Icon name="warning" />
          <span>{text}</span>
        </p>
      ))}
      <Cli command={removeCli(qualified(target), cascade)} />
    </ConfirmByName>
  )
}

function WhatGoes({ app, stays }: { app: Application; stays: boolean }) {
  const count = (app.status?.resources ?? []).length
  if (count === 0) return <p>The application has no objects that are known of.</p>
  if (stays) {
    return <p>Its {count} objects stay in the cluster, and nobody keeps them as the source says from then on.</p>
  }
  return (
    <p>
      <strong>{count === 1 ? 'One object' : `${count} objects`}</strong> of it in{' '}
      {app.spec?.destination?.namespace || 'the cluster'} {count === 1 ? 'is' : 'are'} deleted, with all that came of
      {count === 1 ? ' it' : ' them'}. There is no way back.
    </p>
  )
}

/** What somebody who deletes an application may not have thought of. */
export function warningsOf(app: Application, row: Row | undefined, cascades: boolean): string[] {
  const out: string[] = []
  const resources = app.status?.resources ?? []
  const count = (kind: string) => resources.filter((resource) => resource?.kind === kind).length
  const owner = row?.owner ?? ''
  if (owner.startsWith('ApplicationSet/')) {
    out.push(`The ${owner.replace('/', ' ')} made it, and makes it again unless that is changed first.`)
  } else if (owner) {
    out.push(`${owner.replace('/', ' ')} has it in its source, and makes it again unless it is taken out there.`)
  }
  if (!cascades) return out
  const children = count('Application')
  if (children > 0)
    out.push(
      `${children === 1 ? 'An Application is' : `${children} Applications are`} among its objects: their objects go too, as their finalizers say.`,
    )
  const sets = count('ApplicationSet')
  if (sets > 0)
    out.push(
      `${sets === 1 ? 'An ApplicationSet is' : `${sets} ApplicationSets are`} among its objects: the Applications they made go too.`,
    )
  const claims = count('PersistentVolumeClaim')
  if (claims > 0)
    out.push(
      `${claims === 1 ? 'A PersistentVolumeClaim is' : `${claims} PersistentVolumeClaims are`} among its objects: the data in them may be lost.`,
    )
  return out
}
