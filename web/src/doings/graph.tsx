// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks'
import type { Application, Plan } from '../api'
import { Chip, Icon, type IconName } from '../kit'
import './plan.css'
import {
  type Bundle,
  type Column,
  countsOf,
  type Doing,
  destructive,
  differingOf,
  type Flow,
  flowOf,
  type Lane,
  type Step,
  type Work,
} from './flow'
import { StepDetails } from './step'
import type { Target } from './target'

type Tone = 'good' | 'bad' | 'warn' | 'busy' | 'wait' | 'dim'

const looks: Record<Doing, { icon: IconName; tone: Tone; word: string }> = {
  create: { icon: 'plus', tone: 'good', word: 'Create' },
  apply: { icon: 'edit', tone: 'warn', word: 'Change' },
  same: { icon: 'check', tone: 'dim', word: 'Unchanged' },
  keep: { icon: 'check', tone: 'dim', word: 'Keep' },
  prune: { icon: 'trash', tone: 'bad', word: 'Prune' },
  wait: { icon: 'hand', tone: 'wait', word: 'Waits for approval' },
  skip: { icon: 'minus', tone: 'dim', word: 'Not pruned' },
  refuse: { icon: 'lock', tone: 'dim', word: 'Left alone' },
  run: { icon: 'bolt', tone: 'busy', word: 'Run hook' },
  replace: { icon: 'warning', tone: 'bad', word: 'Replace' },
}

const phases: Record<string, string> = {
  PreSync: 'before anything is applied',
  Sync: 'what is desired is applied',
  PostSync: 'after everything is applied and healthy',
  SyncFail: 'only if something before it fails',
  PreDelete: 'before anything is deleted',
  PostDelete: 'after everything is deleted',
}

/** What a plan comes to, in a line. */
export function PlanCounts({ flow }: { flow: Flow }) {
  const counts = countsOf(flow)
  if (counts.length === 0) return <span class="soft">nothing to do</span>
  return (
    <span class="row wrap plan-counts">
      {counts.map(({ doing, text }) => (
        <Chip key={doing} tone={looks[doing].tone} icon={looks[doing].icon}>
          {text}
        </Chip>
      ))}
    </span>
  )
}

/**
 * A plan as a graph: phases and waves from above to below in the order they are carried out, what is done in each side by side, and
 * on the line between them what is waited for. app is the application if what is planned is what it was compared with: then it is known what of it changes.
 */
export function PlanGraph({ plan, target, app }: { plan: Plan; target: Target; app?: Application | undefined }) {
  const view = app !== undefined
  const flow = flowOf(plan.work as Work, app && differingOf(app))
  return (
    <div class="plan">
      <PlanCounts flow={flow} />
      {[...flow.warnings, ...flow.notes].map((text) => (
        <p key={text} class="plan-note">
          <Icon name="warning" />
          <span>{text}</span>
        </p>
      ))}
      {flow.empty ? (
        <p class="plan-nothing">
          <Icon name="check" /> Nothing would be created, changed or deleted.
        </p>
      ) : (
        <ol class="plan-lanes" aria-label="Order of the sync">
          {flow.namespace && (
            <li class="plan-lane">
              <h3 class="plan-phase">
                Namespace <code>{flow.namespace}</code> <span class="soft">is created if it is missing</span>
              </h3>
            </li>
          )}
          {flow.lanes.map((lane) => (
            <LaneView key={lane.phase} lane={lane} target={target} view={view} />
          ))}
          {flow.onFailure && <LaneView lane={flow.onFailure} target={target} view={view} failure />}
        </ol>
      )}
    </div>
  )
}

interface LaneProps {
  target: Target
  view: boolean
}

function LaneView({ lane, target, view, failure }: LaneProps & { lane: Lane; failure?: boolean }) {
  return (
    <li class={failure ? 'plan-lane plan-lane-failure' : 'plan-lane'}>
      <h3 class="plan-phase">
        {lane.phase} <span class="soft">{phases[lane.phase]}</span>
      </h3>
      <ol class="plan-waves">
        {lane.columns.map((column) => (
          <WaveView key={column.key} column={column} target={target} view={view} />
        ))}
      </ol>
    </li>
  )
}

function WaveView({ column, target, view }: LaneProps & { column: Column }) {
  const [open, setOpen] = useState('')
  return (
    <li class="plan-wave">
      <h4 class="plan-wave-name">Wave {column.wave}</h4>
      <ul class="plan-steps">
        {column.bundles.map((bundle, at) => {
          const key = String(at)
          return (
            <BundleView
              key={key}
              bundle={bundle}
              target={target}
              view={view}
              open={open === key}
              onToggle={() => setOpen(open === key ? '' : key)}
            />
          )
        })}
      </ul>
      {column.awaits.length > 0 && (
        <p class="plan-gate">
          <Icon name="clock" size={14} /> then waits until {column.awaits.join(' and ')}
        </p>
      )}
    </li>
  )
}

function BundleView({
  bundle,
  target,
  view,
  open,
  onToggle,
}: LaneProps & { bundle: Bundle; open: boolean; onToggle: () => void }) {
  const look = looks[bundle.doing]
  const one = bundle.steps.length === 1 ? bundle.steps[0] : undefined
  const classes = [
    'plan-step',
    `tone-${look.tone}`,
    destructive(bundle.doing) && 'plan-step-loud',
    open && 'plan-step-open',
  ]
  return (
    <li class={classes.filter(Boolean).join(' ')}>
      <button type="button" class="plan-step-head" aria-expanded={open} onClick={onToggle}>
        <Icon name={look.icon} />
        <span class="plan-step-words">
          <span class="plan-step-doing">{look.word}</span>
          <span class="plan-step-kind">{one ? one.kind : `${bundle.steps.length} × ${bundle.kind || 'objects'}`}</span>
          <span class="plan-step-name clip" title={one ? one.name : undefined}>
            {one ? one.name : namesOf(bundle)}
          </span>
        </span>
        <Icon name={open ? 'up' : 'down'} size={12} />
      </button>
      {open && one && <StepDetails step={one} target={target} view={view} />}
      {open && !one && <StepList steps={bundle.steps} target={target} view={view} />}
    </li>
  )
}

function namesOf({ kind, steps }: Bundle): string {
  return steps.map((step) => (kind ? step.name : `${step.kind} ${step.name}`)).join(', ')
}

/** As many as are shown at once of what stands together. */
const shown = 50

function StepList({ steps, target, view }: LaneProps & { steps: Step[] }) {
  const [open, setOpen] = useState('')
  const [all, setAll] = useState(false)
  const some = all ? steps : steps.slice(0, shown)
  return (
    <ul class="plan-list">
      {some.map((step) => {
        const key = `${step.kind}/${step.namespace}/${step.name}`
        return (
          <li key={key}>
            <button
              type="button"
              class="plan-list-head"
              aria-expanded={open === key}
              onClick={() => setOpen(open === key ? '' : key)}
            >
              <Icon name={open === key ? 'down' : 'right'} size={12} />
              <span class="clip">
                {step.kind} {step.name}
              </span>
              {step.namespace && <span class="faint clip">{step.namespace}</span>}
            </button>
            {open === key && <StepDetails step={step} target={target} view={view} />}
          </li>
        )
      })}
      {some.length < steps.length && (
        <li>
          <button type="button" class="button button-small" onClick={() => setAll(true)}>
            Show all {steps.length}
          </button>
        </li>
      )}
    </ul>
  )
}
