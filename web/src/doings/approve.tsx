// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks'
import { type ApiError, errorOf } from '../api'
import { Button, Cli, ConfirmByName, Dialog, Empty, Failure, Skeleton, toast } from '../kit'
import { approve, confirmDeletion } from './asks'
import type { Step, Work } from './flow'
import { qualified, type Target } from './target'
import { usePlan } from './useplan'

/** The steps of a plan that wait for a person. */
export function waiting(work: Work | undefined): Step[] {
  const phases = work?.phases ?? []
  return phases.flatMap((phase) =>
    (phase.waves ?? []).flatMap((wave) => (wave.steps ?? []).filter((step) => step.waiting)),
  )
}

/** Shows which deletions wait, and lets exactly these go ahead. */
export function ApproveDialog({ target, onClose }: { target: Target; onClose: () => void }) {
  const [tick, setTick] = useState(0)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<ApiError>()
  const planned = usePlan(target, {}, tick)
  const steps = waiting(planned.plan?.work as Work)
  const digest = planned.plan?.approve ?? ''
  const title = `Approve deletions of ${target.name}`
  if (!planned.plan || steps.length === 0 || !digest) {
    return (
      <Dialog title={title} onClose={onClose} actions={<Button onClick={onClose}>Close</Button>}>
        {planned.error ? (
          <Failure error={planned.error} doing="plan it" retry={() => setTick(tick + 1)} />
        ) : planned.busy ? (
          <Skeleton lines={4} />
        ) : (
          <NothingYet waits={steps.length > 0} again={() => setTick(tick + 1)} />
        )}
      </Dialog>
    )
  }
  const start = async () => {
    setBusy(true)
    try {
      await approve(target, digest)
      toast(`${steps.length} ${steps.length === 1 ? 'deletion' : 'deletions'} of ${target.name} approved`)
      onClose()
    } catch (thrown) {
      setError(errorOf(thrown))
      setBusy(false)
    }
  }
  return (
    <ConfirmByName title={title} name={target.name} verb="Approve" busy={busy} onConfirm={start} onClose={onClose}>
      {error && <Failure error={error} doing="approve them" retry={() => setTick(tick + 1)} />}
      <p>
        These {steps.length === 1 ? 'is 1 object' : `are ${steps.length} objects`} that the source does not have any
        more. They are deleted once you approve; nothing else is, should it be others by then.
      </p>
      <ul class="doomed">
        {steps.map((step) => (
          <li key={`${step.group}/${step.kind}/${step.namespace}/${step.name}`}>
            <strong>
              {step.kind} {step.name}
            </strong>
            {step.namespace && <span class="soft"> in {step.namespace}</span>}
            {step.reason && <p class="field-hint">{step.reason}</p>}
          </li>
        ))}
      </ul>
      <Cli command={['app', 'approve', qualified(target), digest]} />
    </ConfirmByName>
  )
}

function NothingYet({ waits, again }: { waits: boolean; again: () => void }) {
  return (
    <Empty
      icon={waits ? 'clock' : 'check'}
      title={waits ? 'It is not noted yet what waits' : 'No deletion waits for an approval'}
      action={
        <Button icon="refresh" onClick={again}>
          Look again
        </Button>
      }
    >
      {waits ? 'It is a moment after the next comparison.' : 'It was approved, or the source has the objects again.'}
    </Empty>
  )
}

/** Lets the deletion of an application go on whose objects ask for a person (Delete=confirm). */
export function ConfirmDeletion({ target, onClose }: { target: Target; onClose: () => void }) {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<ApiError>()
  const start = async () => {
    setBusy(true)
    try {
      await confirmDeletion(target, new Date())
      toast(`The deletion of ${target.name} goes on`)
      onClose()
    } catch (thrown) {
      setError(errorOf(thrown))
      setBusy(false)
    }
  }
  return (
    <ConfirmByName
      title={`Go on deleting ${target.name}`}
      name={target.name}
      verb="Approve"
      busy={busy}
      onConfirm={start}
      onClose={onClose}
    >
      {error && <Failure error={error} doing="approve it" />}
      <p>
        Objects of it say that a person has to approve their deletion. All of them go once you do; there is no way back.
      </p>
      <Cli command={['app', 'confirm-deletion', qualified(target)]} />
    </ConfirmByName>
  )
}
