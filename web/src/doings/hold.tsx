// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks'
import { type ApiError, type Application, errorOf } from '../api'
import { Button, Cli, Dialog, Failure, SelectField, TextField, Time, toast, toastError } from '../kit'
import { hold, release } from './asks'
import { type Hold, holdCli, spans, untilOf } from './held'
import { qualified, type Target } from './target'

/** Asks why and how long an application is held. */
export function HoldDialog({ target, onClose }: { target: Target; onClose: () => void }) {
  const [reason, setReason] = useState('')
  const [span, setSpan] = useState('')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<ApiError>()
  const start = async () => {
    setBusy(true)
    try {
      await hold(target, reason.trim(), untilOf(span, Date.now()))
      toast(`${target.name} is held`, 'good', { undo: () => void releaseNow(target) })
      onClose()
    } catch (thrown) {
      setError(errorOf(thrown))
      setBusy(false)
    }
  }
  return (
    <Dialog
      title={`Hold ${target.name}`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button looks="primary" icon="pause" busy={busy} onClick={start}>
            Hold
          </Button>
        </>
      }
    >
      <div class="stack">
        {error && <Failure error={error} doing={`hold ${target.name}`} />}
        <p>
          Automated sync applies, retries and heals nothing of what is in the source now. The hold ends by itself as
          soon as the source renders to something else; a sync by hand goes ahead all the same.
        </p>
        <TextField
          label="Reason"
          hint="Shown wherever the application is."
          value={reason}
          onInput={setReason}
          autoFocus
        />
        <SelectField label="How long" value={span} onChange={setSpan} options={spans} />
        <Cli command={holdCli(qualified(target), reason, span)} />
      </div>
    </Dialog>
  )
}

async function releaseNow(target: Target) {
  try {
    await release(target)
    toast(`${target.name} is not held any more`)
  } catch (thrown) {
    toastError(thrown, `end the hold of ${target.name}`)
  }
}

/** Says what is held and why, before the hold is ended. */
export function ReleaseDialog({
  target,
  app,
  held,
  onClose,
}: {
  target: Target
  app: Application
  held: Hold
  onClose: () => void
}) {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<ApiError>()
  const back = async () => {
    try {
      await hold(target, held.reason, held.until || undefined)
      toast(`${target.name} is held again`)
    } catch (thrown) {
      toastError(thrown, `hold ${target.name} again`)
    }
  }
  const start = async () => {
    setBusy(true)
    try {
      await release(target)
      // What a rollback holds off is applied at once: only a plain hold can be taken up again as it was.
      toast(
        `${target.name} is not held any more`,
        'good',
        held.history === undefined ? { undo: () => void back() } : {},
      )
      onClose()
    } catch (thrown) {
      setError(errorOf(thrown))
      setBusy(false)
    }
  }
  return (
    <Dialog
      title={`Release ${target.name}`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button looks="primary" icon="play" busy={busy} onClick={start}>
            Release
          </Button>
        </>
      }
    >
      <div class="stack">
        {error && <Failure error={error} doing={`end the hold of ${target.name}`} />}
        <HoldFacts held={held} />
        <p>
          Automated sync applies what is in the source from then on, at once
          {app.status?.sync?.status === 'OutOfSync' ? ': the application is out of sync.' : '.'}
        </p>
        <Cli command={['app', 'hold', qualified(target), '--end']} />
      </div>
    </Dialog>
  )
}

function HoldFacts({ held }: { held: Hold }) {
  return (
    <dl class="facts">
      <dt>Reason</dt>
      <dd>{held.reason || <span class="faint">none was given</span>}</dd>
      {held.by && (
        <>
          <dt>By</dt>
          <dd>{held.by}</dd>
        </>
      )}
      {held.since && (
        <>
          <dt>Since</dt>
          <dd>
            <Time at={held.since} />
          </dd>
        </>
      )}
      {held.until && (
        <>
          <dt>Ends</dt>
          <dd>
            <Time at={held.until} />
          </dd>
        </>
      )}
      {held.history !== undefined && (
        <>
          <dt>Came with</dt>
          <dd>a rollback to #{held.history}</dd>
        </>
      )}
    </dl>
  )
}
