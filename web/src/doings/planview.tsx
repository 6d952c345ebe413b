// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks'
import type { Application, Plan, Row } from '../api'
import { Button, Chip, Cli, Failure, Icon, Skeleton } from '../kit'
import { useQuery } from '../route/query'
import { waiting } from './approve'
import type { Work } from './flow'
import { PlanGraph } from './graph'
import { automated } from './held'
import { qualified, type Target } from './target'
import { type PlanQuery, usePlan } from './useplan'

/** What a sync would do now: the automated one, or one by hand; and why the automated one does not begin. */
export function PlanView({ app, row }: { app: Application | undefined; row?: Row | undefined }) {
  if (!app) return <Skeleton lines={6} />
  return <Shown app={app} row={row} />
}

function Shown({ app, row }: { app: Application; row: Row | undefined }) {
  const { query, set } = useQuery()
  const [tick, setTick] = useState(0)
  const target: Target = { namespace: app.metadata?.namespace ?? '', name: app.metadata?.name ?? '' }
  const which = automated(app) ? (query.get('plan') ?? 'next') : query.get('plan') === 'prune' ? 'prune' : 'hand'
  const planned = usePlan(target, queryOf(which), `${tick} ${momentOf(app)}`)
  const may = row?.may ?? []
  return (
    <div class="doings-view stack">
      <h2 class="unseen">Plan</h2>
      <div class="row wrap">
        <fieldset class="segments">
          <legend class="unseen">Which sync</legend>
          {[...(automated(app) ? [['next', 'Automated']] : []), ['hand', 'By hand'], ['prune', 'By hand, pruning']].map(
            ([id = '', word]) => (
              <button
                key={id}
                type="button"
                class="segment"
                aria-pressed={which === id}
                onClick={() => set({ plan: id })}
              >
                {word}
              </button>
            ),
          )}
        </fieldset>
        <Button small icon="refresh" busy={planned.busy} onClick={() => setTick(tick + 1)}>
          Plan anew
        </Button>
      </div>
      {planned.error && <Failure error={planned.error} doing="plan it" retry={() => setTick(tick + 1)} />}
      {!planned.plan && !planned.error && <Skeleton lines={6} />}
      {planned.plan && (
        <>
          <Verdict plan={planned.plan} />
          {waiting(planned.plan.work as Work).length > 0 && (
            <div class="plan-note plan-note-wait">
              <Icon name="hand" />
              <span>
                Deletions wait until a person approves them
                {may.includes('update') ? ', with Approve above.' : '. You have no right to do that.'}
              </span>
            </div>
          )}
          <PlanGraph plan={planned.plan} target={target} app={app} />
        </>
      )}
      <Cli command={['app', 'plan', qualified(target), ...(which === 'prune' ? ['--prune'] : [])]} />
    </div>
  )
}

function queryOf(which: string): PlanQuery {
  if (which === 'prune') return { byHand: true, prune: true }
  return which === 'hand' ? { byHand: true } : {}
}

/** What a plan depends on, as far as the application tells: when it changes the plan is made anew. */
function momentOf(app: Application): string {
  const { sync, operationState } = app.status ?? {}
  return JSON.stringify([
    app.metadata?.generation,
    app.metadata?.annotations,
    sync?.revision,
    sync?.revisions,
    sync?.status,
    operationState?.phase,
    operationState?.startedAt,
  ])
}

/** Whether it begins by itself, and why or why not. */
function Verdict({ plan }: { plan: Plan }) {
  if (!plan.automated) return null
  return (
    <p class="row wrap">
      {plan.begins ? (
        <Chip tone="busy" icon="play">
          begins by itself
        </Chip>
      ) : (
        <Chip tone="dim" icon="pause">
          does not begin by itself
        </Chip>
      )}
      {plan.because && <span>{plan.because}</span>}
    </p>
  )
}
