// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks'
import { Button, clock, duration, Icon, IconButton, type IconName, Status, Time } from '../kit'
import { useQuery } from '../route/query'
import {
  type Act,
  begunBy,
  going,
  type OperationState,
  operationName,
  type Stand,
  type Step,
  stepsOf,
} from './operation'
import { short } from './source'
import { useApplication } from './store'

/** The operation step by step: shown while one is under way, and when asked for. */
export function Operation() {
  const live = useApplication()
  const { query, set } = useQuery()
  const state = live.application.value?.status?.operationState
  if (!state) return null
  const asked = query.get('steps')
  if (asked === '0' || (asked !== '1' && !going(state.phase))) return null
  void live.settled.value
  const steps = stepsOf(state, live.all())
  return (
    <section class="operation card" aria-label={`${operationName(state)}, step by step`}>
      <OperationHead state={state} onClose={() => set({ steps: going(state.phase) ? '0' : undefined })} />
      {state.message && <p class="operation-message">{state.message}</p>}
      <ol class="steps">
        {steps.map((step) => (
          <StepLine key={step.key} step={step} />
        ))}
      </ol>
    </section>
  )
}

function OperationHead({ state, onClose }: { state: OperationState; onClose: () => void }) {
  const began = Date.parse(state.startedAt ?? '')
  const ended = state.finishedAt ? Date.parse(state.finishedAt) : clock.value
  const revisions = state.syncResult?.revisions?.length
    ? state.syncResult.revisions
    : [state.syncResult?.revision ?? '']
  return (
    <div class="operation-head">
      <h2>{operationName(state)}</h2>
      <Status of="operation" value={state.phase} />
      <span class="soft grow">
        begun <Time at={state.startedAt} /> by {begunBy(state)}, {state.finishedAt ? 'took' : 'for'}{' '}
        {duration(ended - began)}
        {revisions.some(Boolean) && (
          <>
            , to <code>{revisions.map(short).join(', ')}</code>
          </>
        )}
        {(state.retryCount ?? 0) > 0 && `, retry ${state.retryCount}`}
      </span>
      <IconButton small label="Hide the steps" icon="cross" onClick={onClose} />
    </div>
  )
}

const stands: Record<Stand, { icon: IconName; tone: string; word: string }> = {
  done: { icon: 'check', tone: 'good', word: 'done' },
  going: { icon: 'progress', tone: 'busy', word: 'under way' },
  failed: { icon: 'cross', tone: 'bad', word: 'failed' },
  skipped: { icon: 'minus', tone: 'dim', word: 'left alone' },
  next: { icon: 'circle', tone: 'dim', word: 'to come' },
}

function StepLine({ step }: { step: Step }) {
  const stand = stands[step.stand]
  const name =
    step.phase === 'Sync' ? `Wave ${step.wave}` : step.wave === 0 ? step.phase : `${step.phase}, wave ${step.wave}`
  return (
    <li class={`step tone-${stand.tone}`}>
      <span class="step-mark">
        <Icon name={stand.icon} turning={step.stand === 'going'} />
      </span>
      <details open={step.stand === 'going' || step.stand === 'failed'}>
        <summary>
          <strong>{name}</strong> <span class="unseen">{stand.word}: </span>
          <span class="soft">{summary(step.acts)}</span>
        </summary>
        <Acts acts={step.acts} />
      </details>
    </li>
  )
}

/** How many objects had which outcome: "3 applied, 1 failed". */
function summary(acts: Act[]): string {
  const counts = new Map<string, number>()
  for (const act of acts) counts.set(act.word, (counts.get(act.word) ?? 0) + 1)
  return [...counts].map(([word, count]) => `${count} ${word}`).join(', ')
}

const fewActs = 20

function Acts({ acts }: { acts: Act[] }) {
  const [all, setAll] = useState(false)
  const shown = all ? acts : acts.slice(0, fewActs)
  return (
    <ul class="acts">
      {shown.map((act) => (
        <ActLine key={act.id + act.hook} act={act} />
      ))}
      {shown.length < acts.length && (
        <li>
          <Button small looks="quiet" onClick={() => setAll(true)}>
            Show {acts.length - shown.length} more
          </Button>
        </li>
      )}
    </ul>
  )
}

function ActLine({ act }: { act: Act }) {
  const { set } = useQuery()
  const known = useApplication().nodes.has(act.id)
  const stand = stands[act.stand]
  const label = (
    <>
      <span class="soft">{act.kind}</span> {act.name}
    </>
  )
  return (
    <li class={`act tone-${stand.tone}`}>
      <Icon name={stand.icon} size={14} turning={act.stand === 'going'} />
      {known ? (
        <button type="button" class="linklike clip" onClick={() => set({ resource: act.id }, true)}>
          {label}
        </button>
      ) : (
        <span class="clip">{label}</span>
      )}
      {act.hook && <span class="faint">hook</span>}
      <span class="act-word">{act.word}</span>
      {act.message && <span class="soft act-message">{act.message}</span>}
    </li>
  )
}
