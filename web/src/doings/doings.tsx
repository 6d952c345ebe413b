// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks'
import type { Application, Row } from '../api'
import { Button, Cli, Dialog, Menu, type MenuItem, toast, toastError } from '../kit'
import { useQuery } from '../route/query'
import { ApproveDialog, ConfirmDeletion } from './approve'
import { terminate } from './asks'
import { automated, awaitsApproval, awaitsConfirmation, holdOf, running } from './held'
import { HoldDialog, ReleaseDialog } from './hold'
import { useDoingCommands } from './keys'
import { refreshCli, refreshOne } from './refresh'
import { RemoveDialog } from './remove'
import { SyncDialog } from './sync'
import { qualified, type Target } from './target'

type Opened = 'sync' | 'hold' | 'release' | 'approve' | 'confirm' | 'remove' | 'terminate'

/** What can be done with an application, for the one who looks at it: what they may not do is disabled, and says why. */
export function Doings({ row, app }: { row: Row | undefined; app: Application | undefined }) {
  const [opened, setOpened] = useState<Opened>()
  const [refreshing, setRefreshing] = useState(false)
  const { set } = useQuery()
  const target: Target = { namespace: app?.metadata?.namespace ?? '', name: app?.metadata?.name ?? '' }
  const may = new Set(row?.may ?? [])
  const refresh = async (hard: boolean) => {
    setRefreshing(true)
    await refreshOne(target, hard)
    setRefreshing(false)
  }
  const held = app && holdOf(app)
  useDoingCommands({
    name: target.name,
    may: [...may],
    running: app ? running(app) : false,
    held: Boolean(held),
    automated: app ? automated(app) : false,
    open: setOpened,
    refresh: () => void refresh(false),
  })
  if (!app) return null
  return (
    <div class="doings" role="toolbar" aria-label={`What to do with ${target.name}`}>
      <SyncButton row={row} app={app} may={may.has('sync')} onOpen={setOpened} />
      <Button icon="refresh" busy={refreshing} title="Compare with the source now" onClick={() => void refresh(false)}>
        Refresh
      </Button>
      <Button icon="history" onClick={() => set({ tab: 'history' }, true)}>
        History
      </Button>
      {held ? (
        <Button icon="play" disabled={!may.has('sync')} title={lacks(may, 'sync')} onClick={() => setOpened('release')}>
          Release
        </Button>
      ) : (
        automated(app) && (
          <Button icon="pause" disabled={!may.has('sync')} title={lacks(may, 'sync')} onClick={() => setOpened('hold')}>
            Hold
          </Button>
        )
      )}
      <Waiting app={app} may={may} onOpen={setOpened} />
      <Button
        icon="trash"
        disabled={!may.has('delete')}
        title={lacks(may, 'delete')}
        onClick={() => setOpened('remove')}
      >
        Delete
      </Button>
      <Menu
        label="More"
        icon="more"
        items={more(
          target,
          () => void refresh(true),
          () => set({ tab: 'plan' }, true),
          () => set({ tab: 'edit' }, true),
          may,
        )}
      />
      <Dialogs opened={opened} target={target} app={app} row={row} onClose={() => setOpened(undefined)} />
    </div>
  )
}

function more(target: Target, hard: () => void, plan: () => void, edit: () => void, may: Set<string>): MenuItem[] {
  return [
    { label: 'Hard refresh', icon: 'refresh', title: `bowline ${refreshCli(target, true).join(' ')}`, onSelect: hard },
    { label: 'Plan of the next sync', icon: 'tree', onSelect: plan },
    { label: 'Edit', icon: 'edit', disabled: !may.has('update'), title: lacks(may, 'update'), onSelect: edit },
  ]
}

/** Why something cannot be done, for who looks at the button; undefined if it can. */
function lacks(may: Set<string>, right: string): string | undefined {
  return may.has(right) ? undefined : `You have no right "${right}" on this application`
}

function SyncButton({
  row,
  app,
  may,
  onOpen,
}: {
  row: Row | undefined
  app: Application
  may: boolean
  onOpen: (what: Opened) => void
}) {
  // What waits for an approval is not mended by a sync.
  const out = row?.sync === 'OutOfSync' && !awaitsApproval(app)
  const title = may ? undefined : 'You have no right "sync" on this application'
  if (running(app)) {
    return (
      <Button icon="cross" disabled={!may} title={title} onClick={() => onOpen('terminate')}>
        Terminate
      </Button>
    )
  }
  return (
    <Button
      icon="sync"
      looks={out && may ? 'primary' : 'plain'}
      disabled={!may || Boolean(app.metadata?.deletionTimestamp)}
      title={title}
      onClick={() => onOpen('sync')}
    >
      Sync
    </Button>
  )
}

/** What waits for a person: deletions of a sync, or the deletion of the application itself. */
function Waiting({ app, may, onOpen }: { app: Application; may: Set<string>; onOpen: (what: Opened) => void }) {
  const stuck = awaitsConfirmation(app)
  if (!stuck && (app.metadata?.deletionTimestamp || !awaitsApproval(app))) return null
  return (
    <Button
      icon="hand"
      looks="primary"
      disabled={!may.has('update')}
      title={lacks(may, 'update')}
      onClick={() => onOpen(stuck ? 'confirm' : 'approve')}
    >
      Approve
    </Button>
  )
}

function Dialogs({
  opened,
  target,
  app,
  row,
  onClose,
}: {
  opened: Opened | undefined
  target: Target
  app: Application
  row: Row | undefined
  onClose: () => void
}) {
  const held = holdOf(app)
  switch (opened) {
    case 'sync':
      return <SyncDialog target={target} onClose={onClose} />
    case 'hold':
      return <HoldDialog target={target} onClose={onClose} />
    case 'release':
      return held ? <ReleaseDialog target={target} app={app} held={held} onClose={onClose} /> : null
    case 'approve':
      return <ApproveDialog target={target} onClose={onClose} />
    case 'confirm':
      return <ConfirmDeletion target={target} onClose={onClose} />
    case 'remove':
      return <RemoveDialog target={target} app={app} row={row} onClose={onClose} />
    case 'terminate':
      return <TerminateDialog target={target} onClose={onClose} />
    default:
      return null
  }
}

function TerminateDialog({ target, onClose }: { target: Target; onClose: () => void }) {
  const [busy, setBusy] = useState(false)
  const start = async () => {
    setBusy(true)
    try {
      await terminate(target)
      toast(`The operation of ${target.name} ends`)
    } catch (thrown) {
      toastError(thrown, `end the operation of ${target.name}`)
    }
    onClose()
  }
  return (
    <Dialog
      title={`Terminate the operation of ${target.name}`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button looks="danger" icon="cross" busy={busy} onClick={start}>
            Terminate
          </Button>
        </>
      }
    >
      <div class="stack">
        <p>It ends between two objects. What was applied stays; hooks that run are deleted.</p>
        <Cli command={['app', 'terminate', qualified(target)]} />
      </div>
    </Dialog>
  )
}
