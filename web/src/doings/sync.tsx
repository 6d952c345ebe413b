// SPDX-License-Identifier: Apache-2.0

import { useEffect, useState } from 'preact/hooks'
import { type ApiError, type Application, call, errorOf } from '../api'
import { Button, Cli, Dialog, Failure, Icon, Skeleton, TextField, toast } from '../kit'
import { getApplication, rightOf, sync, windows } from './asks'
import { cliOf, plainChoice, planQueryOf, type SyncChoice } from './choice'
import { flowOf, losses, type Work } from './flow'
import { PlanGraph } from './graph'
import { SyncOptions } from './options'
import { ChooseResources } from './resources'
import { Revisions } from './revisions'
import { qualified, type Target } from './target'
import { usePlan } from './useplan'

/** What a caller may do about a sync, and what stands in its way. */
interface Standing {
  app: Application
  may: boolean
  override: boolean
  /** Whether sync windows let a person sync now. */
  open: boolean
}

/** Asks what has to be known before a sync can be offered. */
export async function standingOf(target: Target, signal: AbortSignal): Promise<Standing> {
  const app = await getApplication(target, signal)
  const [rights, window] = await Promise.all([
    call('get', '/api/bowline/v1/may', { query: { rights: [rightOf(app, 'sync'), rightOf(app, 'override')] } }, signal),
    windows(target, signal),
  ])
  const [may = false, override = false] = rights.allowed ?? []
  return { app, may, override, open: window.canSync ?? false }
}

/** The dialog for a sync of one application: what is chosen on one side, what it would do on the other. */
export function SyncDialog({
  target,
  resources,
  onClose,
}: {
  target: Target
  resources?: string[] | undefined
  onClose: () => void
}) {
  const [standing, setStanding] = useState<Standing>()
  const [error, setError] = useState<ApiError>()
  const [tries, setTries] = useState(0)
  useEffect(() => {
    const abort = new AbortController()
    setError(undefined)
    standingOf(target, abort.signal).then(setStanding, (thrown) => abort.signal.aborted || setError(errorOf(thrown)))
    return () => abort.abort()
  }, [tries])
  if (standing) return <Chosen target={target} standing={standing} resources={resources ?? []} onClose={onClose} />
  return (
    <Dialog title={`Sync ${target.name}`} width="wide" onClose={onClose}>
      {error ? (
        <Failure error={error} doing={`look at ${target.name}`} retry={() => setTries(tries + 1)} />
      ) : (
        <Skeleton lines={10} />
      )}
    </Dialog>
  )
}

function Chosen({
  target,
  standing,
  resources,
  onClose,
}: {
  target: Target
  standing: Standing
  resources: string[]
  onClose: () => void
}) {
  const { app } = standing
  const [choice, setChoice] = useState<SyncChoice>(() => plainChoice(resources))
  const [typed, setTyped] = useState('')
  const [busy, setBusy] = useState(false)
  const [refused, setRefused] = useState<ApiError>()
  const set = (change: Partial<SyncChoice>) => setChoice((was) => ({ ...was, ...change }))
  const planned = usePlan(target, planQueryOf(choice, app))
  const lost = planned.plan && !choice.dryRun ? losses(flowOf(planned.plan.work as Work)) : []
  const why = whyNot(standing, choice)
  const own = !choice.revision && choice.revisions.every((revision) => !revision)
  const start = async () => {
    setBusy(true)
    setRefused(undefined)
    try {
      await sync(target, choice, app)
      toast(choice.dryRun ? `Dry run of ${target.name} was asked for` : `Sync of ${target.name} was asked for`)
      onClose()
    } catch (thrown) {
      setRefused(errorOf(thrown))
      setBusy(false)
    }
  }
  return (
    <Dialog
      title={`Sync ${target.name}`}
      width="wide"
      onClose={onClose}
      actions={
        <>
          <div class="grow sync-cli">
            <Cli command={cliOf(choice, [qualified(target)])} />
          </div>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            looks={lost.length > 0 ? 'danger' : 'primary'}
            icon="sync"
            busy={busy}
            disabled={why !== '' || (lost.length > 0 && typed !== target.name)}
            title={why || undefined}
            onClick={start}
          >
            {choice.dryRun ? 'Dry run' : 'Sync'}
          </Button>
        </>
      }
    >
      <div class="sync">
        <form class="sync-options stack" onSubmit={(event) => event.preventDefault()}>
          <Window standing={standing} choice={choice} set={set} />
          <Revisions app={app} choice={choice} set={set} />
          <SyncOptions choice={choice} set={set} />
          <ChooseResources app={app} chosen={choice.resources} onChange={(chosen) => set({ resources: chosen })} />
        </form>
        <section class="sync-plan stack" aria-label="Plan" aria-busy={planned.busy}>
          {refused && <Failure error={refused} doing={`sync ${target.name}`} />}
          {why && (
            <p class="plan-note">
              <Icon name="lock" />
              <span>{why}</span>
            </p>
          )}
          {lost.length > 0 && <Losses lost={lost} name={target.name} typed={typed} onType={setTyped} />}
          <PlanHead busy={planned.busy} revisions={planned.plan?.revisions ?? []} />
          {planned.error && <Failure error={planned.error} doing="plan it" />}
          {!planned.plan && !planned.error && <Skeleton lines={6} />}
          {planned.plan && (
            <div class={planned.busy ? 'plan-old' : undefined}>
              <PlanGraph plan={planned.plan} target={target} app={own ? app : undefined} />
            </div>
          )}
        </section>
      </div>
    </Dialog>
  )
}

/** What the plan is of, and whether another is being made. */
function PlanHead({ busy, revisions }: { busy: boolean; revisions: string[] }) {
  return (
    <div class="row wrap" aria-live="polite">
      <h3>What it would do</h3>
      {revisions.length > 0 && <code class="soft">{revisions.map((one) => one.slice(0, 12)).join(', ')}</code>}
      {busy && <span class="soft">planning …</span>}
    </div>
  )
}

/** Why a sync cannot be asked for as it is chosen; "" if it can. */
function whyNot({ may, open, override }: Standing, choice: SyncChoice): string {
  if (!may) return 'You may look at what a sync would do, but not sync this application: ask for the right "sync".'
  if (open) return ''
  if (!override) return 'A sync window of the project is closed. Passing it asks for the right "override".'
  return choice.override.trim()
    ? ''
    : 'A sync window of the project is closed: say why it is passed, or wait until it opens.'
}

function Window({
  standing,
  choice,
  set,
}: {
  standing: Standing
  choice: SyncChoice
  set: (change: Partial<SyncChoice>) => void
}) {
  if (standing.open || !standing.override || !standing.may) return null
  return (
    <TextField
      label="Pass the closed sync window, because"
      hint="The reason goes into the record of the sync and into an Event."
      value={choice.override}
      onInput={(override) => set({ override })}
    />
  )
}

/** What cannot be had back once it is gone: whoever syncs all the same types the name. */
export function Losses({
  lost,
  name,
  typed,
  onType,
}: {
  lost: string[]
  name: string
  typed: string
  onType: (text: string) => void
}) {
  return (
    <div class="losses stack">
      <p>
        <Icon name="warning" /> What these hold is lost for good: <strong>{lost.join(', ')}</strong>
      </p>
      <TextField label={`Type ${name} to confirm`} value={typed} onInput={onType} spellcheck={false} />
    </div>
  )
}
